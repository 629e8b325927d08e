"""The store: the one truth that browser, worker and command line share.

Rules that every implementation keeps (tests/contracts/test_store.py runs over each):

- A call that returns has committed; a call that raises has written nothing.
- Label events are append-only. A client numbers its answers 1, 2, 3 ...; an answer whose number is not
  above the client's last is ignored, so that sending again is harmless.
- The writes of a worker carry its lease. If the job's token is another one by then, they raise Fenced and
  write nothing.
- `version(experiment)` grows with every change that a page of that experiment shows; `rev` of the labels is
  the id of the last label event, so it grows too.
- Order is by id, never by time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from al_core.config import ExperimentConfig
from al_core.records import (
    EpochRecord,
    ExperimentRecord,
    ExperimentStatus,
    JobLease,
    JobRecord,
    JobState,
    LabelAck,
    LabelEvent,
    LabelOp,
    LabelSource,
    Query,
    RoundRecord,
    StudyRecord,
    WorkerRecord,
)


class Store(Protocol):
    """See the module's rules. `open_store(settings)` in al_core.store makes one."""

    # -- experiments -------------------------------------------------------------------------------

    def create_experiment(
        self,
        config: ExperimentConfig,
        *,
        parent_id: str | None = None,
        ghost: bool = False,
        study_id: str | None = None,
        cell: int | None = None,
        idempotency_key: str | None = None,
    ) -> ExperimentRecord:
        """A new experiment; the same idempotency key gives the one that it made before."""
        ...

    def experiment(self, experiment_id: str) -> ExperimentRecord:
        """Raises NotFound."""
        ...

    def experiments(self, *, ghosts: bool = False, cells: bool = False) -> list[ExperimentRecord]:
        """Newest first; baselines and cells of studies only when asked for."""
        ...

    def ghost_of(self, experiment_id: str) -> ExperimentRecord | None:
        """The random baseline that follows this experiment."""
        ...

    def update_experiment(
        self,
        experiment_id: str,
        *,
        lease: JobLease | None = None,
        status: ExperimentStatus | None = None,
        dataset_key: str | None = None,
        fingerprint: str | None = None,
        split_hash: str | None = None,
        stop_reason: str | None = None,
        config: ExperimentConfig | None = None,
        name: str | None = None,
    ) -> None:
        """Set what is given (None leaves as it is; stop_reason "" clears it)."""
        ...

    def delete_experiment(self, experiment_id: str) -> None:
        """With everything that belongs to it, its ghost too. Artefacts are left to garbage collection."""
        ...

    def version(self, experiment_id: str) -> int: ...

    # -- studies -----------------------------------------------------------------------------------

    def create_study(self, name: str, config: str, *, idempotency_key: str | None = None) -> StudyRecord:
        """A new study; the same idempotency key gives the one that it made before."""
        ...

    def study(self, study_id: str) -> StudyRecord:
        """Raises NotFound."""
        ...

    def studies(self) -> list[StudyRecord]:
        """Newest first."""
        ...

    def study_experiments(self, study_id: str) -> list[ExperimentRecord]:
        """The cells that exist, by number."""
        ...

    # -- labels ------------------------------------------------------------------------------------

    def add_labels(
        self,
        experiment_id: str,
        ops: Sequence[LabelOp],
        *,
        client: str,
        source: LabelSource,
        round: int,
        annotator: str = "",
        lease: JobLease | None = None,
    ) -> LabelAck:
        """Commit answers in the order of their numbers; those at or below the client's last are ignored."""
        ...

    def label_events(
        self, experiment_id: str, *, after: int = 0, until: int | None = None
    ) -> list[LabelEvent]:
        """Events with after < id <= until, in order."""
        ...

    def current_labels(self, experiment_id: str) -> dict[int, LabelEvent]:
        """The winning event of each sample that has one (UNLABEL included)."""
        ...

    def label_rev(self, experiment_id: str) -> int: ...

    # -- rounds ------------------------------------------------------------------------------------

    def put_epoch(self, lease: JobLease, experiment_id: str, epoch: EpochRecord) -> None:
        """Insert or replace the record of (round, epoch)."""
        ...

    def put_epochs(self, lease: JobLease, experiment_id: str, epochs: Sequence[EpochRecord]) -> None:
        """Several of them in one transaction."""
        ...

    def epochs(self, experiment_id: str, *, round: int | None = None) -> list[EpochRecord]:
        """By round, then epoch."""
        ...

    def finish_round(
        self,
        lease: JobLease,
        record: RoundRecord,
        query: Query | None,
        *,
        status: ExperimentStatus,
        stop_reason: str | None = None,
    ) -> None:
        """Round, its query and the experiment's new status, in one transaction."""
        ...

    def put_query(self, lease: JobLease, query: Query) -> None:
        """The initial set's query (round INITIAL_ROUND); status becomes AWAITING_LABELS."""
        ...

    def rounds(self, experiment_id: str) -> list[RoundRecord]: ...

    def query(self, experiment_id: str, round: int) -> Query | None: ...

    def queries(self, experiment_id: str) -> list[Query]: ...

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

    # -- upkeep ------------------------------------------------------------------------------------

    def check(self) -> list[str]:
        """Damage found, in words; empty when label log, chain of hashes and current labels agree."""
        ...

    def close(self) -> None: ...
