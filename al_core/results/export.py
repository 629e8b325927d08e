"""Queried images as a zip of class folders, with a manifest that says which sample each file is.

Names come from people and folders, so they are made harmless: no path leaves its folder, no file system
chokes, and no spreadsheet takes a cell of the manifest for a formula. Files carry their sample id.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import IO, Any, Final, cast

from al_core.data.dataset import Dataset
from al_core.errors import DataError
from al_core.records import LabelEvent, Mark, MarkEvent, Query
from al_core.results.analysis import answer_text, note_text
from al_core.types import EXCLUDE, INITIAL_ROUND, SKIP, UNKNOWN
from al_core.words import english

MANIFEST: Final = "manifest.csv"
MISSING: Final = "missing.txt"
_PIECE: Final = 64 * 1024
_SPILL: Final = 2**20  # bytes of a manifest that are held before it goes to the disk
MANIFEST_COLUMNS: Final = (
    "sample_id", "path", "name", "round", "rank", "strategy", "score", "label", "label_id", "labeled_by",
    "unsure", "flagged", "note", "ahead", "truth",
    "guess_1", "probability_1", "guess_2", "probability_2", "guess_3", "probability_3", "experiment",
)  # fmt: skip
_FOLDERS: Final = {None: "_unlabeled", SKIP: "_skipped", EXCLUDE: "_excluded"}
NO_CLASS: Final = frozenset(_FOLDERS.values())
"""Folders of an export that hold images without a class."""
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_MAX_NAME: Final = 60

Standing = Mapping[int, Mapping[Mark, MarkEvent]]
"""The marks that stand on each image, as Experiment.marks() gives them."""


def safe_name(text: str) -> str:
    """A name that every file system takes, and that is one part of a path: never empty, "." or ".."."""
    flat = unicodedata.normalize("NFC", text)
    kept = "".join(c if c.isalnum() or c in " ._-+()" else "_" for c in flat)
    name = kept.strip(" .")[:_MAX_NAME].rstrip(" .") or "_"
    return f"_{name}" if _RESERVED.fullmatch(name) or name.startswith("_") else name


def class_folders(classes: Sequence[str]) -> list[str]:
    """A folder for each class: its name made safe; those that would collide get their class id too."""
    names = [safe_name(name) for name in classes]
    folded = [name.casefold() for name in names]
    return [
        name if folded.count(name.casefold()) == 1 else f"{name}-{class_id}"
        for class_id, name in enumerate(names)
    ]


def cell(value: object) -> object:
    """A value for CSV: text that a spreadsheet would run as a formula gets a quote in front.

    So does text that would look like one of those, so that `uncell` gives back every text as it was.
    """
    if isinstance(value, str) and _is_formula(value.lstrip("'")):
        return f"'{value}"
    return "" if value is None else value


def uncell(text: str) -> str:
    """The text that `cell` was given."""
    return text[1:] if text.startswith("'") and _is_formula(text.lstrip("'")) else text


def _is_formula(text: str) -> bool:
    return text[:1] in ("\t", "\r") or text.lstrip()[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write_csv(rows: Iterable[Sequence[Any]], header: Sequence[str]) -> str:
    """CSV text with harmless cells, ended by CR LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue()


class _Stream:
    """A file that a zip is written to and that is read as it grows: it cannot go back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """A zip calls it."""

    def take(self) -> bytes:
        """What has come since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        return taken


def write_queries(
    target: IO[bytes],
    dataset: Dataset,
    queries: Iterable[Query],
    labels: Mapping[int, LabelEvent],
    *,
    marks: Standing | None = None,
    keep: Callable[[int], bool] = lambda sample_id: True,
    by_round: bool = False,
) -> int:
    """Write the queried images that `keep` lets through; gives their number.

    An image lies in the folder of its label as it is now, as it came: the original file's bytes, or a PNG.
    `by_round` puts a folder for each query around those: `initial`, `after-round-000` ...

    Raises:
        DataError: an image can no longer be read.
    """
    count = 0
    for count in _written(target, dataset, queries, labels, marks, keep, by_round, None):  # noqa: B007 - the last
        pass
    return count


