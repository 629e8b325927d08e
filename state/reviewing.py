"""What the Review page shows, read from the label log once for each revision of it; and reverting."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from al_core.class_effects import Effects
from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.guidelines import class_history
from al_core.records import ClassEvent, LabelEvent, LabelOp, LabelSource, LogEvent, Mark
from al_core.results.export import write_csv
from al_core.results.people import author
from al_core.results.review import Case, cases, reasks
from al_core.results.said import UNDOES
from al_core.types import EXCLUDE, SKIP, UNLABEL
from al_core.words import noted, tr
from state import handles, person

LONGEST: Final = 200
"""Cases of one kind that the page shows at once: the next ones come when these are decided."""
AT_ONCE: Final = 500
_WORDS: Final = {SKIP: noted("skipped"), EXCLUDE: noted("excluded"), UNLABEL: noted("no answer")}
_HOW: Final = {
    LabelSource.HUMAN: noted("labeled"),
    LabelSource.CORRECTION: noted("corrected"),
    LabelSource.ADJUDICATION: noted("decided"),
    LabelSource.ORACLE: noted("ground truth"),
    LabelSource.IMPORT: noted("imported"),
}
_DETAILS: Final = {
    "reask": noted("asked again, blind"),
    "undone": noted("took the decision back"),
    "blind": noted("without seeing guesses"),
    "revert": noted("went back to an earlier answer"),
    "lane": noted("in a lane"),
    "bulk": noted("in bulk"),
    "checked": noted("checked before bulk"),
}
_KINDS: Final = {
    None: noted("answer"),
    Mark.OPINION: noted("second opinion"),
    Mark.FLAG: noted("flag"),
    Mark.UNSURE: noted("unsure"),
    Mark.NOTE: noted("note"),
    Mark.ASK: noted("asked for"),
    Mark.TAG: noted("tag"),
}
CLASSES: Final = "class"
"""In place of a kind of event: changes of the classes alone."""
Entry = LogEvent | ClassEvent


@lru_cache(maxsize=4)
def _log(experiment_id: str, rev: int) -> tuple[LogEvent, ...]:
    store = handles.store()
    effects = Effects.of(store.class_events(experiment_id, until=rev))
    return tuple(effects.said(event) for event in store.log(experiment_id))


def log(experiment_id: str) -> tuple[LogEvent, ...]:
    """The whole label log, newest first, as of now and as its classes count; `entries` has what was said."""
    return _log(experiment_id, handles.store().label_rev(experiment_id))


@lru_cache(maxsize=4)
def _cases(experiment_id: str, rev: int) -> tuple[Case, ...]:
    store = handles.store()
    effects = Effects.of(store.class_events(experiment_id, until=rev))
    queries = [effects.guessed(query) for query in store.queries(experiment_id)]
    return tuple(cases(_log(experiment_id, rev), queries, effects.retired))


def queue(experiment: Experiment, me: str) -> list[Case]:
    """Every open case, and the blind questions to `me` at the end."""
    rev = handles.store().label_rev(experiment.id)
    count, retired = len(experiment.prepared.train), experiment.classes().effects.retired
    blind = reasks(_log(experiment.id, rev), me, experiment.config.seed, count, retired)
    known = _cases(experiment.id, rev)
    # A case shows what was said, so an image is never both.
    shown = {case.sample_id for case in known}
    return [*known, *(case for case in blind if case.sample_id not in shown)]


def people(experiment_id: str) -> list[str]:
    """Who has answered something here, by name."""
    return sorted({author(event) for event in log(experiment_id) if event.source.value in _BY_PEOPLE})


_BY_PEOPLE: Final = {"human", "correction", "adjudication"}


@dataclass(frozen=True)
class Line:
    """One event of the log in words."""

    event: LogEvent
    who: str
    said: str
    kind: str
    how: str


def line(event: LogEvent, classes: Sequence[str], say: Callable[[str], str] = tr) -> Line:
    """An event as people read it. `say` looks our own words up; files keep the English."""
    detail = event.detail or {}
    way = str(detail.get("how", ""))
    how = say(_DETAILS.get(way, way) or _HOW.get(event.source, event.source.value))
    if undone := detail.get(UNDOES):
        how = say(noted("undone by {who}")).format(who=undone["by"] or say(noted("me")))
    if event.mark in (None, Mark.OPINION):
        said = classes[event.value] if 0 <= event.value < len(classes) else say(_WORDS.get(event.value, "?"))
    elif event.mark is Mark.NOTE and event.value:
        said = str(detail.get("text", ""))
    elif event.mark is Mark.TAG:
        said = f"{detail.get('text', '')}" + ("" if event.value else " " + say(noted("(taken back)")))
    else:
        said = say(noted("set") if event.value else noted("taken back"))
    return Line(
        event, author(event) or say(noted("me")), said, say(_KINDS.get(event.mark, str(event.mark))), how
    )


HEADER: Final = (
    "event", "at", "who", "sample_id", "file", "kind", "said", "how", "round", "milliseconds", "client",
    "number",
)  # fmt: skip


def entries(
    experiment_id: str,
    *,
    annotator: str | None = None,
    kind: str | None = None,
    round: int | None = None,
    limit: int | None = None,
) -> list[Entry]:
    """The log's events that fit, newest first, changes of classes among them; `kind` as `log` has it."""
    store = handles.store()
    found: list[Entry] = []
    if kind != CLASSES:
        found += store.log(experiment_id, annotator=annotator, kind=kind, round=round, limit=limit)
    if kind in (None, CLASSES):
        found += [
            event for event in store.class_events(experiment_id)
            if annotator in (None, event.annotator) and round in (None, event.round)
        ]  # fmt: skip
    return sorted(found, key=lambda event: -event.id)[:limit]


