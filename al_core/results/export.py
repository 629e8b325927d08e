"""Queried images as a zip of class folders, with a manifest that says which sample each file is.

Names come from people and folders, so they are made harmless: no path leaves its folder, no file system
chokes, and no spreadsheet takes a cell of the manifest for a formula. Files carry their sample id.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import IO, Any, Final

from al_core.data.dataset import Dataset
from al_core.records import LabelEvent, Query
from al_core.results.analysis import answer_text
from al_core.types import EXCLUDE, SKIP, UNKNOWN

MANIFEST: Final = "manifest.csv"
_COLUMNS: Final = (
    "sample_id", "path", "name", "round", "rank", "strategy", "score", "label", "label_id", "labeled_by",
    "truth", "guess_1", "probability_1", "guess_2", "probability_2", "guess_3", "probability_3",
)  # fmt: skip
_FOLDERS: Final = {None: "_unlabeled", SKIP: "_skipped", EXCLUDE: "_excluded"}
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_MAX_NAME: Final = 60


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
    """A value for CSV: text that a spreadsheet would run as a formula gets a quote in front."""
    if isinstance(value, str) and value.lstrip()[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value


def write_csv(rows: Iterable[Sequence[Any]], header: Sequence[str]) -> str:
    """CSV text with harmless cells, ended by CR LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def write_queries(
    target: IO[bytes],
    dataset: Dataset,
    queries: Iterable[Query],
    labels: Mapping[int, LabelEvent],
    *,
    keep: Callable[[int], bool] = lambda sample_id: True,
) -> int:
    """Write the queried images that `keep` lets through; gives their number.

    An image lies in the folder of its label as it is now, as it came: the original file's bytes, or a PNG.

    Raises:
        DataError: an image can no longer be read.
    """
    folders = class_folders(dataset.classes)
    rows, written = [], set()
    # stored, not deflated: pictures are compressed already
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for query in queries:
            for values in _items(query, labels, dataset, keep):
                data, suffix = dataset.train.original(values["sample_id"])
                path = _path(values, folders, suffix)
                if path not in written:  # an image whose label was withdrawn may have been asked again
                    archive.writestr(path, data)
                    written.add(path)
                rows.append([(values | {"path": path}).get(name) for name in _COLUMNS])
        archive.writestr(MANIFEST, write_csv(rows, _COLUMNS), zipfile.ZIP_DEFLATED)
    return len(rows)


def _items(
    query: Query, labels: Mapping[int, LabelEvent], dataset: Dataset, keep: Callable[[int], bool]
) -> Iterator[dict[str, Any]]:
    classes, truth = dataset.classes, dataset.train.labels
    for item in query.items:
        if not keep(item.sample_id):
            continue
        event = labels.get(item.sample_id)
        answer = answer_text(event, classes)
        true_class = int(truth[item.sample_id])
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
            "truth": None if true_class == UNKNOWN else classes[true_class],
        }
        for place, (class_id, probability) in enumerate(item.guesses[:3], start=1):
            values |= {f"guess_{place}": classes[class_id], f"probability_{place}": round(probability, 6)}
        yield values


def _path(values: Mapping[str, Any], folders: Sequence[str], suffix: str) -> str:
    label = values["label_id"]
    folder = folders[label] if label is not None and label >= 0 else _FOLDERS[label]
    stem = safe_name(PurePosixPath(values["name"]).stem)
    number = f"{values['sample_id']:06d}"
    name = number if number in stem else f"{number}-{stem}"
    return f"{folder}/{name}{suffix if re.fullmatch(r'[.][a-z0-9]{1,5}', suffix) else '.bin'}"
