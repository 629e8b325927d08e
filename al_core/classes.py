"""The classes of an experiment, folded from its log: names, what was merged, what is no longer given.

Class ids never change and are never used twice: adding appends one, renaming changes a name, merging lets one
id count as another, retiring takes a class out of what can be given. A network has an output for each class
that is *trained*, so that its outputs are numbered otherwise than the ids once a class has been merged or its
labels are asked again; `outputs_of` and `widened` translate, and nothing but the worker needs them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Int64

from al_core.class_effects import NO_EFFECTS, Effects
from al_core.class_words import LAST_TWO, MERGED, RETIRED
from al_core.data.dataset import Dataset, Relabeled, Split
from al_core.errors import ClassError
from al_core.records import ClassAct, ClassChange, ClassEvent
from al_core.types import UNKNOWN, Labels
from al_core.words import tr, tr_n

MOST_LETTERS: Final = 60
MOST_CLASSES: Final = 2000
MOST_WORDS: Final = 4000  # letters of a guideline
MOST_PINS: Final = 12  # example images of a class
PINS: Final = ("good", "borderline")


@dataclass(frozen=True)
class Classes:
    """Names by class id, of all that there ever were, and what became of each."""

    names: tuple[str, ...]
    begun: int  # how many the data set had
    effects: Effects = NO_EFFECTS
    last: int = 0  # id of the last event that changed any of this, 0 before the first

    @classmethod
    def of(cls, names: Sequence[str], events: Iterable[ClassEvent]) -> Classes:
        """Fold changes, oldest first, over the data set's classes."""
        events = [event for event in events if event.change.act not in _SAID]
        found = list(names)
        for event in events:
            if event.change.act is ClassAct.ADD:
                found.append(event.change.name)
            elif event.change.act is ClassAct.RENAME:
                found[event.change.class_id] = event.change.name
        last = events[-1].id if events else 0
        return cls(tuple(found), len(names), Effects.of(events), last)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def merged(self) -> frozenset[int]:
        """Ids that count as another class."""
        return frozenset(self.effects.into)

    @cached_property
    def open(self) -> tuple[int, ...]:
        """Ids that can be given, in order."""
        closed = self.merged | self.effects.retired
        return tuple(i for i in range(len(self)) if i not in closed)

    @cached_property
    def trained(self) -> tuple[int, ...]:
        """Ids that a network has an output for, in the order of its outputs."""
        gone = self.merged | self.effects.dropped
        return tuple(i for i in range(len(self)) if i not in gone)

    @property
    def plain(self) -> bool:
        """Whether outputs are numbered as classes are: nothing was merged or dropped."""
        return len(self.trained) == len(self)

    @property
    def trained_names(self) -> tuple[str, ...]:
        """Names of a network's outputs."""
        return tuple(self.names[i] for i in self.trained)

    @cached_property
    def _canonical(self) -> Int64[np.ndarray, " C"]:
        values = [self.effects.value(i) for i in range(len(self))]
        return np.array([UNKNOWN if v < 0 else v for v in values], np.int64)

    def fold(self, labels: Labels) -> Labels:
        """What labels count as: class ids, UNKNOWN where the class was dropped; other values stay."""
        if not self.effects:
            return labels
        folded = labels.copy()
        given = labels >= 0
        folded[given] = self._canonical[labels[given]]
        return folded

    def counted(self, class_ids: np.ndarray) -> np.ndarray:
        """Which classes these count as, those that were dropped too; UNKNOWN stays."""
        if not self.merged:
            return class_ids
        table = np.array([*map(self.effects.canonical, range(len(self))), UNKNOWN], class_ids.dtype)
        return table[class_ids]

    def given(self, labels: Labels) -> Labels:
        """Folded labels; UNKNOWN too where the class is retired, as nobody may give it any more."""
        folded = self.fold(labels)
        closed = np.isin(folded, list(self.effects.retired))
        return np.where(closed, UNKNOWN, folded) if closed.any() else folded

    def outputs_of(self, labels: Labels) -> Labels:
        """Positions of (unfolded) labels among a network's outputs; UNKNOWN where there is none."""
        if self.plain:
            return labels
        places = np.full(len(self), UNKNOWN, np.int64)
        places[list(self.trained)] = np.arange(len(self.trained))
        folded = self.fold(labels)
        return np.where(folded >= 0, places[np.maximum(folded, 0)], folded)

    def ids_of(self, outputs: Labels) -> Labels:
        """Class ids of positions among a network's outputs."""
        return outputs if self.plain else np.asarray(self.trained, np.int64)[outputs]

    def widened(self, array: np.ndarray, axis: int = -1) -> np.ndarray:
        """An array with an entry for each output along `axis`, with one for each class id: zero elsewhere."""
        if self.plain:
            return array
        shape = list(array.shape)
        shape[axis] = len(self)
        wide = np.zeros(shape, array.dtype)
        place: list[slice | list[int]] = [slice(None)] * array.ndim
        place[axis] = list(self.trained)
        wide[tuple(place)] = array
        return wide

    def relabeled(self, dataset: Dataset) -> Dataset:
        """The data set with these names, and its true labels as they count."""
        return _relabeled(dataset, self.names, self.fold)

    def as_trained(self, dataset: Dataset) -> Dataset:
        """The data set with a network's outputs as its classes."""
        return _relabeled(dataset, self.trained_names, self.outputs_of)

    # -- what may be changed ---------------------------------------------------------------------------

    def name(self, class_id: int) -> str:
        """Raises ClassError where there is no such class."""
        if not 0 <= class_id < len(self):
            raise ClassError(
                tr("there is no class {class_id}; there are {n}, from 0 on", class_id=class_id, n=len(self))
            )
        return self.names[class_id]

    def find(self, name: str) -> int | None:
        """The id of a name, whatever its case and the spaces around it; the exact one first."""
        wanted = name.strip()
        if wanted in self.names:
            return self.names.index(wanted)
        folded = [each.strip().casefold() for each in self.names]
        return folded.index(wanted.casefold()) if wanted.casefold() in folded else None

    def check_open(self, class_id: int) -> None:
        """Raises ClassError where an image cannot be given the class; the message says the way out."""
        _open_class(self, class_id, "give")

    def checked(self, change: ClassChange) -> ClassChange:
        """The change as it is written down.

        Raises:
            ClassError: it cannot be made; the message says why, and the way out.
        """
        return _CHECKS[change.act](self, change)