def rows(experiment: Experiment, events: Sequence[Entry], say: Callable[[str], str] = str) -> list[list[Any]]:
    """Events as a table, HEADER's columns; `say` as `line` has it."""
    names, told = experiment.dataset, {}
    if any(isinstance(event, ClassEvent) for event in events):
        changes = class_history(experiment.prepared.classes, experiment.class_events())
        told = {event.id: words for event, words in changes}
    found = []
    for event in events:
        if isinstance(event, ClassEvent):
            who, words = event.annotator or say(noted("me")), told.get(event.id, event.change.act.value)
            about = [None, "", say(noted("class")), words, "", event.round, None, "", None]
        else:
            line_ = line(event, names.classes, say)
            who, file = line_.who, names.train.file_name(event.sample_id)
            about = [
                event.sample_id, file, line_.kind, line_.said, line_.how, event.round, event.milliseconds,
                event.client, event.n,
            ]  # fmt: skip
        found.append([event.id, f"{event.at:.3f}", who, *about])
    return found


def frame(experiment: Experiment, events: Sequence[Entry]) -> pd.DataFrame:
    """The same for the page."""
    table = pd.DataFrame(rows(experiment, events, tr), columns=list(HEADER))
    table["at"] = pd.to_datetime([event.at for event in events], unit="s")
    return table


def csv_of(experiment: Experiment, events: Sequence[Entry]) -> bytes:
    """The same as a file that no spreadsheet takes for formulas."""
    return write_csv(rows(experiment, events), HEADER).encode()


def revert(experiment: Experiment, event: LogEvent) -> None:
    """Give an image the answer that it had after this event: by an event of its own, nothing is removed.

    Raises:
        ALError: the event is no answer, or of a class that is retired; nothing was written.
    """
    if event.mark is not None:
        raise ALError(tr("only an answer can be gone back to"))
    classes = experiment.classes()
    value = classes.effects.canonical(event.value)
    if value >= 0:
        classes.check_open(value)
    now: LabelEvent | None = experiment.store.current_labels(experiment.id, of=[event.sample_id]).get(
        event.sample_id
    )
    if now is not None and now.value == value:
        return
    op = LabelOp(1, event.sample_id, value, detail={"how": "revert", "to": event.id})
    experiment.store.add_labels(
        experiment.id, [op], client=f"revert-{uuid.uuid4().hex[:12]}", source=LabelSource.CORRECTION,
        round=event.round, annotator=person.name(),
    )  # fmt: skip


def damage(experiment_id: str) -> list[str]:
    """What is wrong with the log's chain of hashes, in words; empty where nothing is."""
    return _damage(experiment_id, handles.store().label_rev(experiment_id))


@lru_cache(maxsize=8)
def _damage(experiment_id: str, rev: int) -> list[str]:
    del rev
    return handles.store().check_log(experiment_id)
