"""Pool: where every image of the train split stands. Folded from label events, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Int8

from al_core.errors import DataError
from al_core.records import LabelEvent, Query
from al_core.types import EXCLUDE, SKIP, UNKNOWN, UNLABEL, Labels, SampleIds


class Status(IntEnum):
    """One status for each sample: the partition is disjoint and complete by construction."""

    UNLABELED = 0
    LABELED = 1
    QUERIED = 2
    SKIPPED = 3
    EXCLUDED = 4
    VALIDATION = 5


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
    ) -> Pool:
        """Apply the winning event of each sample; what `pending` asked and nobody answered is QUERIED.

        Raises:
            DataError: an event or query names a sample that the train split does not have, or one that was
                set aside for validation.
        """
        status = np.zeros(num_samples, np.int8)
        classes = np.full(num_samples, UNKNOWN, np.int64)
        status[validation_ids] = Status.VALIDATION
        if pending is not None:
            asked = np.fromiter((item.sample_id for item in pending.items), np.int64, len(pending.items))
            _inside(asked, status, "the query")
            status[asked] = Status.QUERIED
        if events:
            ids = np.fromiter(events, np.int64, len(events))
            values = np.fromiter((event.value for event in events.values()), np.int64, len(events))
            _inside(ids, status, "a label")
            status[ids[values >= 0]] = Status.LABELED
            classes[ids[values >= 0]] = values[values >= 0]
            status[ids[values == SKIP]] = Status.SKIPPED
            status[ids[values == EXCLUDE]] = Status.EXCLUDED
            # UNLABEL leaves what is below it: queried while its query waits, unlabeled otherwise
            known = (values >= 0) | np.isin(values, (SKIP, EXCLUDE, UNLABEL))
            if not known.all():
                raise DataError(f"label event with the value {values[~known][0]} has no meaning")
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


def _inside(ids: SampleIds, status: Int8[np.ndarray, " N"], what: str) -> None:
    outside = ids[(ids < 0) | (ids >= len(status))]
    if len(outside):
        raise DataError(f"{what} names sample {outside[0]}, but the train split has {len(status)} images")
    held = ids[status[ids] == Status.VALIDATION]
    if len(held):
        raise DataError(f"{what} names sample {held[0]}, which is set aside for validation")
