"""Labels that a run gave, as a list to train on again: an exported selection, its zip, or a labels file."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from al_core.errors import DataError
from al_core.results.export import MANIFEST, write_csv
from al_core.settings import Settings
from al_core.words import tr

_MAX_MANIFEST: Final = 512 * 2**20


@dataclass(frozen=True)
class Selection:
    """Labels by sample id (or by file where there is none), and the run that they are from, if it is said."""

    key: str  # "sample_id" or "file"
    labels: Mapping[str, str]
    experiment: str | None

    def keep(self, settings: Settings) -> Path:
        """Write them where they stay, under a name of their content, so that a run can be repeated."""
        text = write_csv(self.labels.items(), (self.key, "label"))
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        path = settings.home / "selections" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path


def read_selection(path: Path) -> Selection | None:
    """The labels that a file, a zip or a folder with a manifest holds; None for an ordinary folder.

    Images that were skipped, excluded, withdrawn or not labeled are left out; of several labels the last
    one holds.

    Raises:
        DataError: it holds none, or cannot be read.
    """
    try:
        text = _text(path)
        if text is None:
            return None
        reader = csv.DictReader(io.StringIO(text, newline=""))
        columns, rows = set(reader.fieldnames or ()), list(reader)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, csv.Error) as error:
        raise DataError(
            tr("{path} cannot be read as a list of labels ({error})", path=path, error=error)
        ) from None
    key = next((name for name in ("sample_id", "file") if name in columns), None)
    if key is None or "label" not in columns:
        if path.is_dir():
            return None  # somebody else's manifest: the class folders speak
        raise DataError(tr("{path} needs a header with the columns label, and sample_id or file", path=path))
    labels: dict[str, str] = {}
    runs: set[str] = set()
    for row in rows:
        runs.add(row.get("experiment") or "")
        labels.pop(row[key] or "", None)  # the last one holds, also where it takes the label back
        if _is_label(row, columns):
            labels[row[key] or ""] = row["label"] or ""
    if not labels:
        raise DataError(tr("{path} names no image with a label", path=path))
    return Selection(key, labels, next(iter(runs)) or None if len(runs) == 1 else None)


def _text(path: Path) -> str | None:
    if path.is_dir():
        manifest = path / MANIFEST
        return manifest.read_text(encoding="utf-8-sig") if manifest.is_file() else None
    if not path.exists():
        raise DataError(tr("there is no file or folder {path}", path=path))
    if path.suffix.lower() != ".zip":
        return path.read_text(encoding="utf-8-sig")
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(MANIFEST).file_size > _MAX_MANIFEST:
            raise DataError(
                tr("the manifest in {path} is larger than {most} MB", path=path, most=_MAX_MANIFEST >> 20)
            )
        return archive.read(MANIFEST).decode("utf-8-sig")


def _is_label(row: Mapping[str, str | None], columns: Iterable[str]) -> bool:
    """Whether a row gives a class: our manifests have its number, our logs put all else in parentheses."""
    label = row["label"] or ""
    if "label_id" in columns:
        return (row["label_id"] or "").isdecimal()
    if "event" in columns:
        return label not in ("(skipped)", "(excluded)", "(withdrawn)")
    return bool(label.strip())
