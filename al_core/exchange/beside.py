"""What people said of images beside their label: tags, what they asked for by hand, and further answers.

Read off the log for an export, held against it by an import, and taken back with it. A further answer is a
person's last word on an image that is not the label that stands: an opinion, or a label that another one has
replaced. An import keeps all of them as opinions, in the name of who said it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from al_core.by_hand import MAX_TAG, standing, tags_of
from al_core.class_effects import Effects
from al_core.exchange.content import Refused, Row, Word
from al_core.experiment import Experiment
from al_core.pool import Status
from al_core.records import PEOPLE, REASK, ExperimentStatus, LabelOp, LabelSource, LogEvent, Mark
from al_core.results.said import as_said, author, is_reask, undoing, without_undone
from al_core.types import EXCLUDE, INITIAL_ROUND, SKIP, UNLABEL
from al_core.words import kept, noted

ANSWERS: Final = {SKIP: noted("skipped"), EXCLUDE: noted("excluded")}
ASIDE: Final = {
    Status.VALIDATION: noted("it is set aside for validation"),
    Status.THINNED: noted("it was thinned out of the pool"),
    Status.RESERVED: noted("it is kept for the hold-back, and what is chosen by hand would bias that"),
    Status.HELD_BACK: noted("it measures (hold-back), and no file changes that"),
}
"""Why a file cannot say anything of an image that stands so."""
Read = Callable[[str], "int | str"]
"""A class's id by the name that a file gives it, or why there is none."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """A person's answer beside the label; `again`: to a blind question about a label of their own."""

    by: str
    value: int
    again: bool = False


@dataclass(frozen=True)
class Beside:
    """What stands, by sample id: tags in their order, (round, place in its query) of asks, opinions."""

    tags: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    asked: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    opinions: Mapping[int, tuple[Opinion, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, experiment: Experiment, until: int) -> Beside:
        """As it was after the label event `until`, classes as they counted then."""
        marks = experiment.store.mark_events(experiment.id, until=until)
        asked: dict[int, list[tuple[int, int]]] = {}
        for number, ids in sorted(standing(marks).items()):
            for place, i in enumerate(ids):
                asked.setdefault(i, []).append((number, place))
        log = [event for event in experiment.store.log(experiment.id) if event.id <= until]
        opinions = _opinions(log, experiment.classes(until=until).effects)
        return cls(tags_of(marks), {i: tuple(places) for i, places in asked.items()}, opinions)

    @cached_property
    def ids(self) -> list[int]:
        """Images of which anything of it is said, sorted."""
        return sorted(self.tags.keys() | self.asked.keys() | self.opinions.keys())

    def columns(self, i: int, classes: Sequence[str]) -> dict[str, list[Any]]:
        """What an export says of an image; only what there is."""
        found: dict[str, list[Any]] = {
            "tags": list(self.tags.get(i, ())),
            "asked_for": [list(place) for place in self.asked.get(i, ())],
            "opinions": [_told(opinion, classes) for opinion in self.opinions.get(i, ())],
        }
        return {name: values for name, values in found.items() if values}

    def state(self, i: int, classes: Sequence[str]) -> dict[str, list[Any]]:
        """The same as an identity: in an order that does not tell which was said first."""
        found = self.columns(i, classes)
        return {name: sorted(values, key=repr) for name, values in found.items()}


def _told(opinion: Opinion, classes: Sequence[str]) -> dict[str, Any]:
    said: dict[str, Any] = {"by": opinion.by}
    if opinion.value >= 0:
        said["label"] = classes[opinion.value]
    else:
        said["answer"] = ANSWERS[opinion.value]
    return said | ({"again": True} if opinion.again else {})


def _opinions(log: Iterable[LogEvent], effects: Effects) -> dict[int, tuple[Opinion, ...]]:
    last: dict[tuple[int, str, bool], LogEvent] = {}
    winner: dict[int, int] = {}
    for event in sorted(without_undone(log), key=lambda event: event.id):
        if event.mark is None:
            winner[event.sample_id] = event.id
        elif event.mark is not Mark.OPINION:
            continue
        event = as_said(event)
        if event.source in PEOPLE and event.source is not LabelSource.ADJUDICATION:
            last[event.sample_id, author(event), is_reask(event)] = event
    found: dict[int, list[Opinion]] = {}
    for (i, who, again), event in sorted(last.items()):
        value = effects.value(event.value)
        if value != UNLABEL and not (event.mark is None and event.id == winner[i]):
            found.setdefault(i, []).append(Opinion(who, value, again))
    return {i: tuple(opinions) for i, opinions in found.items()}


# -- an import --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that an import would say of an image beside its label."""

    kind: str  # tag | asked | opinion
    sample_id: int
    text: str = ""  # of a tag
    round: int = INITIAL_ROUND  # of an ask
    order: int = 0  # of an ask: its place in the file's query
    opinion: Opinion | None = None
    was: str = ""
    place: str = ""  # in the file
    format: str = ""

    def becomes(self, classes: Sequence[str]) -> str:
        """In words."""
        if self.opinion is not None:
            who, said = self.opinion.by or noted("somebody"), word(self.opinion.value, classes)
            return (
                kept("{who}: {said}, asked again", who=who, said=said)
                if self.opinion.again
                else (f"{who}: {said}")
            )
        if self.kind == "asked":
            return noted("initial set") if self.round < 0 else kept("after round {n}", n=self.round)
        return self.text