def _relabeled(dataset: Dataset, names: tuple[str, ...], numbers: Callable[[Labels], Labels]) -> Dataset:
    def told(split: Split) -> Split:
        labels = numbers(split.labels)
        return split if labels is split.labels else Relabeled(split, labels)

    return replace(dataset, classes=names, train=told(dataset.train), test=told(dataset.test))


def last_naming(events: Iterable[ClassEvent]) -> int:
    """Id of the event that last gave a class another name; 0 without one."""
    return max((event.id for event in events if event.change.act is ClassAct.RENAME), default=0)


def clean_name(text: str) -> str:
    """A name of a class as it is kept.

    Raises:
        ClassError: it is empty, too long, or holds characters that cannot be seen.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise ClassError(tr("a class needs a name; it is empty"))
    if hidden := [c for c in name if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")]:
        raise ClassError(
            tr(
                "the name holds the character U+{code:04X}, which cannot be shown; leave it out",
                code=ord(hidden[0]),
            )
        )
    if len(name) > MOST_LETTERS:
        raise ClassError(
            tr_n(
                "the name has {n} letter; {most} are the most. Shorten it",
                "the name has {n} letters; {most} are the most. Shorten it",
                len(name),
                most=MOST_LETTERS,
            )
        )
    return name


def _open_class(classes: Classes, class_id: int, act: str) -> str:
    name = classes.name(class_id)
    if class_id in classes.merged:
        other = classes.names[classes.effects.canonical(class_id)]
        raise ClassError(tr(MERGED[act], name=name, other=other))
    if class_id in classes.effects.retired:
        raise ClassError(tr(RETIRED[act], name=name))
    return name


def _leaves_two(classes: Classes, name: str, act: str) -> None:
    if len(classes.open) <= 2:
        raise ClassError(tr(LAST_TWO[act], name=name))


def _free_name(classes: Classes, text: str, but: int | None = None) -> str:
    name = clean_name(text)
    for class_id, other in enumerate(classes.names):
        if class_id == but or other.strip().casefold() != name.casefold():
            continue
        if class_id in classes.merged:
            target = classes.names[classes.effects.canonical(class_id)]
            raise ClassError(
                tr(
                    "“{other}” is the name of a class that was merged into “{target}”; take that back, "
                    "or choose another name",
                    other=other,
                    target=target,
                )
            )
        if class_id in classes.effects.retired:
            raise ClassError(
                tr(
                    "there is a class “{name}” that is retired already; bring it back, or choose another "
                    "name",
                    name=other,
                )
            )
        raise ClassError(tr("there is a class “{name}” already; choose another name", name=other))
    return name


def _add(classes: Classes, change: ClassChange) -> ClassChange:
    if len(classes) >= MOST_CLASSES:
        raise ClassError(
            tr_n(
                "there is {n} class; {most} are the most",
                "there are {n} classes; {most} are the most",
                len(classes),
                most=MOST_CLASSES,
            )
        )
    return ClassChange(len(classes), ClassAct.ADD, name=_free_name(classes, change.name))


def _rename(classes: Classes, change: ClassChange) -> ClassChange:
    _open_class(classes, change.class_id, "rename")
    name = _free_name(classes, change.name, but=change.class_id)
    if name == classes.names[change.class_id]:
        raise ClassError(tr("it is called “{name}” already", name=name))
    return ClassChange(change.class_id, ClassAct.RENAME, name=name)


def _merge(classes: Classes, change: ClassChange) -> ClassChange:
    name = _open_class(classes, change.class_id, "merge")
    if change.into is None:
        raise ClassError(tr("“{name}” is to be merged, but no class to merge it into is named", name=name))
    if classes.effects.canonical(change.into) == change.class_id:
        if change.into == change.class_id:
            raise ClassError(tr("“{name}” cannot be merged into itself; choose another class", name=name))
        raise ClassError(
            tr(
                "“{name}” cannot be merged into “{other}”, which is in it; choose another class",
                name=name,
                other=classes.name(change.into),
            )
        )
    _open_class(classes, change.into, "into")
    _leaves_two(classes, name, "merge")
    return ClassChange(change.class_id, ClassAct.MERGE, into=change.into)


def _split(classes: Classes, change: ClassChange) -> ClassChange:
    if change.class_id not in classes.merged:
        raise ClassError(tr("“{name}” is not merged into another class", name=classes.name(change.class_id)))
    return ClassChange(change.class_id, ClassAct.SPLIT)


def _retire(classes: Classes, change: ClassChange) -> ClassChange:
    name = _open_class(classes, change.class_id, "retire")
    if change.labels not in ("keep", "ask"):
        raise ClassError(
            tr("say what becomes of the labels of “{name}”: keep them, or ask them again", name=name)
        )
    _leaves_two(classes, name, "retire")
    return ClassChange(change.class_id, ClassAct.RETIRE, labels=change.labels)


def _restore(classes: Classes, change: ClassChange) -> ClassChange:
    if change.class_id not in classes.effects.retired:
        raise ClassError(tr("“{name}” is not retired", name=classes.name(change.class_id)))
    return ClassChange(change.class_id, ClassAct.RESTORE)


def _guide(classes: Classes, change: ClassChange) -> ClassChange:
    classes.name(change.class_id)
    text = change.text.strip()
    if len(text) > MOST_WORDS:
        raise ClassError(
            tr_n(
                "the guideline has {n:,} letter; {most:,} are the most. Shorten it",
                "the guideline has {n:,} letters; {most:,} are the most. Shorten it",
                len(text),
                most=MOST_WORDS,
            )
        )
    return ClassChange(change.class_id, ClassAct.GUIDE, text=text)


def _pin(classes: Classes, change: ClassChange) -> ClassChange:
    classes.name(change.class_id)
    if change.sample_id is None or change.sample_id < 0:
        raise ClassError(tr("an example is an image; none is named"))
    if change.act is ClassAct.UNPIN:
        return ClassChange(change.class_id, ClassAct.UNPIN, sample_id=change.sample_id)
    if change.text not in PINS:
        raise ClassError(
            tr("an example is one of {pins}, not {text!r}", pins=", ".join(PINS), text=change.text)
        )
    return ClassChange(change.class_id, ClassAct.PIN, text=change.text, sample_id=change.sample_id)


_SAID: Final = (ClassAct.GUIDE, ClassAct.PIN, ClassAct.UNPIN)
"""Acts that say something of a class and change none."""
_CHECKS: Final = {
    ClassAct.ADD: _add, ClassAct.RENAME: _rename, ClassAct.MERGE: _merge, ClassAct.SPLIT: _split,
    ClassAct.RETIRE: _retire, ClassAct.RESTORE: _restore, ClassAct.GUIDE: _guide, ClassAct.PIN: _pin,
    ClassAct.UNPIN: _pin,
}  # fmt: skip
