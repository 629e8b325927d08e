"""The files of a folder, and which split and class each belongs to by its path."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from al_core.data.names import display
from al_core.data.roots import is_inside
from al_core.errors import DataError
from al_core.words import kept, noted, tr

Role = Literal["train", "test", "valid", "all"]

_ROLES: Final[dict[str, Role]] = {
    "train": "train", "training": "train", "test": "test", "testing": "test",
    "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid",
}  # fmt: skip
_SYSTEM_FILES: Final = ("thumbs.db", "desktop.ini", "ehthumbs.db")
_MAX_DEPTH: Final = 64


@dataclass(frozen=True)
class Found:
    """A regular file: its path relative to the folder, and what tells whether it changed."""

    name: str
    size: int
    changed: int  # nanoseconds


@dataclass(frozen=True)
class Skipped:
    """A file or folder that is not looked into, and why."""

    name: str
    reason: str


def walk(
    root: Path, told: Callable[[int], None] = lambda count: None
) -> tuple[list[Found], list[Skipped], int]:
    """All files below a folder, those skipped, and how many hidden ones were passed over.

    Links to files inside the folder are followed, links to folders are not. `told` hears the count so far.
    """
    real_root = os.path.realpath(root)
    found: list[Found] = []
    skipped: list[Skipped] = []
    hidden = 0
    stack = [("", 0)]
    while stack:
        folder, depth = stack.pop()
        try:
            with os.scandir(f"{real_root}/{folder}") as entries:
                for entry in entries:
                    name = folder + entry.name
                    if entry.name.startswith("."):
                        hidden += 1
                    elif entry.is_dir(follow_symlinks=False):
                        if depth < _MAX_DEPTH and entry.name != "__MACOSX":
                            stack.append((f"{name}/", depth + 1))
                        else:
                            hidden += 1
                    else:
                        _sort(entry, name, real_root, found, skipped)
        except OSError as error:
            skipped.append(
                Skipped(folder or ".", kept("the folder cannot be read ({reason})", reason=error.strerror))
            )
        told(len(found))
    return found, skipped, hidden


def _sort(entry: os.DirEntry[str], name: str, root: str, found: list[Found], skipped: list[Skipped]) -> None:
    try:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            if not is_inside(os.path.realpath(entry.path), root):
                skipped.append(Skipped(name, noted("a link that leads out of the folder")))
                return
            if entry.is_dir():
                skipped.append(Skipped(name, noted("a link to a folder")))
                return
            status = entry.stat()
    except OSError as error:
        skipped.append(Skipped(name, kept("cannot be read ({reason})", reason=error.strerror)))
        return
    if entry.name.lower() in _SYSTEM_FILES:
        skipped.append(Skipped(name, noted("a system file")))
    elif "\\" in entry.name:
        skipped.append(Skipped(name, noted("its name holds a backslash")))
    elif stat.S_ISREG(status.st_mode):
        found.append(Found(name, status.st_size, status.st_mtime_ns))
    else:
        skipped.append(Skipped(name, noted("not a regular file")))


@dataclass(frozen=True)
class Placed:
    """A file with its role and class name; "" where no folder names a class."""

    file: Found
    role: Role
    class_name: str


def place(files: Sequence[Found], root: Path) -> list[Placed]:
    """Give each file the role (train, test, valid, or all where no folder says) and class of its path.

    Raises:
        DataError: the folder is laid out in a way that would be misread.
    """
    tops = {top.lower() for file in files for top, slash, _ in [file.name.partition("/")] if slash}
    roles = {_ROLES[top] for top in tops if top in _ROLES}
    if "train" not in roles:
        if roles and tops <= _ROLES.keys():
            raise DataError(
                tr(
                    "{root} has {tops} but no train folder; add train/<class>/",
                    root=display(str(root)),
                    tops=" and ".join(sorted(tops)),
                )
            )
        for file in files:
            inner = file.name.split("/")[:-1]
            for depth, part in enumerate(inner):
                if depth and _ROLES.get(part.lower()) == "train":
                    deeper = display("/".join([str(root), *inner[:depth]]))
                    raise DataError(
                        tr("there is a train folder further down; use folder:{deeper}", deeper=deeper)
                    )
        return [Placed(file, "all", class_name_of(file.name)) for file in files]
    placed = []
    for file in files:
        top, slash, rest = file.name.partition("/")
        role = _ROLES.get(top.lower()) if slash else None
        # "all" beside a train folder: not part of any split, which the caller refuses
        placed.append(Placed(file, role or "all", class_name_of(rest) if role else ""))
    return placed


def class_name_of(path: str) -> str:
    """The class that a file's folder names; "" for a file in no folder."""
    # macOS writes names decomposed: the same class must not become two
    return unicodedata.normalize("NFC", display(path.rpartition("/")[0]))


def natural(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A sort key by which 2.png comes before 10.png; the name itself settles the rest."""
    pieces = re.split(r"([0-9]+)", name)
    return tuple((0, int(p), "") if p.isdecimal() and p.isascii() else (1, 0, p) for p in pieces if p), name


def in_order(placed: Sequence[Placed]) -> tuple[list[Placed], bool]:
    """Files in the order of their sample ids, and whether that order is by number across classes.

    Where every file's stem is an integer and none occurs twice, the numbers are the order in which the
    pictures were numbered before they were sorted into folders, and it is kept: a data set then has the same
    ids however it is laid out. Otherwise by class, then by name.
    """
    stems = [item.file.name.rpartition("/")[2].partition(".")[0] for item in placed]
    numbers = [int(stem) for stem in stems if stem.isdecimal() and stem.isascii() and len(stem) <= 18]
    if len(numbers) == len(placed) and len(set(numbers)) == len(placed):
        return [item for _, item in sorted(zip(numbers, placed, strict=True), key=lambda pair: pair[0])], True
    return sorted(placed, key=lambda item: (item.class_name, natural(item.file.name))), False
