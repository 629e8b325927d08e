"""Which format a file or folder is in, and its content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from al_core.data.names import display
from al_core.data.roots import PICTURE_SUFFIXES
from al_core.data.scan import place, walk
from al_core.errors import DataError
from al_core.exchange.archive import unpack
from al_core.exchange.coco import from_coco, is_coco
from al_core.exchange.content import Content, Refused, Row, Several
from al_core.exchange.hugging_face import files_of, is_data_file, read_hugging_face
from al_core.exchange.label_studio import from_label_studio, is_label_studio
from al_core.exchange.tables import from_json, read_csv, read_json_value, read_parquet
from al_core.results.export import MANIFEST, NO_CLASS
from al_core.words import tr

Progress = Callable[[int, int], None]
SUFFIXES: Final = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".zip")
_TABLES: Final = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
_SAID: Final = {"_skipped": "skip", "_excluded": "exclude"}


def _quiet(done: int, total: int) -> None:
    """Tell nobody."""


def read(
    path: Path, *, several: Several = "refuse", workspace: Path | None = None, pictures: Path | None = None,
    whole: bool = False, progress: Progress = _quiet,
) -> Content:  # fmt: skip
    """What a file or folder says.

    `workspace` is an empty folder for what a zip holds. `pictures`: the folder in which a table's file names
    lie; its own folder where none is given. `whole`: pictures are wanted too, and not the labels alone.

    Raises:
        DataError: it cannot be read, or says nothing about images.
    """
    if path.is_dir():
        return _folder(path, several, workspace, whole)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        if workspace is None:
            raise DataError(tr("a zip is unpacked first; give a workspace"))
        inside = workspace / "unpacked"
        inside.mkdir()
        _, refused = unpack(path, inside, progress=progress)
        found = _folder(inside, several, workspace, whole)
        return replace(found, refused=[*refused, *found.refused])
    if is_data_file(path):
        return _one_file(path, workspace if whole else None)
    return replace(_table(path, several), root=pictures or path.parent)


def _table(path: Path, several: Several) -> Content:
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return read_csv(path)
    if suffix == ".parquet":
        return read_parquet(path)
    if suffix not in (".json", ".jsonl", ".ndjson"):
        raise DataError(
            tr("{path} is none of {suffixes}, and no folder", path=path.name, suffixes=", ".join(SUFFIXES))
        )
    value = read_json_value(path)
    if is_coco(value):
        return from_coco(value, several)
    if is_label_studio(value):
        return from_label_studio(value, several)
    return from_json(value)


def _one_file(path: Path, workspace: Path | None) -> Content:
    return read_hugging_face(path.parent, _pictures(workspace), only=path)


def _pictures(workspace: Path | None) -> Path | None:
    if workspace is None:
        return None
    made = workspace / "pictures"
    made.mkdir()
    return made


def _folder(folder: Path, several: Several, workspace: Path | None, whole: bool) -> Content:
    """A Hugging Face data set, a table beside pictures, or class folders; a lone folder is looked into."""
    while True:
        inside = [p for p in folder.iterdir() if not p.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].is_symlink():
            break
        if any(p.suffix.lower() in PICTURE_SUFFIXES for p in inside[0].iterdir()):
            break  # one class folder
        folder = inside[0]
    if (folder / MANIFEST).is_file():
        return replace(read_csv(folder / MANIFEST, by_path=whole), root=folder, format="folders")
    if any(is_data_file(path) for path, _ in files_of(folder)):
        return read_hugging_face(folder, _pictures(workspace if whole else None))
    tables = [p for p in inside if p.suffix.lower() in _TABLES and p.is_file() and p.stem != "run-card"]
    if len(tables) > 1:
        names = ", ".join(sorted(display(p.name) for p in tables)[:5])
        raise DataError(tr("there are several tables ({names}); name the one to import", names=names))
    if tables:
        return replace(_table(tables[0], several), root=folder)
    return class_folders_of(folder)


def class_folders_of(folder: Path) -> Content:
    """Pictures in class folders, with or without train and test above them.

    Raises:
        DataError: there are no files.
    """
    found, skipped, _ = walk(folder)
    if not found:
        raise DataError(tr("there are no files in {folder}", folder=display(folder.name)))
    rows: list[Row] = []
    refused = [Refused(display(s.name), display(s.name), s.reason) for s in skipped]
    for item in sorted(place(found, folder), key=lambda item: item.file.name):
        shown = display(item.file.name)
        split = "" if item.role == "all" else item.role
        if item.class_name in NO_CLASS:
            answer = _SAID.get(item.class_name, "")
            rows.append(Row(shown, file=item.file.name, answer=answer, split=split))  # pyright: ignore[reportArgumentType]
        elif item.class_name:
            rows.append(Row(shown, file=item.file.name, label=item.class_name, answer="class", split=split))
        else:
            rows.append(Row(shown, file=item.file.name, split=split))
    return Content("folders", rows, refused, root=folder)
