"""A study's cells at work: workers kept at them, and pause, resume and cancel from the terminal."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from al_core.errors import NotFound, StudyFailed
from al_core.records import ExperimentStatus, JobRecord, StudyRecord
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.study import MOST_JOBS, StudyConfig
from al_core.study_running import Progress, pause, progress, stop
from al_core.worker.identity import requeue_dead
from al_core.worker.runner import Crew, Need, Runner

SILENT_SECONDS = 30.0
POLL_SECONDS = 0.3
IDLE_MINUTES = 0.05
MOST_NAMED = 20

Show = Callable[[str, int, int], None]
"""Tells what goes on, and how much of how much is done."""


def run_cells(store: Store, runner: Runner, record: StudyRecord, most: int | None, show: Show) -> Progress:
    """Keep workers at it until every cell has ended: at most `most`, else as many as there is room for."""
    configs = [cell.config for cell in StudyConfig.from_json(record.config).cells()]
    crew = Crew(runner, Need.of(configs), most)
    try:
        while True:
            requeue_dead(store, SILENT_SECONDS)
            experiments = store.study_experiments(record.id)
            active = {j.experiment_id: j for j in store.jobs(active=True, limit=MOST_JOBS) if j.experiment_id}
            state = progress(experiments, active)
            own = [active[e.id] for e in experiments if e.id in active]
            show(_words(state, own), state.finished + state.failed, state.total)
            if not own:
                return state
            crew.keep(sum(job.control != "pause" for job in own))
            time.sleep(POLL_SECONDS)
    finally:
        crew.dismiss()  # they write a checkpoint and give their cells back


def _words(state: Progress, jobs: list[JobRecord]) -> str:
    if jobs and all(job.control == "pause" for job in jobs):
        return "paused"
    return f"{state.running} cells running"


def require_whole(store: Store, settings: Settings, record: StudyRecord, state: Progress) -> None:
    """Name the cells that failed, and why.

    Raises:
        StudyFailed: there are some.
    """
    if not state.failed:
        return
    failed = [e for e in store.study_experiments(record.id) if e.status is ExperimentStatus.FAILED]
    lines = [f"  {e.name}: {_reason(store, e.id)}" for e in failed[:MOST_NAMED]]
    if len(failed) > MOST_NAMED:
        lines.append(f"  and {len(failed) - MOST_NAMED} more")
    raise StudyFailed(
        f"{state.failed} of {state.total} cells failed (the jobs' logs: {settings.logs / 'jobs'}):\n"
        + "\n".join(lines)
        + f"\n`study resume {record.id} --retry` tries them again"
    )


def _reason(store: Store, experiment_id: str) -> str:
    last = store.jobs(experiment_id=experiment_id, limit=1)
    return (last[0].error_text if last else None) or "it ended without saying why"


def find_study(store: Store, study_id: str | None) -> StudyRecord:
    """The study of that id; without one, the newest.

    Raises:
        NotFound: there is none.
    """
    known = store.studies()
    if study_id is not None:
        return store.study(study_id)
    if not known:
        raise NotFound("there is no study yet; `study --preset quick` makes one")
    return known[0]


def hold(arguments: argparse.Namespace) -> int:
    """`study pause` and `study cancel`: for whoever works on the study, wherever."""
    store = open_store(Settings.from_env())
    try:
        record = find_study(store, arguments.id)
        act = pause if arguments.what == "pause" else stop
        count = act(store, record.id)
    finally:
        store.close()
    done = "held between two batches" if arguments.what == "pause" else "cancelled; what was trained is kept"
    sys.stdout.write(f"study {record.id}: {count} cells {done}. `study resume {record.id}` goes on.\n")
    return 0


VERBS: dict[str, Any] = {"pause": hold, "cancel": hold}
