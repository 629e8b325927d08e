"""What people say of a class while labelling: words, pinned examples, and the labels that show it best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from al_core.classes import MOST_PINS
from al_core.errors import ClassError
from al_core.records import ClassAct, ClassChange, ClassEvent, LabelEvent, Mark
from al_core.store.objects import Objects
from al_core.words import noted, tr, tr_n

if TYPE_CHECKING:
    from al_core.experiment import Experiment

MOST_TYPICAL: Final = 6


@dataclass(frozen=True)
class Pin:
    """An image of the train split that was pinned to a class: a "good" example, or a "borderline" one."""

    sample_id: int
    kind: str


@dataclass(frozen=True)
class Guideline:
    """What belongs to a class, in somebody's words, and the images that show it."""

    text: str = ""
    pins: tuple[Pin, ...] = ()  # the last one pinned first
    by: str = ""  # who wrote the words
    at: float | None = None


@dataclass(frozen=True)
class Typical:
    """Labeled images that show a class, the best first; `by_model`: a network said so."""

    ids: tuple[int, ...]
    by_model: bool


def guidelines(events: Iterable[ClassEvent]) -> dict[int, Guideline]:
    """By class id, of those of which something has been said."""
    words: dict[int, ClassEvent] = {}
    pins: dict[int, dict[int, str]] = {}
    for event in events:
        change = event.change
        if change.act is ClassAct.GUIDE:
            words[change.class_id] = event
        elif change.act in (ClassAct.PIN, ClassAct.UNPIN) and change.sample_id is not None:
            of_class = pins.setdefault(change.class_id, {})
            of_class.pop(change.sample_id, None)
            if change.act is ClassAct.PIN:
                of_class[change.sample_id] = change.text
    found = {}
    for class_id in sorted(words.keys() | pins.keys()):
        said = words.get(class_id)
        shown = tuple(Pin(i, kind) for i, kind in reversed(pins.get(class_id, {}).items()))
        text, by, at = ("", "", None) if said is None else (said.change.text, said.annotator, said.at)
        if text or shown:
            found[class_id] = Guideline(text, shown, by, at)
    return found


def check_pin(events: Iterable[ClassEvent], change: ClassChange) -> None:
    """Raises ClassError where a class has as many examples as it may have."""
    if change.act is not ClassAct.PIN:
        return
    pins = guidelines(events).get(change.class_id, Guideline()).pins
    if len(pins) >= MOST_PINS and change.sample_id not in [pin.sample_id for pin in pins]:
        raise ClassError(
            tr_n(
                "the class has {n} pinned example; {most} are the most. Take one out first",
                "the class has {n} pinned examples; {most} are the most. Take one out first",
                len(pins),
                most=MOST_PINS,
            )
        )


def class_history(names: Sequence[str], events: Iterable[ClassEvent]) -> list[tuple[ClassEvent, str]]:
    """What was done to classes in words, oldest first; each class by its name of that time.

    `names` are the data set's own.
    """
    then, found = list(names), []
    for event in events:
        if event.change.act is ClassAct.ADD:
            then.append(event.change.name)
        found.append((event, _words(event.change, then)))
        if event.change.act is ClassAct.RENAME:
            then[event.change.class_id] = event.change.name
    return found


_DONE: Final = {
    ClassAct.ADD: noted("added “{name}”"),
    ClassAct.RENAME: noted("renamed “{name}” to “{other}”"),
    ClassAct.MERGE: noted("merged “{name}” into “{into}”"),
    ClassAct.SPLIT: noted("split “{name}” back"),
    ClassAct.RETIRE: noted("retired “{name}”, labels kept"),
    ClassAct.RESTORE: noted("brought “{name}” back"),
    ClassAct.GUIDE: noted("wrote the guideline of “{name}”"),
    ClassAct.UNPIN: noted("took image {n} out of the examples of “{name}”"),
}
_PINNED: Final = {
    "good": noted("pinned image {n} to “{name}” as a good example"),
    "borderline": noted("pinned image {n} to “{name}” as a borderline example"),
}


def _words(change: ClassChange, names: Sequence[str]) -> str:
    name = names[change.class_id]
    values = {
        "name": name, "other": change.name, "n": change.sample_id,
        "into": "" if change.into is None else names[change.into],
    }  # fmt: skip
    if change.act is ClassAct.RETIRE and change.labels != "keep":
        return tr("retired “{name}”, its images to be asked again", **values)
    if change.act is ClassAct.PIN:
        return tr(_PINNED[change.text], **values)
    return tr(_DONE[change.act], **values)


def pins_of(found: Mapping[int, Guideline]) -> dict[int, dict[int, str]]:
    """By image: the classes that it is an example of, and of what kind."""
    pins: dict[int, dict[int, str]] = {}
    for class_id, guideline in found.items():
        for pin in guideline.pins:
            pins.setdefault(pin.sample_id, {})[class_id] = pin.kind
    return pins


def typical(
    experiment: Experiment, current: Mapping[int, LabelEvent], most: int = MOST_TYPICAL
) -> dict[int, Typical]:
    """By class id, of those with labels: the labeled images that show the class best.

    `current` are the labels that stand. By the last round's network: those nearest to the middle of their
    class, if they still have its label and nobody was unsure of it; where there are none, the latest labels.
    """
    doubts = {Mark.UNSURE, Mark.FLAG}
    doubted = {i for i, standing in experiment.marks().items() if not doubts.isdisjoint(standing)}
    given: dict[int, list[LabelEvent]] = {}
    for sample_id, event in current.items():
        if event.value >= 0 and sample_id not in doubted:
            given.setdefault(event.value, []).append(event)
    near = _nearest_to_the_middle(experiment)
    found = {}
    for class_id, events in given.items():
        stand = {event.sample_id for event in events}
        best = [i for i in near.get(class_id, ()) if i in stand][:most]
        if best:
            found[class_id] = Typical(tuple(best), True)
        else:
            latest = sorted(events, key=lambda event: -event.id)[:most]
            found[class_id] = Typical(tuple(event.sample_id for event in latest), False)
    return found


def _nearest_to_the_middle(experiment: Experiment) -> dict[int, list[int]]:
    """By class id, as the last round's network was asked; the nearest first."""
    rounds = experiment.store.rounds(experiment.id)
    if not rounds or "arrays" not in rounds[-1].artefacts:
        return {}
    arrays = Objects(experiment.settings.objects).get_arrays(rounds[-1].artefacts["arrays"])
    found: dict[int, list[int]] = {}
    if "typical_ids" in arrays:
        for class_id, sample_id in zip(
            arrays["typical_classes"].tolist(), arrays["typical_ids"].tolist(), strict=True
        ):
            found.setdefault(class_id, []).append(sample_id)
    return found


def middle_of_class(
    unit: np.ndarray, classes: np.ndarray, most: int = 2 * MOST_TYPICAL
) -> tuple[np.ndarray, np.ndarray]:
    """Rows nearest to the mean direction of their class, the nearest first, and their classes (unit rows)."""
    rows, owners = [], []
    for class_id in np.unique(classes):
        members = np.flatnonzero(classes == class_id)
        near = unit[members] @ unit[members].mean(0)
        best = members[np.argsort(-near, kind="stable")[:most]]
        rows.append(best)
        owners.append(np.full(len(best), class_id, np.int64))
    none = np.empty(0, np.int64)
    return (np.concatenate(rows), np.concatenate(owners)) if rows else (none, none)