def word(value: int, classes: Sequence[str]) -> str:
    """An answer in a word."""
    return classes[value] if value >= 0 else ANSWERS.get(value, "")


@dataclass(frozen=True)
class Reader:
    """Holds rows against what stands beside labels. `read` gives class ids by name."""

    experiment: Experiment
    there: Beside
    status: Any  # (N,) Status
    classes: Sequence[str]
    read: Read
    replace: bool
    format: str
    unknown: Counter[str]

    def differences(self, rows: Mapping[int, Row], refused: list[Refused]) -> list[Difference]:
        """What the rows would add or change; what cannot be, is refused by itself, and the rest is taken."""
        found: list[Difference] = []
        for sample_id, row in sorted(rows.items()):
            for item in (
                *self._tags(sample_id, row),
                *self._asks(sample_id, row),
                *self._said(sample_id, row),
            ):
                (refused if isinstance(item, Refused) else found).append(item)  # pyright: ignore[reportArgumentType]
        return found

    def _tags(self, i: int, row: Row) -> Iterator[Difference | Refused]:
        for text in row.tags:
            name = " ".join(text.split())
            if not 0 < len(name) <= MAX_TAG:
                yield _refused(
                    row, i, kept("the tag {text!r} has not 1 to {most} letters", text=text[:60], most=MAX_TAG)
                )
            elif name not in self.there.tags.get(i, ()):
                yield Difference("tag", i, text=name, place=row.place, format=self.format)

    @cached_property
    def _reached(self) -> int:
        """The last round for which something can be asked for by hand: the one that waits, or comes."""
        rounds = len(self.experiment.store.rounds(self.experiment.id))
        training = self.experiment.record.status is ExperimentStatus.TRAINING
        return rounds if training else rounds - 1

    def _asks(self, i: int, row: Row) -> Iterator[Difference | Refused]:
        there = {number for number, _ in self.there.asked.get(i, ())}
        for number, place in row.asked:
            if number in there:
                continue
            if number > self._reached:
                if self._reached < 0:
                    reason = kept(
                        "it was asked for by hand after round {number}; this session has reached its "
                        "initial set",
                        number=number,
                    )
                else:
                    reason = kept(
                        "it was asked for by hand after round {number}; this session has reached the query "
                        "after round {n}",
                        number=number,
                        n=self._reached,
                    )
                yield _refused(row, i, reason)
            elif (reason := ASIDE.get(Status(int(self.status[i])))) is not None:
                yield _refused(
                    row, i, kept("it was asked for by hand, which it cannot be here: {reason}", reason=reason)
                )
            else:
                yield Difference("asked", i, round=number, order=place, place=row.place, format=self.format)

    def _said(self, i: int, row: Row) -> Iterator[Difference | Refused]:
        there = {(opinion.by, opinion.again): opinion.value for opinion in self.there.opinions.get(i, ())}
        for said in row.opinions:
            value = self._value(said)
            who = said.by or noted("somebody")
            if isinstance(value, str):
                self.unknown[str(said.label)] += 1
                yield _refused(row, i, kept("the opinion of {who!r}: {value}", who=who[:60], value=value))
                continue
            was = there.get((said.by, said.again), UNLABEL)
            if was == value or (was != UNLABEL and not self.replace):
                continue
            opinion = Opinion(said.by, value, said.again)
            yield Difference(
                "opinion", i, opinion=opinion, was=word(was, self.classes), place=row.place,
                format=self.format,
            )  # fmt: skip

    def _value(self, said: Word) -> int | str:
        if said.answer == "class":
            return self.read(said.label or "")
        return SKIP if said.answer == "skip" else EXCLUDE


