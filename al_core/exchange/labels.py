"""Labels into an existing session: first a plan that says what would change, then one commit, then an undo.

The plan names every row that is refused, and writes nothing. An import is one client of the label log, so
that what it wrote can be told from everything else, and taken back where nobody has changed it since.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from al_core.errors import DataError, NotFound, Overtaken
from al_core.exchange.beside import ASIDE, Beside, Difference, Reader, ops_of, taken_back, word
from al_core.exchange.content import Content, Refused, Row
from al_core.exchange.matching import Names
from al_core.exchange.naming import Naming
from al_core.experiment import Experiment
from al_core.pool import Status
from al_core.records import STANDING_MARKS, ClassAct, LabelOp, LabelSource, Mark
from al_core.standing import Standing
from al_core.types import EXCLUDE, INITIAL_ROUND, SKIP, UNLABEL
from al_core.undoing import Undone, take_back
from al_core.words import kept, noted, tr

Existing = Literal["replace", "keep"]
CLIENT: Final = "import-"
UNDONE: Final = "undo-import-"
_VALUES: Final = {"skip": SKIP, "exclude": EXCLUDE}


@dataclass(frozen=True, slots=True)
class Change:
    """One image whose answer the import would set."""

    kind: Literal["added", "changed", "same", "kept"]
    sample_id: int
    was: str
    becomes: str
    place: str


@dataclass(frozen=True)
class Plan:
    """What an import would do. `rev` is the label revision that it was made at."""

    rev: int
    changes: list[Change]
    marks: list[tuple[int, Mark, str]]
    refused: list[Refused]
    values: dict[int, int]  # what would be set
    said: dict[int, dict[str, Any]] = field(default_factory=dict)  # where each of them comes from
    unknown: dict[str, int] = field(default_factory=dict)  # rows by names that are no class
    notes: tuple[str, ...] = ()
    beside: tuple[Difference, ...] = ()  # tags, what was asked for by hand, further answers
    new: dict[str, int] = field(default_factory=dict)  # classes to be made, and their ids until they are
    classes: tuple[str, ...] = ()  # names by id, the new ones at the end

    def count(self, kind: str) -> int:
        """How many changes are of that kind: added, changed, same, kept; tag, asked, opinion."""
        return sum(each.kind == kind for each in (*self.changes, *self.beside))

    @property
    def empty(self) -> bool:
        """Whether nothing would be written."""
        return not self.values and not self.marks and not self.beside


def plan(
    experiment: Experiment,
    content: Content,
    *,
    existing: Existing = "replace",
    mapping: Mapping[str, str] | None = None,
    add: bool | Collection[str] = (),
) -> Plan:
    """Hold every row against the session. `mapping` renames the file's classes; `add` makes new ones of them.

    Raises:
        DataError: the session's images are not prepared yet.
    """
    dataset, rev = experiment.dataset, experiment.store.label_rev(experiment.id)
    classes = experiment.classes(until=rev)
    found = Standing().advance(experiment.store.label_events(experiment.id, until=rev), rev)
    found = found.with_marks(experiment.store.mark_events(experiment.id, until=rev))
    found = found.counted(classes.effects)
    status = experiment.pool().status
    names, naming = Names(dataset.train), Naming(classes, mapping, add)
    refused, unknown = list(content.refused), Counter[str]()
    taken: dict[int, tuple[Row, int | None]] = {}
    conflicting: set[int] = set()
    for row in content.rows:
        sample_id = names.find(row)
        if isinstance(sample_id, str):
            refused.append(_refused(row, sample_id))
            continue
        value = _value(row, naming)
        if isinstance(value, str):
            unknown[str(row.label)] += 1
            refused.append(_refused(row, value))
            continue
        if value is None and not row.marks and not row.beside:
            refused.append(_refused(row, noted("it says nothing of the image: no label and no mark")))
            continue
        reason = _aside(Status(int(status[sample_id])), row, value, found, sample_id, naming)
        if reason:
            refused.append(_refused(row, reason))
            continue
        _take(row, sample_id, value, taken, conflicting, refused)
    for sample_id in conflicting:
        del taken[sample_id]
    reader = Reader(
        experiment, Beside.of(experiment, rev), status, classes.names, naming.read, existing == "replace",
        content.format, unknown,
    )  # fmt: skip
    beside = reader.differences({i: row for i, (row, _) in taken.items()}, refused)
    made = _made(content, rev, taken, found, existing, refused, naming)
    return replace(
        made, beside=tuple(beside), unknown=dict(unknown), new=dict(naming.new), classes=naming.names
    )


def _refused(row: Row, reason: str) -> Refused:
    sample = "" if row.sample_id is None else kept("sample {n}", n=row.sample_id)
    what = sample if row.file is None else row.file
    return Refused(row.place, what[:200], reason)


def _value(row: Row, naming: Naming) -> int | str | None:
    """The event's value, None where the row has only marks, or the reason against it."""
    if row.answer in _VALUES:
        return _VALUES[row.answer]
    return None if row.label is None else naming.read(row.label)


