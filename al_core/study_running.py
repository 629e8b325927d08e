"""A study under way: begun, queued, paused, stopped, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from al_core.records import ExperimentRecord, ExperimentStatus, JobRecord, StudyRecord
from al_core.store.base import Store
from al_core.study import MOST_JOBS, PRIORITY, StudyConfig


def begin(store: Store, study: StudyConfig, *, idempotency_key: str | None = None) -> StudyRecord:
    """Create the study with all its experiments, and queue their jobs; again: what is missing."""
    record = store.create_study(study.name, study.to_json(), idempotency_key=idempotency_key)
    queue(store, record)
    return record


def queue(store: Store, record: StudyRecord, *, retry_failed: bool = False) -> list[JobRecord]:
    """Make sure that every unfinished cell has its experiment and an active job."""
    submitted = []
    known = {e.cell: e for e in store.study_experiments(record.id)}
    for cell in StudyConfig.from_json(record.config).cells():
        experiment = known.get(cell.number) or store.create_experiment(
            cell.config, study_id=record.id, cell=cell.number, idempotency_key=f"{record.id}/{cell.number}"
        )
        if experiment.status is ExperimentStatus.FINISHED:
            continue
        if experiment.status is ExperimentStatus.FAILED and not retry_failed:
            continue
        submitted.append(store.submit_job("advance", experiment_id=experiment.id, priority=PRIORITY))
    return submitted


def resume(store: Store, record: StudyRecord, *, retry_failed: bool = False) -> None:
    """Take a paused, cancelled or interrupted study up again."""
    queue(store, record, retry_failed=retry_failed)
    _tell(store, record.id, "")


def pause(store: Store, study_id: str) -> int:
    """Hold every cell between two batches; those that wait keep their place. Gives the number of cells."""
    return _tell(store, study_id, "pause")


def stop(store: Store, study_id: str) -> int:
    """Stop every cell; what was trained is kept, and the study can go on later."""
    return _tell(store, study_id, "stop")


def _tell(store: Store, study_id: str, control: str) -> int:
    """The waiting jobs first: a stopped cell must not make room for the next."""
    ids = {e.id for e in store.study_experiments(study_id)}
    jobs = [job for job in store.jobs(active=True, limit=MOST_JOBS) if job.experiment_id in ids]
    for job in sorted(jobs, key=lambda job: job.started_at is not None):
        store.control_job(job.id, control)
    return len(jobs)


@dataclass(frozen=True)
class Progress:
    """How far a study is: cells by state, and rounds done of those that are known to come."""

    finished: int
    failed: int
    running: int
    waiting: int
    rounds: int

    @property
    def total(self) -> int:
        """All cells."""
        return self.finished + self.failed + self.running + self.waiting

    @property
    def over(self) -> bool:
        """Whether nothing is left to run."""
        return self.running == 0 and self.waiting == 0


def progress(experiments: Sequence[ExperimentRecord], active: Mapping[str, JobRecord]) -> Progress:
    """Count cells; `active` maps experiment ids to their queued or running jobs."""
    finished = sum(e.status is ExperimentStatus.FINISHED for e in experiments)
    failed = sum(e.status is ExperimentStatus.FAILED and e.id not in active for e in experiments)
    running = sum(
        e.status is not ExperimentStatus.FINISHED and e.id in active and active[e.id].started_at is not None
        for e in experiments
    )
    waiting = len(experiments) - finished - failed - running
    return Progress(finished, failed, running, waiting, sum(e.num_rounds for e in experiments))
