"""Pool: where every image of the train split stands. Folded from label events, never stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Int8

from al_core.errors import DataError
from al_core.records import LabelEvent, Query
from al_core.types import EXCLUDE, SKIP, UNKNOWN, UNLABEL, Labels, SampleIds
from al_core.words import noted, tr


class Status(IntEnum):
    """One status for each sample: the partition is disjoint and complete by construction.

    THINNED images were taken out of the pool before anything was drawn.
    RESERVED images wait to be asked at random, HELD_BACK ones were answered: they measure and never train.
    """

    UNLABELED = 0
    LABELED = 1
    QUERIED = 2
    SKIPPED = 3
    EXCLUDED = 4
    VALIDATION = 5
    RESERVED = 6
    HELD_BACK = 7
    THINNED = 8


@dataclass(frozen=True)
class Pool:
    """`status[i]` and `classes[i]` (UNKNOWN unless labeled) of sample id i."""

    status: Int8[np.ndarray, " N"]
    classes: Labels

    @classmethod
    def fold(
        cls,
        num_samples: int,
        events: Mapping[int, LabelEvent],
        validation_ids: SampleIds,
        pending: Query | None = None,
        reserve_ids: SampleIds | None = None,
        thinned_ids: SampleIds | None = None,
        counts_as: Callable[[Labels], Labels] = lambda classes: classes,
    ) -> Pool:
        """Apply the winning event of each sample; what `pending` offers and nobody answered is QUERIED.

        `reserve_ids` are kept for the hold-back: no candidates, and their labels train nothing. `counts_as`
        says what classes count as (`Classes.fold`); a label whose class is UNKNOWN by it was withdrawn.

        Raises:
            DataError: an event or query names a sample that the train split does not have, or one that is not
                in the pool.
        """
        ids = np.fromiter(events, np.int64, len(events))
        values = np.fromiter((event.value for event in events.values()), np.int64, len(events))
        return cls.of(num_samples, ids, values, validation_ids, pending, reserve_ids, thinned_ids, counts_as)

    @classmethod
    def of(
        cls,
        num_samples: int,
        ids: SampleIds,
        values: Labels,
        validation_ids: SampleIds,
        pending: Query | None = None,
        reserve_ids: SampleIds | None = None,
        thinned_ids: SampleIds | None = None,
        counts_as: Callable[[Labels], Labels] = lambda classes: classes,
    ) -> Pool:
        """The same from columns: `values[i]` is what stands on sample `ids[i]`, each sample at most once.

        Raises:
            DataError: as `fold`.
        """
        status = np.zeros(num_samples, np.int8)
        classes = np.full(num_samples, UNKNOWN, np.int64)
        reserved = np.zeros(num_samples, bool)
        if reserve_ids is not None:
            reserved[reserve_ids] = True
        status[reserved] = Status.RESERVED
        status[validation_ids] = Status.VALIDATION
        if thinned_ids is not None:
            status[thinned_ids] = Status.THINNED
        if pending is not None:
            offered = pending.offered
            asked = np.fromiter((item.sample_id for item in offered), np.int64, len(offered))
            _inside(asked, status, noted("the query"))
            status[asked] = Status.QUERIED
        if len(ids):
            _inside(ids, status, noted("a label"))
            counted = counts_as(values)
            values = np.where((values >= 0) & (counted == UNKNOWN), UNLABEL, counted)
            answered = ids[values >= 0]
            status[answered] = np.where(reserved[answered], Status.HELD_BACK, Status.LABELED)
            classes[ids[values >= 0]] = values[values >= 0]
            status[ids[values == SKIP]] = Status.SKIPPED
            status[ids[values == EXCLUDE]] = Status.EXCLUDED
            # UNLABEL leaves what is below it: queried while its query waits, unlabeled otherwise
            known = (values >= 0) | np.isin(values, (SKIP, EXCLUDE, UNLABEL))
            if not known.all():
                raise DataError(
                    tr("label event with the value {value} has no meaning", value=values[~known][0])
                )
        status.setflags(write=False)
        classes.setflags(write=False)
        return cls(status, classes)

    def ids(self, status: Status) -> SampleIds:
        """Sorted sample ids of one status."""
        return np.flatnonzero(self.status == status).astype(np.int64)

    @property
    def labeled_ids(self) -> SampleIds:
        """Sorted."""
        return self.ids(Status.LABELED)

    @property
    def labeled_classes(self) -> Labels:
        """Classes of `labeled_ids`, in their order."""
        return self.classes[self.labeled_ids]

    @property
    def held_back_ids(self) -> SampleIds:
        """Sorted: labeled, to measure by."""
        return self.ids(Status.HELD_BACK)

    @property
    def reserved_ids(self) -> SampleIds:
        """Sorted."""
        return self.ids(Status.RESERVED)

    @property
    def paid_ids(self) -> SampleIds:
        """Sorted: every label that was given, whether it trains or measures."""
        return np.union1d(self.labeled_ids, self.held_back_ids).astype(np.int64)

    @property
    def unlabeled_ids(self) -> SampleIds:
        """Sorted; what waits in a query is not among them."""
        return self.ids(Status.UNLABELED)

    @property
    def queried_ids(self) -> SampleIds:
        """Sorted."""
        return self.ids(Status.QUERIED)

    @property
    def skipped_ids(self) -> SampleIds:
        """Sorted."""
        return self.ids(Status.SKIPPED)

    @property
    def excluded_ids(self) -> SampleIds:
        """Sorted."""
        return self.ids(Status.EXCLUDED)

    @property
    def validation_ids(self) -> SampleIds:
        """Sorted."""
        return self.ids(Status.VALIDATION)

    def counts(self) -> dict[str, int]:
        """Number of samples of each status, by lower-case name."""
        numbers = np.bincount(self.status, minlength=len(Status))
        return {status.name.lower(): int(numbers[status]) for status in Status}


_HELD = {
    Status.VALIDATION: noted("{what} names sample {sample_id}, which is set aside for validation"),
    Status.THINNED: noted("{what} names sample {sample_id}, which is thinned out of the pool"),
}


def _inside(ids: SampleIds, status: Int8[np.ndarray, " N"], what: str) -> None:
    outside = ids[(ids < 0) | (ids >= len(status))]
    if len(outside):
        raise DataError(
            tr(
                "{what} names sample {sample_id}, but the train split has {n} images",
                what=tr(what),
                sample_id=outside[0],
                n=len(status),
            )
        )
    held = ids[np.isin(status[ids], (Status.VALIDATION, Status.THINNED))]
    if len(held):
        raise DataError(tr(_HELD[Status(int(status[held[0]]))], what=tr(what), sample_id=held[0]))
