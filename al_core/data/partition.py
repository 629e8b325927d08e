"""Readable pictures of a folder divided into train and test, and the one class map of both."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_core.data.checking import Checked
from al_core.data.material import Moments
from al_core.data.names import display
from al_core.data.scan import Placed, in_order
from al_core.errors import DataError
from al_core.types import UNKNOWN, Labels, Sizes
from al_core.words import kept, kept_n, noted, tr


@dataclass(frozen=True)
class Picture:
    """A file that was decoded: where it belongs, and what it is."""

    place: Placed
    checked: Checked

    @property
    def name(self) -> str:
        return self.place.file.name

    @property
    def class_name(self) -> str:
        return self.place.class_name


@dataclass(frozen=True)
class Sides:
    """Train and test in the order of their sample ids, and what a person should know about it."""

    train: list[Picture]
    test: list[Picture]
    notes: tuple[str, ...]


def divide(pictures: Sequence[Picture], test_fraction: float) -> Sides:
    """Train and test as the folders say; where they say nothing, a share of each class is set aside."""
    notes = []
    test = _ordered([p for p in pictures if p.place.role == "test"])[0]
    train, by_number = _ordered([p for p in pictures if p.place.role != "test"])
    if by_number:
        notes.append(noted("sample ids follow the numbers in the file names, across classes"))
    if not test and any(p.class_name for p in train) and test_fraction > 0:
        aside = _set_aside(train, test_fraction)
        test = [p for p in train if p.name in aside]
        train = [p for p in train if p.name not in aside]
        notes.append(
            kept_n(
                "there is no test folder: {n} picture, a share of each class, was set aside",
                "there is no test folder: {n} pictures, a share of each class, were set aside",
                len(test),
            )
        )
    elif not test:
        notes.append(noted("there are no test pictures: no accuracy can be measured"))
    return Sides(train, test, tuple(notes))


def _ordered(pictures: Sequence[Picture]) -> tuple[list[Picture], bool]:
    by_name = {p.name: p for p in pictures}
    placed, by_number = in_order([p.place for p in pictures])
    return [by_name[item.file.name] for item in placed], by_number and bool(pictures)


def _set_aside(pictures: Sequence[Picture], fraction: float) -> set[str]:
    """Names of test pictures: chosen by content, so that renaming or adding a class moves nothing.

    Copies of one picture stay together on the train side; otherwise the test would hold what was learned.
    """
    classes: dict[str, list[Picture]] = defaultdict(list)
    copies = Counter(p.checked.digest for p in pictures)
    for picture in pictures:
        classes[picture.class_name].append(picture)
    aside: set[str] = set()
    for name, members in classes.items():
        if not name:
            continue  # without a label it measures nothing
        number = round(fraction * len(members))
        if len(members) > 1:
            number = min(max(number, 1), len(members) - 1)
        single = [p for p in members if copies[p.checked.digest] == 1]
        single.sort(key=lambda p: hashlib.sha256(b"test" + p.checked.digest.encode()).digest())
        # a class of copies only has nothing that can be set aside; at least one picture stays in train
        aside.update(p.name for p in single[: min(number, len(members) - 1)])
    return aside


def class_map(sides: Sides, wanted: tuple[str, ...] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes of both sides, sorted (or as the person ordered them), and notes.

    Raises:
        DataError: too few classes, one that only the test side has, or none where labels are to be given.
    """
    train = {p.class_name for p in sides.train if p.class_name}
    test = {p.class_name for p in sides.test if p.class_name}
    if not sides.train:
        raise DataError(tr("there is no readable picture to train on; only the test folder holds some"))
    if wanted is not None:
        classes = _checked(wanted)
    elif train:
        classes = tuple(sorted(train))
    else:
        classes = tuple(sorted(test))
    if not classes:
        raise DataError(
            tr(
                "these pictures have no labels: put them into a folder for each class, or name the "
                "classes to label them with (--classes cat,dog)"
            )
        )
    if unseen := sorted(test - set(classes)):
        raise DataError(
            tr(
                "the classes of train and test differ: {unseen} only in test; train has {classes}. "
                "Rename or add class folders until they agree",
                unseen=", ".join(map(repr, unseen)),
                classes=", ".join(map(repr, classes[:20])),
            )
        )
    if len(classes) < 2:
        raise DataError(
            tr(
                "there is only one class, {classes!r}; at least two are needed to learn anything",
                classes="".join(classes),
            )
        )
    missing = sorted(train - test) if test else []
    notes = [kept("classes without a test picture: {classes}", classes=", ".join(missing))] if missing else []
    return classes, tuple(notes)


def _checked(wanted: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in wanted)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if "" in names or repeated:
        raise DataError(
            tr(
                "class names must be given once each, and not be empty: {wanted}",
                wanted=", ".join(map(repr, wanted)),
            )
        )
    return names


def labels_of(pictures: Sequence[Picture], classes: Sequence[str]) -> Labels:
    """Class ids; UNKNOWN where no folder names a class."""
    ids = {name: position for position, name in enumerate(classes)}
    return np.array([ids.get(p.class_name, UNKNOWN) for p in pictures], np.int64)


def moments_of(pictures: Sequence[Picture], size: int) -> Moments:
    """Sums over the pixels of these pictures at `size`."""
    moments = Moments()
    for p in pictures:
        total, squares = np.array(p.checked.total, float), np.array(p.checked.squares, float)
        moments = moments.merge(Moments(size * size, total, squares))
    return moments


def sizes_of(pictures: Sequence[Picture]) -> Sizes:
    """Width and height of these pictures, as their files have them."""
    return np.array([(p.checked.width, p.checked.height) for p in pictures], np.int32).reshape(-1, 2)


def fingerprint(classes: Sequence[str], sides: Sides) -> str:
    """SHA-256 over the classes, and each picture's split, class, path, length and content."""
    digest = hashlib.sha256()
    for name in classes:
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
    for split, pictures in (("train", sides.train), ("test", sides.test)):
        for p in pictures:
            facts = f"\0{split}\0{p.class_name}\0{p.checked.bytes}\0{p.checked.digest}\n"
            digest.update(os.fsencode(p.name) + facts.encode())
    return digest.hexdigest()


def copies(sides: Sides) -> tuple[str, ...]:
    """Notes on pictures that occur more than once, byte for byte."""
    train = [p.checked.digest for p in sides.train]
    both = set(train) & {p.checked.digest for p in sides.test}
    repeated = len(train) - len(set(train))
    notes = []
    if both:
        notes.append(
            kept_n(
                "{n} picture is in both train and test, byte for byte",
                "{n} pictures are in both train and test, byte for byte",
                len(both),
            )
        )
    if repeated:
        notes.append(
            kept_n(
                "{n} train picture is a copy of another train picture, byte for byte",
                "{n} train pictures are copies of other train pictures, byte for byte",
                repeated,
            )
        )
    return tuple(notes)


def side_of(name: str) -> str:
    """The top folder of a refused file, as far as it says a split."""
    top, slash, _ = name.partition("/")
    return display(top) if slash and top.lower() in ("train", "test", "valid", "validation", "val") else ""
