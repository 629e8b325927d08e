"""Folders that the browser may read, and no name that leads out of them.

Every access is (root, relative path). A path is judged by its text first, then by where it really leads; what
it says about paths outside never depends on whether they exist.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from al_core.data.names import display
from al_core.errors import DataError, PathRefused
from al_core.settings import Settings
from al_core.words import noted, told, tr

PICTURE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_MAX_COUNT: Final = 10_000
_DRIVE: Final = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Folder:
    """A folder as a picker shows it. Counts stop at 10,000, and then `more` is true."""

    name: str
    relative: str  # below its root, to browse on
    path: str  # absolute, to go behind `folder:`
    num_images: int  # directly in it, by file name
    num_folders: int
    more: bool


def _refused(path: str, why: str) -> PathRefused:
    shown = repr(path) if "\0" in path else display(path)
    return PathRefused(tr("the path {path} is refused: {why}", path=shown, why=told(why)), why)


def _check_text(path: str) -> None:
    if "\0" in path:
        raise _refused(path, noted("it holds a NUL"))
    if "\\" in path:
        raise _refused(path, noted("it holds a backslash; separate folders with /"))
    if _DRIVE.match(path):
        raise _refused(path, noted("drive letters are not read here"))
    if path.startswith("//"):
        raise _refused(path, noted("network paths are not read here"))
    if ".." in path.split("/"):
        raise _refused(path, noted("it holds '..'"))


def check_relative(path: str) -> None:
    """Judge a relative path by its text alone.

    Raises:
        DataError: it is absolute, climbs, or is written so that some system would take it elsewhere.
    """
    _check_text(path)
    if path.startswith(("/", "~")):
        raise _refused(path, noted("it must be relative to its root"))


def is_inside(path: str, root: str) -> bool:
    """Whether a real path is a real root or below it."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def resolve_inside(root: Path, relative: str) -> Path:
    """The real path of a name below a root.

    Raises:
        DataError: it leads out of the root, by its text or through a link.
    """
    _check_text(relative)
    if relative.startswith("/"):
        raise _refused(relative, noted("it must be relative to its root"))
    real_root = os.path.realpath(root)
    try:
        real = os.path.realpath(os.path.join(real_root, relative))  # noqa: PTH118 - names may not be UTF-8
    except (OSError, ValueError) as error:
        raise _refused(relative, str(error)) from None
    if not is_inside(real, real_root):
        raise _refused(relative, noted("it leads out of its folder"))
    return Path(real)


def resolve_folder(settings: Settings, path: str, *, trusted: bool = False) -> Path:
    """The real folder of an absolute path (or one from ~ or the working folder) below some data root.

    `trusted` skips the roots: the command line's user may read what the process may.

    Raises:
        DataError: it is refused, lies below no root, or is no folder.
    """
    if not path.strip():
        raise DataError(tr("a folder is missing: write folder:PATH"))
    _check_text(path)
    real = os.path.realpath(Path(path).expanduser())
    allowed = (*settings.data_roots, settings.imports)
    if not trusted and not any(is_inside(real, os.path.realpath(root)) for root in allowed):
        roots = ", ".join(str(root) for root in settings.data_roots) or "none"
        raise DataError(
            tr(
                "the folder {path} is below no data root (roots: {roots}); move it there, or add its "
                "parent to AL_DATA_ROOTS and start again",
                path=display(path),
                roots=roots,
            )
        )
    folder = Path(real)
    try:
        if not folder.exists():
            raise DataError(tr("the folder {path} does not exist", path=display(path)))
        if not folder.is_dir():
            raise DataError(tr("{path} is not a folder", path=display(path)))
    except OSError as error:
        raise DataError(
            tr("the folder {path} cannot be read ({reason})", path=display(path), reason=error.strerror)
        ) from None
    return folder


def browse(settings: Settings, root_index: int, relative: str = "") -> list[Folder]:
    """The visible subfolders of a folder below a data root, by name, with counts.

    Raises:
        DataError: there is no such root or folder, or it cannot be read.
    """
    if not 0 <= root_index < len(settings.data_roots):
        raise DataError(
            tr(
                "there is no data root {root_index}; AL_DATA_ROOTS names {n}",
                root_index=root_index,
                n=len(settings.data_roots),
            )
        )
    check_relative(relative)
    root = settings.data_roots[root_index]
    place = resolve_inside(root, relative)
    try:
        with os.scandir(place) as entries:
            names = [e.name for e in islice(entries, _MAX_COUNT) if _is_folder(e)]
    except OSError as error:
        shown = display(relative) or str(root)
        raise DataError(
            tr("the folder {shown} cannot be read ({reason})", shown=shown, reason=error.strerror)
        ) from None
    base = relative.strip("/")
    return [_describe(place, f"{base}/{name}" if base else name, name) for name in sorted(names)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return (
            not entry.name.startswith(".") and "\\" not in entry.name and entry.is_dir(follow_symlinks=False)
        )
    except OSError:
        return False


def _describe(parent: Path, relative: str, name: str) -> Folder:
    path = parent / name
    images = folders = seen = 0
    try:
        with os.scandir(path) as entries:
            for seen, entry in enumerate(islice(entries, _MAX_COUNT), 1):  # noqa: B007 - read after the loop
                if _is_folder(entry):
                    folders += 1
                elif entry.name.lower().endswith(PICTURE_SUFFIXES):
                    images += 1
    except OSError:
        pass  # listed without counts: it exists, and may not be read
    return Folder(display(name), relative, str(path), images, folders, seen == _MAX_COUNT)
