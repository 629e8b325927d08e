"""Experiment: the round life cycle over a store, without torch. Pages, worker and command line share it.

The worker asks `plan()` what is next, computes, and writes the result; a person (or the oracle) answers the
pending query in between. Everything here is derived from the store each time: nothing to keep in step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float32

from al_core import oracle
from al_core.by_hand import query_of
from al_core.classes import Classes, Effects
from al_core.data.dataset import Dataset
from al_core.errors import ClassError, NotFound, StoreError
from al_core.foundation import Foundation
from al_core.guidelines import check_pin
from al_core.pool import Pool
from al_core.records import (
    STANDING_MARKS,
    ClassAct,
    ClassChange,
    ExperimentStatus,
    JobLease,
    JobRecord,
    LabelAck,
    LabelEvent,
    LabelOp,
    LabelSource,
    Mark,
    MarkEvent,
    Query,
)
from al_core.types import INITIAL_ROUND, SKIP, UNKNOWN, UNLABEL, Labels, SampleIds
from al_core.words import tr

_TRIES = 10  # to change a class before somebody else does

StepKind = Literal["start", "label", "train", "working", "finished", "failed"]


@dataclass(frozen=True)
class Step:
    """The next sensible step. `done` of `total` answers of the pending query are given.

    `new` labels, these and others that came meanwhile, are what the step "train" would train on.
    """

    kind: StepKind
    done: int = 0
    total: int = 0
    job: JobRecord | None = None
    reason: str | None = None
    new: int = 0


class Experiment(Foundation):
    """A handle on one experiment. Cheap to open; holds nothing that the store does not."""

    def change_class(self, change: ClassChange, *, annotator: str = "") -> ClassChange:
        """Change a class, or say something of it; gives what was written, a new class's id included.

        A name that a retired class has is that class, brought back.

        Raises:
            ClassError: it cannot be changed like that; nothing was written.
        """
        last = self.last_query()
        for _ in range(_TRIES):
            events = self.class_events()
            wanted = self._checked(Classes.of(self.prepared.classes, events), change)
            check_pin(events, wanted)
            made = self.store.change_class(
                self.id, wanted, seen=events[-1].id if events else 0, annotator=annotator,
                round=INITIAL_ROUND if last is None else last.round,
            )  # fmt: skip
            if made is not None:
                return wanted
        raise StoreError(tr("the classes are changed from elsewhere all the time; try again"))

    def class_named(self, name: str, *, annotator: str = "") -> int:
        """The id of the class of that name; one that is not there is made, a retired one brought back.

        Raises:
            ClassError: it is no name that a class can have; nothing was written.
        """
        for _ in range(_TRIES):
            classes = self.classes()
            known = classes.find(name)
            if known is not None and known not in classes.effects.retired:
                return known
            try:
                return self.change_class(
                    ClassChange(0, ClassAct.ADD, name=name), annotator=annotator
                ).class_id
            except ClassError:
                if self.classes().last == classes.last:
                    raise  # nobody was faster: the name is refused
        raise StoreError(tr("the classes are changed from elsewhere all the time; try again"))

    def _checked(self, classes: Classes, change: ClassChange) -> ClassChange:
        if change.sample_id is not None and not 0 <= change.sample_id < len(self.prepared.train):
            raise ClassError(tr("there is no image {n} in the train split", n=change.sample_id))
        known = classes.find(change.name) if change.act is ClassAct.ADD else None
        if known is not None and known in classes.effects.retired and known not in classes.merged:
            change = ClassChange(known, ClassAct.RESTORE)
        return classes.checked(change)

    def pending(self) -> Query | None:
        """The query whose answers are awaited (also while the next round trains), or None."""
        if self.record.status in (ExperimentStatus.NEW, ExperimentStatus.FINISHED):
            return None
        return self.last_query()

    def last_query(self) -> Query | None:
        """The newest query, answered or not; what people asked for themselves stands in front."""
        rounds = self.store.rounds(self.id)
        return query_of(self.store, self.id, rounds[-1].number if rounds else INITIAL_ROUND)

    def answers(self) -> dict[int, LabelEvent]:
        """Answers to the pending query by sample id; withdrawn ones are not among them."""
        query = self.pending()
        return {} if query is None else self.answers_to(query)

    def answers_to(self, query: Query, *, ahead: bool = False) -> dict[int, LabelEvent]:
        """Answers to a query by sample id, those ahead only if asked; withdrawn ones are not among them."""
        asked = [item.sample_id for item in (query.offered if ahead else query.items)]
        current = self.store.current_labels(self.id, of=asked)
        return {i: current[i] for i in asked if i in current and current[i].value != UNLABEL}

    def untrained(self) -> dict[int, LabelEvent]:
        """Labels that no training has seen yet, by sample id: those that the next one adds or changes."""
        rounds = self.store.rounds(self.id)
        return self.labels_since(rounds[-1].label_event_id if rounds else 0)

    def labels_since(self, seen: int) -> dict[int, LabelEvent]:
        """Labels that stand, and were given after that event; read are those events and not all labels."""
        last = {event.sample_id: event for event in self.store.label_events(self.id, after=seen)}
        effects = Effects.of(self.store.class_events(self.id))
        found = ((i, replace(last[i], value=effects.value(last[i].value))) for i in sorted(last))
        return {i: event for i, event in found if event.value >= 0}

    def marks(self, *, until: int | None = None) -> dict[int, dict[Mark, MarkEvent]]:
        """The marks that stand on each image: now, or after the label event `until`."""
        standing: dict[int, dict[Mark, MarkEvent]] = {}
        for event in self.store.mark_events(self.id, until=until):
            if event.mark not in STANDING_MARKS:
                continue
            marks = standing.setdefault(event.sample_id, {})
            if event.on:
                marks[event.mark] = event
            else:
                marks.pop(event.mark, None)
        return {sample_id: marks for sample_id, marks in standing.items() if marks}

    def label_weights(
        self, labeled_ids: SampleIds, *, until: int | None = None
    ) -> Float32[np.ndarray, " m"] | None:
        """How much each of these labels counts in training; None where all count one."""
        unsure = [i for i, marks in self.marks(until=until).items() if Mark.UNSURE in marks]
        doubted = np.isin(labeled_ids, unsure)
        if not doubted.any():
            return None
        return np.where(doubted, self.config.train.unsure_weight, 1.0).astype(np.float32)

    def changed_since(self, seen: int) -> bool:
        """Whether answers, changes of classes, or marks that weigh labels came after that log event."""
        if self.store.label_rev(self.id) <= seen:
            return False
        if self.store.label_events(self.id, after=seen) or self.classes().last > seen:
            return True
        ids = self.pool().labeled_ids
        before, now = (self.label_weights(ids, until=until) for until in (seen, None))
        return not np.array_equal(
            np.ones(len(ids)) if before is None else before, np.ones(len(ids)) if now is None else now
        )

    def pool(self, *, until: int | None = None) -> Pool:
        """The partition now, or as it was after the label event `until`."""
        if until is None:
            events = self.store.current_labels(self.id)
            pending = self.pending()
        else:
            events = {e.sample_id: e for e in self.store.label_events(self.id, until=until)}
            pending = None
        size, splits = len(self.prepared.train), self.splits
        return Pool.fold(
            size, events, splits.validation_ids, pending, self.reserve, splits.thinned, self._counts_as(until)
        )

    def _counts_as(self, until: int | None) -> Callable[[Labels], Labels]:
        return self.classes(until=until).fold

    def as_trained(self, until: int) -> TrainedView:
        """The experiment as the training after that label event sees it: classes numbered as outputs are."""
        return TrainedView(self, self.classes(until=until))

    def num_unlabeled(self, round: int) -> int:
        """How many images were unlabeled when that round chose its query: its candidates, if uncapped."""
        if round == INITIAL_ROUND:
            return len(self.prepared.train) - len(self.splits.aside_ids) - len(self.reserve)
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
        return Step("train", done, total, new=len(self.untrained()))

    def tell(
        self,
        labels: Iterable[tuple[int, int]],
        *,
        client: str,
        source: LabelSource,
        round: int,
        over: LabelSource | None = None,
        annotator: str | None = None,
        lease: JobLease | None = None,
    ) -> LabelAck:
        """Commit (sample id, value) answers at once. One client name must not be used from two places.

        `over` is the source of those whose image has a class already, where not `source`.

        Raises:
            ClassError: a class cannot be given, and the image has another label; nothing was written.
        """
        answers = [(int(s), int(v)) for s, v in labels]
        self._check_given(answers)
        last = self.store.last_number(self.id, client)
        standing = self.store.current_labels(self.id, of=[s for s, _ in answers]) if over else {}
        labeled = {s for s, event in standing.items() if event.value >= 0}
        ops = [
            LabelOp(last + i, s, v, source=over if s in labeled else None)
            for i, (s, v) in enumerate(answers, start=1)
        ]
        return self.store.add_labels(
            self.id, ops, client=client, source=source, round=round,
            annotator=source.value if annotator is None else annotator, lease=lease,
        )  # fmt: skip

    def _check_given(self, answers: Iterable[tuple[int, int]]) -> None:
        classes = self.classes()
        open_ = set(classes.open)
        closed = [(s, v) for s, v in answers if v >= 0 and v not in open_]
        current = self.store.current_labels(self.id, of=[s for s, _ in closed]) if closed else {}
        for sample_id, value in closed:
            if sample_id not in current or current[sample_id].value != value:  # a label may be kept
                classes.check_open(value)

    def answer_from_oracle(
        self, ids: Iterable[int] | None = None, *, lease: JobLease | None = None
    ) -> LabelAck:
        """Let the oracle answer the pending query: the given ids, or all asked ones that nobody answered yet.

        Ground truth where the config says that a person labels. What has no recorded answer is skipped, and
        so is what is of a class that nobody may give any more.

        Raises:
            DataError: the data set's labels are not known, or the recorded answers have changed.
            NotFound: no query is pending.
        """
        query = self.pending()
        if query is None:
            raise NotFound(tr("experiment {id} has no query that waits for labels", id=self.id))
        if ids is None:
            answered = self.answers_to(query)
            wanted = [item.sample_id for item in query.items if item.sample_id not in answered]
        else:
            offered = {item.sample_id for item in query.offered}
            wanted = [i for i in ids if i in offered]
        labels = oracle.answers(self.config, self.prepared, np.asarray(wanted, np.int64))
        labels = self.classes().given(labels)
        source = oracle.source_of(self.config)
        name = "truth" if source is LabelSource.ORACLE else source.value
        return self.tell(
            zip(wanted, np.where(labels == UNKNOWN, SKIP, labels).tolist(), strict=True),
            client=f"{name}-{query.round}",
            source=source,
            round=query.round,
            annotator=oracle.annotator_of(self.config),
            lease=lease,
        )


class TrainedView(Experiment):
    """An experiment as one round's training sees it; the same as the experiment while no class has changed.

    A network has an output for each class that is trained, and here classes are numbered as its outputs are:
    in the data set, and in the pool. `numbering` translates what is to be kept.
    """

    def __init__(self, experiment: Experiment, numbering: Classes) -> None:
        super().__init__(experiment.store, experiment.settings, experiment.record)
        self.numbering = numbering
        for name in ("prepared", "splits", "reserve"):
            self.__dict__[name] = getattr(experiment, name)
        self._dataset = numbering.as_trained(self.prepared) if numbering.last else self.prepared

    @property
    def dataset(self) -> Dataset:
        """The data set with the classes that are trained, and true labels among those."""
        return self._dataset

    def _counts_as(self, until: int | None) -> Callable[[Labels], Labels]:
        del until  # the numbering is the round's
        return self.numbering.outputs_of
