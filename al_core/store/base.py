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

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from al_core.config import ExperimentConfig
from al_core.records import (
    ClassChange,
    ClassEvent,
    EpochRecord,
    ExperimentRecord,
    ExperimentStatus,
    JobLease,
    LabelAck,
    LabelEvent,
    LabelOp,
    LabelSource,
    LogEvent,
    MarkEvent,
    Query,
    RoundRecord,
    Seat,
    Share,
    StudyRecord,
)
from al_core.store.work import Work


class Store(Work, Protocol):
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

    def experiments(
        self, *, ghosts: bool = False, cells: bool = False, of: str | None = None
    ) -> list[ExperimentRecord]:
        """Newest first; ghosts and cells only when asked for; `of` an experiment or a study: its children."""
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
        """With everything that belongs to it, its ghost too; its artefacts stay (`al_core.removal`)."""
        ...

    def version(self, experiment_id: str) -> int: ...

    # -- studies -----------------------------------------------------------------------------------

    def create_study(self, name: str, config: str, *, idempotency_key: str | None = None) -> StudyRecord:
        """A new study; the same idempotency key gives the one that it made before."""
        ...

    def change_study(self, study_id: str, config: str, *, was: str) -> bool:
        """Replace its config, if it still is what the caller read; whether it was. Raises NotFound."""
        ...

    def study(self, study_id: str) -> StudyRecord:
        """Raises NotFound."""
        ...

    def studies(self) -> list[StudyRecord]:
        """Newest first."""
        ...

    def delete_study(self, study_id: str) -> None:
        """With its experiments; their artefacts stay (`al_core.removal`).

        Raises NotFound, or StoreError while a job of a cell is queued or running.
        """
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
        shared: bool = False,
        expected_rev: int | None = None,
        lease: JobLease | None = None,
    ) -> LabelAck:
        """Commit answers and marks in the order of their numbers; the client's last and below are ignored.

        With `shared`, what is another person's to answer is kept as an opinion, and the ack says whose it is.
        With `expected_rev`, raises Overtaken and writes nothing if the log does not end there any more.
        """
        ...

    def label_events(
        self,
        experiment_id: str,
        *,
        after: int = 0,
        until: int | None = None,
        of: Sequence[int] | None = None,
    ) -> list[LabelEvent]:
        """Answers with after < id <= until, in order; all, or those of these samples."""
        ...

    def mark_events(self, experiment_id: str, *, until: int | None = None) -> list[MarkEvent]:
        """Marks set and taken back, with id <= until, in order; opinions are no part of it."""
        ...

    def opinions(self, experiment_id: str) -> list[LabelEvent]:
        """Further answers beside the labels, in order; UNLABEL takes one back."""
        ...

    def log(
        self,
        experiment_id: str,
        *,
        sample_id: int | None = None,
        annotator: str | None = None,
        kind: str | None = None,
        round: int | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[LogEvent]:
        """The label log, newest first: every answer, mark and opinion that fits; `before` an id.

        `kind` is "answer" or a mark's name.
        """
        ...

    def annotators(self, experiment_id: str) -> list[str]:
        """Every name in the log, by name."""
        ...

    def current_labels(self, experiment_id: str, *, of: Sequence[int] | None = None) -> dict[int, LabelEvent]:
        """The winning event of each sample that has one (UNLABEL included), or of these samples only.

        As its class counts now: a merged class as the one it was merged into, a label of one whose labels are
        asked again as UNLABEL. `label_events` gives what was said at the time.
        """
        ...

    def change_class(
        self, experiment_id: str, change: ClassChange, *, seen: int, round: int, annotator: str = ""
    ) -> int | None:
        """Commit a change of a class, if `seen` still is the last change's id (0: none); gives its id.

        None: another change came first, and nothing was written. Whether it may be changed is the caller's
        to check.
        """
        ...

    def class_events(self, experiment_id: str, *, until: int | None = None) -> list[ClassEvent]:
        """Changes of classes with id <= until, in order."""
        ...

    def last_number(self, experiment_id: str, client: str) -> int:
        """The highest number of a client's answers, 0 before its first."""
        ...

    def clients(self, experiment_id: str, prefix: str) -> list[str]:
        """The clients whose names begin so, by name."""
        ...

    def label_log(self, experiment_id: str) -> tuple[int, str]:
        """Where the log ends: the last event's id, and the hash over all events. Raises NotFound."""
        ...

    def label_rev(self, experiment_id: str) -> int: ...

    # -- several people ----------------------------------------------------------------------------

    def take_seat(
        self,
        experiment_id: str,
        annotator: str,
        *,
        round: int,
        overlap: Collection[int] = (),
        idle: float = 0.0,
        pace: int | None = None,
        browser: str = "",
    ) -> Share:
        """Say that a person is here, `idle` seconds after they last did anything; what they are asked.

        `overlap` are the images of the query that two people answer.
        """
        ...

    def leave_seat(self, experiment_id: str, annotator: str) -> None:
        """The person is gone, and what they held is free."""
        ...

    def seats(self, experiment_id: str, *, gone: bool = False) -> list[Seat]:
        """Who is at the session (with `gone`: or ever was), the first comer first."""
        ...

    # -- rounds ------------------------------------------------------------------------------------

    def put_epochs(self, lease: JobLease, experiment_id: str, epochs: Sequence[EpochRecord]) -> None:
        """Insert or replace the records of their (round, epoch), in one transaction."""
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

    def fork_experiment(
        self,
        source_id: str,
        config: ExperimentConfig,
        *,
        rounds: int,
        queries: int,
        until: int,
        status: ExperimentStatus,
        manifest: Mapping[str, Any],
        parent_id: str | None = None,
        ghost: bool = False,
        idempotency_key: str | None = None,
    ) -> ExperimentRecord:
        """A new experiment that has rounds, queries and epochs of another, and its label log up to `until`.

        Rounds and their epochs below `rounds` and queries of rounds below `queries` are in it, each round's
        manifest with `manifest` on top; the log has a chain of its own. One transaction. `parent_id` is the
        source where none is given; the same idempotency key gives the experiment that it made before.
        """
        ...

    def put_next_query(
        self,
        lease: JobLease,
        record: RoundRecord,
        query: Query | None,
        *,
        status: ExperimentStatus,
        stop_reason: str | None = None,
    ) -> None:
        """What a round that is there asks for next, as `finish_round` writes it for a new one.

        Of the record, metrics, seconds, artefacts and manifest take the place of what was kept.
        """
        ...

    def family(self, experiment_id: str) -> list[ExperimentRecord]:
        """All that hang together by their parents, itself among them and no baseline, oldest first."""
        ...

    def artefacts(self) -> set[str]:
        """SHA-256 of every object that a round of any experiment refers to."""
        ...

    def has_query(self, experiment_id: str, round: int) -> bool: ...

    def query(self, experiment_id: str, round: int) -> Query | None: ...

    def queries(self, experiment_id: str) -> list[Query]: ...

    # -- upkeep ------------------------------------------------------------------------------------

    def check(self) -> list[str]:
        """Damage found, in words; empty when label log, chain of hashes and current labels agree."""
        ...

    def check_log(self, experiment_id: str) -> list[str]:
        """The same of one experiment's label log alone."""
        ...

    def close(self) -> None: ...
