"""The part of the store's contract (base.py) that hands out work: jobs, and the workers that do them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from al_core.records import JobLease, JobRecord, JobState, WorkerRecord


class Work(Protocol):
    """See the rules of al_core.store.base."""

    # -- jobs --------------------------------------------------------------------------------------

    def submit_job(
        self,
        kind: str,
        *,
        experiment_id: str | None = None,
        spec: Mapping[str, Any] | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
    ) -> JobRecord:
        """Queue a job, unless one of the same kind and experiment is active: that is returned in its place.

        So a double click starts nothing twice. Without an experiment, the same spec makes it the same job.
        """
        ...

    def claim_job(self, worker_id: str, *, job_id: str | None = None) -> tuple[JobRecord, JobLease] | None:
        """The queued job of highest priority (oldest first), now RUNNING, attempt + 1, with a fresh token."""
        ...

    def heartbeat(
        self, lease: JobLease, progress: Mapping[str, Any] | None = None, *, paused: bool = False
    ) -> JobRecord:
        """Say that the attempt lives; returns the job with its `control`. Raises Fenced."""
        ...

    def control_job(self, job_id: str, control: str) -> None:
        """Ask for "pause", "stop", or "" (go on). A queued job that is told to stop is STOPPED at once."""
        ...

    def end_job(
        self,
        lease: JobLease,
        state: JobState,
        *,
        error_kind: str | None = None,
        error_text: str | None = None,
        traceback: str | None = None,
    ) -> None:
        """DONE, FAILED, STOPPED, or QUEUED again (gave way to a more urgent job)."""
        ...

    def job(self, job_id: str) -> JobRecord: ...

    def jobs(
        self, *, experiment_id: str | None = None, active: bool = False, limit: int = 100
    ) -> list[JobRecord]:
        """Newest first."""
        ...

    def waiting_priority(self) -> int | None:
        """The highest priority among queued jobs, or None."""
        ...

    def requeue_lost(
        self, *, silent_seconds: float, max_attempts: int = 3, dead_workers: Sequence[str] = ()
    ) -> list[JobRecord]:
        """Take RUNNING jobs back whose heartbeat is older, or whose worker is known dead.

        They go to QUEUED with their token void, or to FAILED ("lost") after `max_attempts`. Older is by the
        database's clock.
        """
        ...

    # -- workers -----------------------------------------------------------------------------------

    def put_worker(self, worker: WorkerRecord) -> None: ...
    def workers(self) -> list[WorkerRecord]: ...
    def remove_worker(self, worker_id: str) -> None: ...