def _aside(
    status: Status, row: Row, value: int | None, found: Standing, sample_id: int, naming: Naming
) -> str | None:
    """Why the image is not given this answer by a file; what a hold-back's export says goes back into it."""
    if value is None:
        return None
    place = found.row(sample_id)
    stands = place is not None and found.values[place] == naming.classes.effects.value(value)
    if status in ASIDE:
        into_holdback = row.held_back and status is Status.RESERVED
        if not into_holdback and not (status is Status.HELD_BACK and stands):
            return ASIDE[status]
    return None if stands or value < 0 else naming.closed(value)


def _take(
    row: Row,
    sample_id: int,
    value: int | None,
    taken: dict[int, tuple[Row, int | None]],
    conflicting: set[int],
    refused: list[Refused],
) -> None:
    first = taken.setdefault(sample_id, (row, value))
    if first[0] is row:
        return
    other, said = first
    if said == value:
        refused.append(_refused(row, kept("{place} says the same of this image", place=other.place)))
        return
    if sample_id not in conflicting:
        refused.append(_refused(other, kept("{place} says something else of this image", place=row.place)))
    conflicting.add(sample_id)
    refused.append(_refused(row, kept("{place} says something else of this image", place=other.place)))


def _made(
    content: Content,
    rev: int,
    taken: Mapping[int, tuple[Row, int | None]],
    found: Standing,
    existing: Existing,
    refused: list[Refused],
    naming: Naming,
) -> Plan:
    changes: list[Change] = []
    classes = naming.names
    values: dict[int, int] = {}
    said: dict[int, dict[str, Any]] = {}
    marks: list[tuple[int, Mark, str]] = []
    on = {mark: set(ids.tolist()) for mark, ids in found.marks.items()}
    for sample_id, (row, value) in sorted(taken.items()):
        origin = {"from": content.format, "at": row.place} | ({"by": row.annotator} if row.annotator else {})
        origin |= {"source": row.source} if row.source else {}
        for mark, text in row.marks.items():
            if sample_id not in on.get(mark, ()) or (text and text != found.notes.get(sample_id)):
                marks.append((sample_id, mark, text))
        if value is None:
            continue
        place = found.row(sample_id)
        was = UNLABEL if place is None else int(found.values[place])
        counted = naming.classes.effects.value(value)
        kind = "added" if was == UNLABEL else "same" if was == counted else "changed"
        if kind == "changed" and existing == "keep":
            kind = "kept"
        changes.append(Change(kind, sample_id, word(was, classes), word(value, classes), row.place))
        if kind in ("added", "changed"):
            values[sample_id] = value
            said[sample_id] = origin
    return Plan(rev, changes, marks, refused, values, said, notes=content.notes)


# -- writing and taking back ------------------------------------------------------------------------------


