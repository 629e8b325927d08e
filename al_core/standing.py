"""What stands on each image, as columns: who said what, when, and the marks.

A million images with a thousand labels are a thousand rows; one more label changes one row. So pages that
look at all of a pool fold what is new in the log, and never read it twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32, Int64, UInt8

from al_core.class_effects import Effects
from al_core.records import STANDING_MARKS, LabelEvent, LabelSource, Mark, MarkEvent
from al_core.types import EXCLUDE, SKIP, UNLABEL, SampleIds

SOURCES: Final = tuple(LabelSource)
_WORDS: Final = {SKIP: "skipped", EXCLUDE: "excluded"}


def _none(kind: type) -> Callable[[], np.ndarray]:
    return lambda: np.empty(0, kind)


@dataclass(frozen=True)
class Standing:
    """Row i is what stands on sample `ids[i]` after the label event `rev`; ids are sorted.

    `values` holds class ids, SKIP, EXCLUDE or UNLABEL (withdrawn); `sources[i]` is a place in SOURCES,
    `annotators[i]` one in `names`.
    """

    rev: int = 0
    ids: SampleIds = field(default_factory=_none(np.int64))
    values: Int64[np.ndarray, " m"] = field(default_factory=_none(np.int64))
    sources: UInt8[np.ndarray, " m"] = field(default_factory=_none(np.uint8))
    annotators: Int32[np.ndarray, " m"] = field(default_factory=_none(np.int32))
    rounds: Int32[np.ndarray, " m"] = field(default_factory=_none(np.int32))
    times: Float64[np.ndarray, " m"] = field(default_factory=_none(np.float64))
    names: tuple[str, ...] = ()
    marks: Mapping[Mark, SampleIds] = field(default_factory=dict)  # sorted ids of each kind
    notes: Mapping[int, str] = field(default_factory=dict)

    def advance(self, events: Sequence[LabelEvent], rev: int) -> Standing:
        """With the events that came since; marks are `with_marks`'s."""
        if not events:
            return replace(self, rev=rev)
        last = {event.sample_id: event for event in events}
        fresh = [last[i] for i in sorted(last)]
        names = list(self.names)
        places = {name: place for place, name in enumerate(names)}
        for event in fresh:
            if event.annotator not in places:
                places[event.annotator] = len(names)
                names.append(event.annotator)
        new = {
            "ids": [e.sample_id for e in fresh],
            "values": [e.value for e in fresh],
            "sources": [SOURCES.index(e.source) for e in fresh],
            "annotators": [places[e.annotator] for e in fresh],
            "rounds": [e.round for e in fresh],
            "times": [e.at for e in fresh],
        }
        kept = ~np.isin(self.ids, new["ids"])
        order = np.argsort(np.concatenate([self.ids[kept], new["ids"]]).astype(np.int64), kind="stable")
        columns = {
            name: np.concatenate([getattr(self, name)[kept], np.asarray(values, getattr(self, name).dtype)])[
                order
            ]
            for name, values in new.items()
        }
        return replace(self, rev=rev, names=tuple(names), **columns)

    def with_marks(self, events: Iterable[MarkEvent]) -> Standing:
        """With the marks that all these events leave standing."""
        standing: dict[Mark, dict[int, MarkEvent]] = {mark: {} for mark in STANDING_MARKS}
        for event in events:
            if event.mark not in STANDING_MARKS:
                continue
            if event.on and (event.text or event.mark is not Mark.NOTE):
                standing[event.mark][event.sample_id] = event
            else:
                standing[event.mark].pop(event.sample_id, None)
        marks = {mark: np.array(sorted(on), np.int64) for mark, on in standing.items() if on}
        notes = {i: event.text for on in standing.values() for i, event in on.items() if event.text}
        return replace(self, marks=marks, notes=notes)

    def counted(self, effects: Effects) -> Standing:
        """With labels as their classes count: what was merged as the other, what was dropped as withdrawn."""
        return replace(self, values=effects.values(self.values)) if effects else self

    def row(self, sample_id: int) -> int | None:
        """The row of an image, or None."""
        place = int(np.searchsorted(self.ids, sample_id))
        return place if place < len(self.ids) and self.ids[place] == sample_id else None

    def marks_on(self, sample_id: int) -> list[Mark]:
        """The marks of one image, in the order of their kinds."""
        return [mark for mark, ids in self.marks.items() if sample_id in ids]

    @property
    def answered(self) -> np.ndarray:
        """Mask of rows on which an answer stands."""
        return self.values != UNLABEL

    @property
    def touched(self) -> SampleIds:
        """Sorted ids of images with an answer or a mark."""
        return np.unique(np.concatenate([self.ids[self.answered], *self.marks.values()])).astype(np.int64)

    def hash(self, classes: Sequence[str], beside: Mapping[int, Mapping[str, object]] | None = None) -> str:
        """Identity of what is said of the images: answers, marks and notes, not by whom or when.

        `beside` is what is said of images beyond that (al_core.exchange.beside), whoever it is said by.
        """
        digest, more = hashlib.sha256(), beside or {}
        for i in sorted({*self.touched.tolist(), *more}):
            place = self.row(i)
            value = UNLABEL if place is None else int(self.values[place])
            answer = [classes[value]] if value >= 0 else _WORDS.get(value)
            marks = sorted(mark.value for mark in self.marks_on(i))
            said = [i, answer, marks, self.notes.get(i, ""), *([more[i]] if more.get(i) else [])]
            digest.update(json.dumps(said).encode())
        return digest.hexdigest()
