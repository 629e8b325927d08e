"""The thread that keeps a job's heartbeat going, and the check that training makes between batches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from al_core.errors import Fenced, StoreError
from al_core.records import JobLease, JobRecord, JobState
from al_core.store.base import Store

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
BEAT_SECONDS = 1.0
KEPT = ("round", "label_event_id", "key", "device")  # facts that stay while the phases of a round change


class Interrupted(Exception):
    """The job shall end now, in this state: STOPPED (asked to) or QUEUED (gives way, goes on later)."""

    def __init__(self, state: JobState) -> None:
        self.state = state
        super().__init__(f"the job was interrupted and is now {state}")


class JobControl:
    """Heartbeat in a thread, and `control()` for the computing one.

    The thread reads the job's row every 0.1 s, so that a pause or stop is seen between two batches, and
    writes a heartbeat with the newest progress every second.
    """

    def __init__(self, store: Store, job: JobRecord, lease: JobLease) -> None:
        self.store, self.job, self.lease = store, job, lease
        self.shutdown = threading.Event()  # the process was told to end
        self._ask = job.control
        self._give_way = False
        self._fenced: Fenced | None = None
        self._paused = False
        self._progress: dict[str, Any] = dict(job.progress)
        self._beat_now = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{job.id}", daemon=True)

    def __enter__(self) -> JobControl:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._beat_now.set()
        self._thread.join(timeout=10)

    def progress(self, phase: str, done: int, total: int, **more: Any) -> None:
        """Say how far the job is; seen by pages within a second."""
        changed = phase != self._progress.get("phase")
        kept = {k: v for k, v in self._progress.items() if k in KEPT}
        self._progress = {**kept, "phase": phase, "done": int(done), "total": int(total), **more}
        if changed:
            self._beat_now.set()

    def note(self, **facts: Any) -> None:
        """Add facts that stay with the progress (KEPT)."""
        self._progress = {**self._progress, **facts}

    def keep(self, **facts: Any) -> None:
        """Add facts and write them at once: another attempt at this job finds them in `job.progress`.

        Raises:
            Fenced: a newer attempt has replaced this one.
        """
        self.note(**facts)
        self.store.heartbeat(self.lease, self._progress, paused=self._paused)

    @property
    def attempt(self) -> int:
        """Which attempt of the job this is, from 1 on."""
        return self.job.attempt

    @property
    def facts(self) -> Mapping[str, Any]:
        """The newest progress."""
        return self._progress

    def __call__(self) -> None:
        """Between batches: wait while paused; raise when the job shall end or is fenced off.

        Raises:
            Interrupted: stop was asked for, or a more urgent job waits.
            Fenced: a newer attempt has replaced this one.
        """
        self._check()
        while self._ask == "pause":
            self._paused = True
            self._beat_now.set()
            time.sleep(0.05)
            self._check()
        if self._paused:
            self._paused = False
            self._beat_now.set()

    def _check(self) -> None:
        if self._fenced is not None:
            raise self._fenced
        if self._ask == "stop":
            raise Interrupted(JobState.STOPPED)
        if self._give_way or self.shutdown.is_set():
            raise Interrupted(JobState.QUEUED)

    def _run(self) -> None:
        last_beat = 0.0
        while not self._end.is_set():
            try:
                now = time.monotonic()
                if self._beat_now.is_set() or now - last_beat >= BEAT_SECONDS:
                    self._beat_now.clear()
                    job = self.store.heartbeat(self.lease, self._progress, paused=self._paused)
                    last_beat = now
                else:
                    job = self.store.job(self.job.id)
                self._ask = job.control
                waiting = self.store.waiting_priority()
                self._give_way = waiting is not None and waiting > self.job.priority
            except Fenced as fenced:
                self._fenced = fenced
                return
            except StoreError:
                # a locked or full disk may pass; the job itself fails at its next write if it does not
                log.exception("heartbeat of job %s could not be written", self.job.id)
            self._beat_now.wait(POLL_SECONDS)
