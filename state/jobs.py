"""Background work as the pages see it: make sure that a worker lives, queue, pause, resume, stop, read logs.

Training runs in a process of its own, never in a thread of the server.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from al_core.config import DataConfig
from al_core.records import JobRecord, JobState, WorkerRecord
from al_core.study import PRIORITY
from al_core.worker import cluster
from al_core.worker.identity import Slot, is_alive
from al_core.worker.runner import LocalRunner, Worker
from al_core.worker.starting import start_cluster, start_worker, study_slot
from state.handles import settings, store

STUDY_IDLE_MINUTES = 0.25
A_PERSON_WAITS = (
    5  # the priority of such work: training gives way between two batches, and goes on afterwards
)
_RECENT = 200
_LOCK = threading.Lock()
_CHILDREN: dict[str, Worker] = {}


def ensure_worker() -> None:
    """Start a worker if none has the slot. Cheap; safe from many threads and processes at once."""
    _ensure("default", partial(start_worker, settings()))


def ensure_study_workers() -> None:
    """Start workers beside the usual one while cells of studies wait, as many as may run at once.

    Where a cluster's address is set they are the cluster's. They end soon after the last cell. None is
    started while something more urgent waits: it goes first.
    """
    if store().waiting_priority() != PRIORITY:
        return
    if settings().ray_address is not None:
        _ensure(cluster.SLOT, partial(start_cluster, settings()))
        return
    cells = [job for job in cluster.waiting_cells(store()) if job.state is JobState.QUEUED]
    if not cells:
        return
    need = cluster.need_of(store(), cells, most=10)
    here = LocalRunner(settings(), idle_minutes=STUDY_IDLE_MINUTES)
    for number in range(min(here.capacity(need) - 1, len(cells))):
        _ensure(study_slot(number), partial(here.start, number, need))


def _ensure(slot: str, start: Callable[[], Worker | None]) -> None:
    with _LOCK:
        for name in [name for name, child in _CHILDREN.items() if child.poll() is not None]:
            del _CHILDREN[name]  # the poll has reaped it
        if slot not in _CHILDREN and not Slot(settings().home, slot).taken():
            child = start()
            if child is not None:
                _CHILDREN[slot] = child


def supervise(stop: threading.Event, *, seconds: float = 1.0) -> None:
    """Until told to stop: when work waits and no worker lives, start one. Run in a thread of the server."""
    while not stop.wait(seconds):
        if store().jobs(active=True, limit=1):
            ensure_worker()
            ensure_study_workers()


def advance(experiment_id: str) -> JobRecord:
    """Train, evaluate and query next, in the background; the active job if there is one already."""
    job = store().submit_job("advance", experiment_id=experiment_id, spec={"ghost": True})
    ensure_worker()
    return job


def prepare(data: DataConfig, *, classes: Sequence[str] | None = None, download: bool = False) -> JobRecord:
    """Prepare a data set in the background."""
    spec = {
        "data": data.model_dump(mode="json"),
        "classes": list(classes) if classes else None,
        "download": download,
    }
    job = store().submit_job("prepare", spec=spec)
    ensure_worker()
    return job


def ask(kind: str, **spec: Any) -> JobRecord:
    """Let the worker do what a person waits for, before any training."""
    job = store().submit_job(kind, spec=spec, priority=A_PERSON_WAITS)
    ensure_worker()
    return job


def newest(kind: str, **spec: Any) -> JobRecord | None:
    """The newest job of a kind whose spec holds these values."""
    for job in store().jobs(limit=_RECENT):
        if job.kind == kind and all(name in job.spec and job.spec[name] == spec[name] for name in spec):
            return job
    return None


def pause(job_id: str) -> None:
    """Pause between two batches."""
    store().control_job(job_id, "pause")


def resume(job_id: str) -> None:
    """Go on after a pause."""
    store().control_job(job_id, "")


def stop(job_id: str) -> None:
    """Stop between two batches; what was trained so far is kept in a checkpoint."""
    store().control_job(job_id, "stop")


def worker_state() -> WorkerRecord | None:
    """The living worker, or None. A worker that is still importing shows as "starting"."""
    alive = [w for w in store().workers() if is_alive(w) is not False]
    return max(alive, key=lambda w: w.heartbeat_at, default=None)


def log_tail(job_id: str, lines: int = 200) -> str:
    """The last lines of a job's log; empty when it has none yet."""
    path = settings().logs / "jobs" / f"{Path(job_id).name}.log"
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 64_000))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:])


def wait(job_id: str, seconds: float) -> JobRecord:
    """Wait a short while for a job to end (pages use it for work of well under a second)."""
    end = time.monotonic() + seconds
    job = store().job(job_id)
    while job.state.active and time.monotonic() < end:
        time.sleep(0.05)
        job = store().job(job_id)
    return job