def _refused(row: Row, sample_id: int, reason: str) -> Refused:
    return Refused(
        row.place, (row.file if row.file is not None else kept("sample {n}", n=sample_id))[:200], reason
    )


def ops_of(found: Iterable[Difference], first: int, own: Mapping[int, int]) -> list[LabelOp]:
    """The events that say it, numbered from `first` on. `own`: class ids in place of provisional ones."""
    ops: list[LabelOp] = []
    # what was asked for stands in its query in the order of its events
    for item in sorted(found, key=lambda d: (d.kind, d.round, d.order) if d.kind == "asked" else ("", 0, 0)):
        n = first + len(ops)
        if item.opinion is not None:
            origin = {"from": item.format, "at": item.place, "by": item.opinion.by, "source": "human"}
            detail: dict[str, Any] = {"import": origin} | ({"how": REASK} if item.opinion.again else {})
            value = own.get(item.opinion.value, item.opinion.value)
            op = LabelOp(
                n, item.sample_id, value, mark=Mark.OPINION, detail=detail, annotator=item.opinion.by
            )
        elif item.kind == "asked":
            op = LabelOp(n, item.sample_id, 1, mark=Mark.ASK, round=item.round)
        else:
            op = LabelOp(n, item.sample_id, 1, mark=Mark.TAG, detail={"text": item.text})
        ops.append(op)
    return ops


def taken_back(experiment: Experiment, client: str, by: str) -> Iterator[LabelOp]:
    """What takes an import's tags, asks and opinions back where they still stand; numbered by the caller."""
    last: dict[tuple[Any, ...], list[LogEvent]] = {}
    for event in reversed(without_undone(experiment.store.log(experiment.id))):
        detail = event.detail or {}
        if event.mark is Mark.TAG:
            key: tuple[Any, ...] = (event.mark, event.sample_id, detail.get("text"))
        elif event.mark is Mark.ASK:
            key = (event.mark, event.sample_id, event.round)
        elif event.mark is Mark.OPINION:
            key = (event.mark, event.sample_id, event.annotator, is_reask(event))
        else:
            continue
        last.setdefault(key, []).append(event)
    for (mark, sample_id, *_), events in last.items():
        event = events[-1]
        if event.client != client:
            continue
        if mark is Mark.OPINION:
            was = events[-2] if len(events) > 1 else replace(event, value=UNLABEL)
            detail = {**(was.detail or {}), **undoing(event, by)}
            yield LabelOp(
                0, sample_id, was.value, mark=mark, detail=detail, annotator=was.annotator, source=was.source
            )
        elif mark is Mark.ASK:
            yield LabelOp(0, sample_id, 0, mark=mark, round=event.round)
        else:
            yield LabelOp(0, sample_id, 0, mark=mark, detail=event.detail)
