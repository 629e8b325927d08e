"""What became of labels when classes were merged or retired: the class that each counts as now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from al_core.records import ClassAct, ClassEvent, LogEvent, Mark, Query
from al_core.types import UNLABEL, Labels


@dataclass(frozen=True)
class Effects:
    """What changes of classes do to labels: `into` as it was said, one step each."""

    into: Mapping[int, int]
    retired: frozenset[int]
    dropped: frozenset[int]  # retired, and their labels are asked again

    @classmethod
    def of(cls, events: Iterable[ClassEvent]) -> Effects:
        """Fold changes, oldest first."""
        into: dict[int, int] = {}
        retired: dict[int, str] = {}
        for event in events:
            change = event.change
            if change.act is ClassAct.MERGE and change.into is not None:
                into[change.class_id] = change.into
            elif change.act is ClassAct.SPLIT:
                into.pop(change.class_id, None)
            elif change.act is ClassAct.RETIRE:
                retired[change.class_id] = change.labels
            elif change.act is ClassAct.RESTORE:
                retired.pop(change.class_id, None)
        dropped = frozenset(i for i, labels in retired.items() if labels == "ask")
        return cls(into, frozenset(retired), dropped)

    def __bool__(self) -> bool:
        return bool(self.into or self.retired)

    def canonical(self, class_id: int) -> int:
        """The class that this one counts as."""
        while class_id in self.into:
            class_id = self.into[class_id]
        return class_id

    def value(self, value: int) -> int:
        """A label's value with what it counts as now; UNLABEL where the class was dropped."""
        if value < 0 or not self:
            return value
        value = self.canonical(value)
        return UNLABEL if value in self.dropped else value

    def said(self, event: LogEvent) -> LogEvent:
        """An answer or an opinion with the class that it counts as; marks as they are."""
        if event.mark not in (None, Mark.OPINION):
            return event
        value = self.value(event.value)
        return event if value == event.value else replace(event, value=value)

    def guessed(self, query: Query) -> Query:
        """A query whose guesses name the classes that they count as: first guesses stay first."""
        if not self.into:
            return query
        items, ahead = (
            tuple(replace(item, guesses=self._counted(item.guesses)) for item in part)
            for part in (query.items, query.ahead)
        )
        return replace(query, items=items, ahead=ahead)

    def _counted(self, guesses: Iterable[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
        return tuple((self.canonical(class_id), probability) for class_id, probability in guesses)

    def values(self, values: Labels) -> Labels:
        """The same of many values."""
        said, places = np.unique(values, return_inverse=True)
        return np.array([self.value(int(v)) for v in said], values.dtype)[places]


NO_EFFECTS: Final = Effects({}, frozenset(), frozenset())
