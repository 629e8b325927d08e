"""What deserves a second look: disagreements, flags, doubts, and one's own labels asked again.

A case is open until somebody decides on it: an adjudication that came after what raised it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from al_core.records import LabelSource, LogEvent, Mark, Query
from al_core.results.people import UNDONE, author, is_reask, last_words
from al_core.results.said import without_undone
from al_core.seeds import generator
from al_core.types import UNLABEL

SURE: Final = 0.8
"""From this probability on, a guess that the label contradicts is worth a look."""
ASKED_AGAIN: Final = 0.1
LEAST_ASKED: Final = 5


class Why(StrEnum):
    """Why an image is looked at again, the most pressing first."""

    PEOPLE = "people"  # two people say different classes
    SELF = "self"  # one person said another class when asked again
    FLAG = "flag"
    UNSURE = "unsure"
    MODEL = "model"  # the model was sure of another class when it asked
    REASK = "reask"  # a random label of one's own, blind


@dataclass(frozen=True)
class Case:
    """One image to look at again. `words` are what people said, the first first; empty where it is blind."""

    sample_id: int
    why: Why
    round: int  # the query that it belongs to
    label: int | None  # the winning one; None where it must not be seen, or there is none
    words: tuple[tuple[str, int], ...] = ()
    guess: tuple[int, float] | None = None
    note: str = ""
    marks: tuple[Mark, ...] = ()
    suggestion: int | None = None  # a class to fix it to


def cases(log: Sequence[LogEvent], queries: Iterable[Query], retired: Collection[int] = ()) -> list[Case]:
    """Every open case but the blind questions, one an image, the most pressing kind first.

    Log and guesses are as their classes count; `retired` classes are not suggested.
    """
    events = sorted(without_undone(log), key=lambda e: e.id)
    current = {e.sample_id: e for e in events if e.mark is None}
    decided = _decided(events)
    marks = _standing(events)
    guesses = {item.sample_id: item.guesses[0] for q in queries for item in q.items if item.guesses}
    said = last_words(events)
    twice = _reasked(events)
    found = []
    for i, label in sorted(current.items()):
        if label.value == UNLABEL and i not in marks:
            continue
        words = said.get(i, {})
        raised: dict[Why, int] = {}
        if len({event.value for event in words.values()}) > 1:
            raised[Why.PEOPLE] = max(event.id for event in words.values())
        again, before = twice.get(i, (None, None))
        if again is not None and before not in (None, UNLABEL, again.value):
            raised[Why.SELF] = again.id
        for why, mark in ((Why.FLAG, Mark.FLAG), (Why.UNSURE, Mark.UNSURE)):
            if mark in marks.get(i, {}):
                raised[why] = marks[i][mark].id
        guess = guesses.get(i)
        doubts = guess is not None and guess[1] >= SURE and guess[0] not in (label.value, *retired)
        if doubts and label.value >= 0:
            raised[Why.MODEL] = label.id
        open_ = [why for why in Why if raised.get(why, 0) > decided.get(i, 0)]
        if open_:
            found.append(_case(i, open_[0], label, words, again, guess, marks.get(i, {}), retired))
    order = list(Why)
    return sorted(found, key=lambda case: (order.index(case.why), case.sample_id))


def reasks(
    log: Sequence[LogEvent], me: str, seed: int, num_samples: int, retired: Collection[int] = ()
) -> list[Case]:
    """A random tenth of the labels that `me` gave (five at least), less those that were asked again already.

    Which, depends on seed and sample id alone. Labels of the newest query are left out: they are remembered.
    Those of `retired` classes are, too: the answer could not be given.
    """
    events = sorted(without_undone(log), key=lambda e: e.id)
    current = {e.sample_id: e for e in events if e.mark is None}
    newest = max((e.round for e in events), default=0)
    mine = [
        i for i, e in current.items()
        if e.value >= 0 and e.value not in retired and author(e) == me and e.round < newest
        and e.source is LabelSource.HUMAN
    ]  # fmt: skip
    asked = {e.sample_id for e in events if is_reask(e) and author(e) == me and e.value != UNLABEL}
    luck = generator(seed, "reask").random(num_samples)
    wanted = max(LEAST_ASKED, math.ceil(ASKED_AGAIN * len(mine)))
    chosen = sorted(mine, key=lambda i: luck[i])[:wanted]
    return [Case(i, Why.REASK, current[i].round, None) for i in chosen if i not in asked]


def _case(
    sample_id: int,
    why: Why,
    label: LogEvent,
    words: Mapping[str, LogEvent],
    again: LogEvent | None,
    guess: tuple[int, float] | None,
    marks: Mapping[Mark, LogEvent],
    retired: Collection[int],
) -> Case:
    said = [(author(e), e.value) for e in sorted(words.values(), key=lambda e: e.id)]
    if why is Why.SELF and again is not None:
        said.append((author(again), again.value))
    others = [value for _, value in said if value != label.value and value not in retired]
    suggestion = max(set(others), key=others.count) if others else None
    if suggestion is None and guess is not None and guess[0] not in (label.value, *retired):
        suggestion = guess[0]
    note = str((marks[Mark.NOTE].detail or {}).get("text", "")) if Mark.NOTE in marks else ""
    value = None if label.value == UNLABEL else label.value
    standing = tuple(mark for mark in (Mark.FLAG, Mark.UNSURE) if mark in marks)
    return Case(sample_id, why, label.round, value, tuple(said), guess, note, standing, suggestion)


def _decided(events: Iterable[LogEvent]) -> dict[int, int]:
    """The event that last settled each image."""
    found: dict[int, int] = {}
    for event in events:
        if event.mark is None and event.source is LabelSource.ADJUDICATION:
            if (event.detail or {}).get("how") == UNDONE:
                found.pop(event.sample_id, None)
            else:
                found[event.sample_id] = event.id
    return found


def _standing(events: Iterable[LogEvent]) -> dict[int, dict[Mark, LogEvent]]:
    found: dict[int, dict[Mark, LogEvent]] = {}
    for event in events:
        if event.mark is not None and event.mark is not Mark.OPINION:
            marks = found.setdefault(event.sample_id, {})
            if event.value:
                marks[event.mark] = event
            else:
                marks.pop(event.mark, None)
    return {i: marks for i, marks in found.items() if marks}


def _reasked(events: Iterable[LogEvent]) -> dict[int, tuple[LogEvent, int | None]]:
    """The last blind answer to each image, and what the same person had said of it before."""
    said: dict[tuple[str, int], int] = {}
    found: dict[int, tuple[LogEvent, int | None]] = {}
    for event in events:
        if event.mark is None:
            said[author(event), event.sample_id] = event.value
        elif is_reask(event) and event.value == UNLABEL:
            found.pop(event.sample_id, None)
        elif is_reask(event):
            found[event.sample_id] = event, said.get((author(event), event.sample_id))
    return found
