"""Pictures that were never part of a data set: found in a folder, opened safely, matched to class folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from al_core.data.checking import Checked, Checker
from al_core.data.names import display
from al_core.data.scan import class_name_of, natural, walk
from al_core.errors import DataError
from al_core.results.export import NO_CLASS, class_folders
from al_core.types import Images, Labels
from al_core.words import noted, tr, tr_n

BLOCK: Final = 512
"""Pictures in memory at once."""
_NAMED: Final = 20  # classes that an error names


@dataclass(frozen=True)
class Refused:
    """A file that is not classified, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Pictures:
    """Files below a folder, in natural order; `refused` are those passed over without being opened."""

    root: Path
    names: tuple[str, ...]
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True)
class Block:
    """Some of the pictures, decoded: `images[i]` is `names[i]`."""

    names: tuple[str, ...]
    images: Images
    refused: tuple[Refused, ...]


def find_pictures(path: Path) -> Pictures:
    """One file, or all files below a folder; nothing is opened yet.

    Raises:
        DataError: there is nothing.
    """
    try:
        place = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise DataError(
            tr(
                "{path} cannot be read ({error}); name a picture or a folder",
                path=display(str(path)),
                error=error,
            )
        ) from None
    if not place.is_dir():
        return Pictures(place.parent, (place.name,))
    found, skipped, _ = walk(place)
    if not found:
        raise DataError(tr("there are no files in {path}", path=display(str(path))))
    names = sorted((file.name for file in found), key=natural)
    return Pictures(place, tuple(names), tuple(Refused(display(s.name), s.reason) for s in skipped))


def decode(pictures: Pictures, size: int) -> Iterator[Block]:
    """The pictures as a model sees them, block by block; what cannot be decoded is named with the reason.

    Opened in watched processes, by the same function as a data set's: a hostile file can crash or stall
    only one of these.
    """
    with ExitStack() as stack:
        checker = stack.enter_context(Checker(pictures.root, len(pictures.names)))
        for start in range(0, len(pictures.names), BLOCK):
            names = pictures.names[start : start + BLOCK]
            found: list[Checked | None] = [None] * len(names)
            for checked in checker.check(names, size):
                found[checked.position] = checked
            good = [c for c in found if c is not None and c.reason is None]
            bad = [c for c in found if c is not None and c.reason is not None]
            images = np.frombuffer(b"".join(c.pixels for c in good), np.uint8).reshape(-1, size, size, 3)
            refused = tuple(Refused(display(names[c.position]), str(c.reason)) for c in bad)
            yield Block(tuple(names[c.position] for c in good), images, refused)


def by_class(pictures: Pictures, classes: Sequence[str]) -> tuple[Pictures, dict[str, int]]:
    """The pictures in class folders, and the class id of each; others are passed over with the reason.

    A folder is named as the class is, or as our own export of images names it. An export's folders of
    images without a class are passed over.

    Raises:
        DataError: a folder is no class of the model; the message says which.
    """
    ids = {name: i for i, name in enumerate(class_folders(classes))}
    ids |= {name: i for i, name in enumerate(classes)}
    folders = {name: class_name_of(name) for name in pictures.names}
    unknown = sorted(set(folders.values()) - ids.keys() - NO_CLASS - {""})
    if unknown:
        raise DataError(
            tr_n(
                "the class folders of {root} do not fit the model: {unknown} is no class of it; it knows "
                "{classes}. Rename the folders, or name the folder that holds the class folders",
                "the class folders of {root} do not fit the model: {unknown} are no class of it; it knows "
                "{classes}. Rename the folders, or name the folder that holds the class folders",
                len(unknown),
                root=display(str(pictures.root)),
                unknown=_listed(unknown),
                classes=_listed(classes),
            )
        )
    truth = {name: ids[folder] for name, folder in folders.items() if folder in ids}
    if not truth:
        raise DataError(
            tr(
                "{root} holds no class folders; expected {classes} in it",
                root=display(str(pictures.root)),
                classes=_listed(classes),
            )
        )
    strays = [
        Refused(
            display(name),
            noted("a folder of images without a class") if folder else noted("outside any class folder"),
        )
        for name, folder in folders.items()
        if folder not in ids
    ]
    return Pictures(pictures.root, tuple(truth), (*pictures.refused, *strays)), truth


def labels_of(names: Sequence[str], truth: dict[str, int]) -> Labels:
    """Class ids of these pictures."""
    return np.array([truth[name] for name in names], np.int64)


def _listed(names: Sequence[str]) -> str:
    shown, more = ", ".join(repr(name) for name in names[:_NAMED]), len(names) - _NAMED
    return tr("{names} and {n} more", names=shown, n=more) if more > 0 else shown
