"""Experiment: the round life cycle over a store, without torch. Pages, worker and command line share it.

The worker asks `plan()` what is next, computes, and writes the result; a person (or the oracle) answers the
pending query in between. Everything here is derived from the store each time: nothing to keep in step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from al_core.data.dataset import Dataset
from al_core.data.prepare import open_dataset
from al_core.errors import DataError, NotFound
from al_core.pool import Pool
from al_core.records import (
    ExperimentRecord,
    ExperimentStatus,
    JobLease,
    JobRecord,
    LabelAck,
    LabelEvent,
    LabelOp,
    LabelSource,
    Query,
)
from al_core.settings import Settings
from al_core.splits import Splits, make_splits
from al_core.store.base import Store
from al_core.types import INITIAL_ROUND, UNLABEL

StepKind = Literal["start", "label", "train", "working", "finished", "failed"]


@dataclass(frozen=True)
class Step:
    """The next sensible step. `done` of `total` answers of the pending query are given."""

    kind: StepKind
    done: int = 0
    total: int = 0
    job: JobRecord | None = None
    reason: str | None = None


class Experiment:
    """A handle on one experiment. Cheap to open; holds nothing that the store does not."""

    def __init__(self, store: Store, settings: Settings, record: ExperimentRecord) -> None:
        self.store, self.settings, self.record = store, settings, record
        self.config = record.config

    @classmethod
    def open(cls, store: Store, settings: Settings, experiment_id: str) -> Experiment:
        """Raises NotFound."""
        return cls(store, settings, store.experiment(experiment_id))

    @property
    def id(self) -> str:
        """The experiment's id in the store."""
        return self.record.id

    def refresh(self) -> None:
        """Read the record again after the store changed."""
        self.record = self.store.experiment(self.id)

    @cached_property
    def dataset(self) -> Dataset:
        """The prepared data set.

        Raises:
            DataError: it is not prepared yet, or its content is no longer what this experiment began with.
        """
        if self.record.dataset_key is None:
            raise DataError(f"the data set {self.config.data.dataset!r} is not prepared yet")
        dataset = open_dataset(self.settings, self.record.dataset_key)
        if self.record.fingerprint not in (None, dataset.fingerprint):
            raise DataError(
                f"the data set {dataset.title!r} has changed since this experiment began (fingerprint "
                f"{dataset.fingerprint[:12]}, was {(self.record.fingerprint or '')[:12]}): sample ids would "
                "name other images. Restore the old files, or begin a new experiment"
            )
        return dataset

    @cached_property
    def splits(self) -> Splits:
        """What is set aside for validation; the same for every strategy of a seed."""
        return make_splits(self.dataset.train.labels, self.config.data, self.config.seed)

    def pending(self) -> Query | None:
        """The query whose answers are awaited (also while the next round trains), or None."""
        if self.record.status in (ExperimentStatus.NEW, ExperimentStatus.FINISHED):
            return None
        return self.last_query()

    def last_query(self) -> Query | None:
        """The newest query, answered or not."""
        rounds = self.store.rounds(self.id)
        last = rounds[-1].number if rounds else INITIAL_ROUND
        return self.store.query(self.id, last)

    def answers(self) -> dict[int, LabelEvent]:
        """Answers to the pending query by sample id; withdrawn ones are not among them."""
        query = self.pending()
        return {} if query is None else self.answers_to(query)

    def answers_to(self, query: Query) -> dict[int, LabelEvent]:
        """Answers to a query by sample id; withdrawn ones are not among them."""
        current = self.store.current_labels(self.id)
        asked = (item.sample_id for item in query.items)
        return {i: current[i] for i in asked if i in current and current[i].value != UNLABEL}

    def pool(self, *, until: int | None = None) -> Pool:
        """The partition now, or as it was after the label event `until`."""
        if until is None:
            events = self.store.current_labels(self.id)
            pending = self.pending()
        else:
            events = {e.sample_id: e for e in self.store.label_events(self.id, until=until)}
            pending = None
        return Pool.fold(len(self.dataset.train), events, self.splits.validation_ids, pending)

    def num_unlabeled(self, round: int) -> int:
        """How many images were unlabeled when that round chose its query: its candidates, if uncapped."""
        if round == INITIAL_ROUND:
            return len(self.dataset.train) - len(self.splits.validation_ids)
        record = self.store.rounds(self.id)[round]
        return len(self.pool(until=record.label_event_id).unlabeled_ids)

    def active_job(self) -> JobRecord | None:
        """The job of this experiment that is queued or running."""
        jobs = self.store.jobs(experiment_id=self.id, active=True, limit=1)
        return jobs[0] if jobs else None

    def step(self) -> Step:
        """What a person should do next, or what is under way."""
        job = self.active_job()
        query = self.pending()
        total = len(query.items) if query else 0
        done = len(self.answers_to(query)) if query else 0
        if job is not None:
            return Step("working", done, total, job)
        status = self.record.status
        if status is ExperimentStatus.FINISHED:
            return Step("finished", reason=self.record.stop_reason)
        if status is ExperimentStatus.FAILED:
            jobs = self.store.jobs(experiment_id=self.id, limit=1)
            last = jobs[0] if jobs else None
            return Step("failed", done, total, last, last.error_text if last else None)
        if status is ExperimentStatus.NEW:
            return Step("start")
        if status is ExperimentStatus.AWAITING_LABELS and done < total:
            return Step("label", done, total)
        return Step("train", done, total)

    def tell(
        self,
        labels: Iterable[tuple[int, int]],
        *,
        client: str,
        source: LabelSource,
        round: int,
        lease: JobLease | None = None,
    ) -> LabelAck:
        """Commit (sample id, value) answers at once. One client name must not be used from two places."""
        events = self.store.label_events(self.id)
        last = max((event.n for event in events if event.client == client), default=0)
        ops = [LabelOp(last + i, int(s), int(v)) for i, (s, v) in enumerate(labels, start=1)]
        return self.store.add_labels(
            self.id, ops, client=client, source=source, round=round, annotator=source.value, lease=lease
        )

    def answer_from_truth(
        self, ids: Iterable[int] | None = None, *, lease: JobLease | None = None
    ) -> LabelAck:
        """Let ground truth answer the pending query: the given ids, or all that nobody answered yet.

        Raises:
            DataError: the data set's labels are not known.
            NotFound: no query is pending.
        """
        query = self.pending()
        if query is None:
            raise NotFound(f"experiment {self.id} has no query that waits for labels")
        asked = [item.sample_id for item in query.items]
        answered = self.answers_to(query)
        wanted = [i for i in asked if i not in answered] if ids is None else [i for i in ids if i in asked]
        labels = self.dataset.train.labels[np.asarray(wanted, np.int64)]
        if (labels < 0).any():
            raise DataError("the labels of this data set are not known; a person must answer")
        return self.tell(
            zip(wanted, labels.tolist(), strict=True),
            client=f"truth-{query.round}",
            source=LabelSource.ORACLE,
            round=query.round,
            lease=lease,
        )