def apply(experiment: Experiment, made: Plan, *, token: str | None = None, annotator: str = "") -> str:
    """Write the plan as one commit; gives the import's token. The same token again writes nothing.

    New classes are made before it, each as a change of its own: an undo leaves them, to be retired by hand.

    Raises:
        Overtaken: the labels have changed since the plan was made; make it anew.
    """
    token = secrets.token_hex(6) if token is None else token
    client = f"{CLIENT}{token}"
    store = experiment.store
    if store.last_number(experiment.id, client):
        return token
    _require_current(experiment, made, ())
    who = annotator or LabelSource.IMPORT.value
    own = {number: experiment.class_named(name, annotator=who) for name, number in made.new.items()}
    ops = [
        LabelOp(n, sample_id, own.get(value, value), detail={"import": made.said.get(sample_id, {})})
        for n, (sample_id, value) in enumerate(made.values.items(), start=1)
    ]
    ops += [
        LabelOp(len(ops) + n, sample_id, 1, mark=mark, detail={"text": text} if text else None)
        for n, (sample_id, mark, text) in enumerate(made.marks, start=1)
    ]
    ops += ops_of(made.beside, len(ops) + 1, own)
    rev = _require_current(experiment, made, own.values())
    if ops:
        store.add_labels(
            experiment.id, ops, client=client, source=LabelSource.IMPORT, round=_round(experiment),
            annotator=who, expected_rev=rev,
        )  # fmt: skip
    return token


def _require_current(experiment: Experiment, made: Plan, own: Collection[int]) -> int:
    """The log's end, if nothing came after the plan but the classes that it makes.

    Raises:
        Overtaken: something did.
    """
    store = experiment.store
    rev = store.label_rev(experiment.id)
    if rev != made.rev:
        said = [event.id for event in store.log(experiment.id, limit=1)]
        said += [
            event.id
            for event in store.class_events(experiment.id)
            if event.change.class_id not in own or event.change.act not in (ClassAct.ADD, ClassAct.RESTORE)
        ]
        if max(said, default=0) > made.rev:
            raise Overtaken(tr("labels came in since this import was checked; check it again"))
    return rev


def _round(experiment: Experiment) -> int:
    last = experiment.last_query()
    return INITIAL_ROUND if last is None else last.round


@dataclass(frozen=True)
class Import:
    """One import of a session, as the log tells it."""

    token: str
    at: float
    num_labels: int
    num_marks: int
    undone: bool


def imports(experiment: Experiment) -> list[Import]:
    """The imports of a session, the newest first."""
    store = experiment.store
    clients = store.clients(experiment.id, CLIENT)
    if not clients:
        return []
    undone = set(store.clients(experiment.id, UNDONE))
    labels, marks, times = Counter[str](), Counter[str](), dict[str, float]()
    for event in store.label_events(experiment.id):
        if event.client.startswith(CLIENT):
            labels[event.client] += 1
            times[event.client] = event.at
    for event in (*store.mark_events(experiment.id), *store.opinions(experiment.id)):
        if event.client.startswith(CLIENT):
            marks[event.client] += 1
            times[event.client] = event.at
    found = [
        Import(c.removeprefix(CLIENT), times[c], labels[c], marks[c], f"undo-{c}" in undone)
        for c in clients
        if c in times
    ]
    return sorted(found, key=lambda item: -item.at)


def undo(experiment: Experiment, token: str, *, annotator: str = "") -> Undone:
    """Give each image of an import what it had before, where the import's word still stands.

    Raises:
        NotFound: there is no such import.
        DataError: it is undone already.
    """
    store, client = experiment.store, f"{CLIENT}{token}"
    if not store.last_number(experiment.id, client):
        raise NotFound(
            tr("session {experiment} has no import {token!r}", experiment=experiment.id, token=token)
        )
    if store.last_number(experiment.id, f"{UNDONE}{token}"):
        raise DataError(tr("the import {token!r} is undone already", token=token))
    return take_back(
        experiment, client, as_client=f"{UNDONE}{token}", annotator=annotator, source=LabelSource.IMPORT,
        beside=lambda: [*_marks_back(experiment, client), *taken_back(experiment, client, annotator)],
    )  # fmt: skip


def _marks_back(experiment: Experiment, client: str) -> Iterable[LabelOp]:
    """Marks of the import that still stand go; a note that it replaced comes back."""
    events = [e for e in experiment.store.mark_events(experiment.id) if e.mark in STANDING_MARKS]
    last = {(e.sample_id, e.mark): e for e in events}
    for key, event in last.items():
        if event.client != client:
            continue
        earlier = [e for e in events if (e.sample_id, e.mark) == key and e.id < event.id]
        back = earlier[-1] if earlier and earlier[-1].on else None
        detail = {"text": back.text} if back is not None and back.text else None
        yield LabelOp(0, event.sample_id, int(back is not None), mark=event.mark, detail=detail)