def stream_queries(
    dataset: Dataset,
    queries: Iterable[Query],
    labels: Mapping[int, LabelEvent],
    *,
    marks: Standing | None = None,
    keep: Callable[[int], bool] = lambda sample_id: True,
    by_round: bool = False,
) -> Iterator[bytes]:
    """The same zip in pieces, as it is made: what is held at once is an image and the list of names.

    An image that can no longer be read is left out and named in `missing.txt`: half of the answer is out by
    then.
    """
    stream = _Stream()
    for _ in _written(cast("IO[bytes]", stream), dataset, queries, labels, marks, keep, by_round, []):
        if stream.size >= _PIECE:
            yield stream.take()
    yield stream.take()


def _written(
    target: IO[bytes],
    dataset: Dataset,
    queries: Iterable[Query],
    labels: Mapping[int, LabelEvent],
    marks: Standing | None,
    keep: Callable[[int], bool],
    by_round: bool,
    missing: list[str] | None,
) -> Iterator[int]:
    """Write step by step; gives the number of rows so far. `missing` collects what cannot be read."""
    folders = class_folders(dataset.classes)
    count, written = 0, set()
    # stored, not deflated: pictures are compressed already
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive,
        tempfile.SpooledTemporaryFile(_SPILL, "w+", encoding="utf-8", newline="") as listed,
    ):
        table = csv.writer(listed)
        table.writerow(MANIFEST_COLUMNS)
        for query in queries:
            around = f"{_round_folder(query.round)}/" if by_round else ""
            for values in manifest_rows(query, labels, dataset, marks, keep):
                try:
                    with english():  # what is missing is written into the export
                        data, suffix = dataset.train.original(values["sample_id"])
                except DataError as error:
                    if missing is None:
                        raise
                    missing.append(f"sample {values['sample_id']}: {error}\n")
                    continue
                path = around + _path(values, folders, suffix)
                if path not in written:  # an image whose label was withdrawn may have been asked again
                    archive.writestr(path, data)
                    written.add(path)
                table.writerow([cell((values | {"path": path}).get(name)) for name in MANIFEST_COLUMNS])
                count += 1
                yield count
        if missing:
            archive.writestr(MISSING, "".join(missing), zipfile.ZIP_DEFLATED)
        listed.seek(0)
        entry = zipfile.ZipInfo(MANIFEST, time.localtime()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(entry, "w") as file:
            while part := listed.read(_PIECE):
                file.write(part.encode())
                yield count
    yield count


def _round_folder(number: int) -> str:
    return "initial" if number == INITIAL_ROUND else f"after-round-{number:03d}"


def manifest_rows(
    query: Query,
    labels: Mapping[int, LabelEvent],
    dataset: Dataset,
    marks: Standing | None = None,
    keep: Callable[[int], bool] = lambda sample_id: True,
) -> Iterator[dict[str, Any]]:
    """What the manifest says of each queried image, but for its path."""
    classes, truth = dataset.classes, dataset.train.labels
    for place, item in enumerate(query.seen(labels)):
        if not keep(item.sample_id):
            continue
        event = labels.get(item.sample_id)
        answer = answer_text(event, classes)
        true_class = int(truth[item.sample_id])
        standing = (marks or {}).get(item.sample_id, {})
        values: dict[str, Any] = {
            "sample_id": item.sample_id,
            "name": dataset.train.file_name(item.sample_id),
            "round": query.round,
            "rank": item.rank,
            "strategy": query.strategy,
            "score": item.score,
            "label": answer,
            "label_id": event.value if event is not None and answer is not None else None,
            "labeled_by": event.source.value if event is not None and answer is not None else None,
            "unsure": "yes" if Mark.UNSURE in standing else None,
            "flagged": "yes" if Mark.FLAG in standing else None,
            "note": note_text(standing),
            "ahead": "yes" if place >= len(query.items) else None,
            "truth": None if true_class == UNKNOWN else classes[true_class],
            "experiment": query.experiment_id,  # `train` finds its run by it
        }
        for nth, (class_id, probability) in enumerate(item.guesses[:3], start=1):
            values |= {f"guess_{nth}": classes[class_id], f"probability_{nth}": round(probability, 6)}
        yield values


def _path(values: Mapping[str, Any], folders: Sequence[str], suffix: str) -> str:
    label = values["label_id"]
    folder = folders[label] if label is not None and label >= 0 else _FOLDERS[label]
    stem = safe_name(PurePosixPath(values["name"]).stem)
    number = f"{values['sample_id']:06d}"
    name = number if number in stem else f"{number}-{stem}"
    return f"{folder}/{name}{suffix if re.fullmatch(r'[.][a-z0-9]{1,5}', suffix) else '.bin'}"
