"""Labels of a session in other programs' formats, with the run card; read back they give the same state.

Everything is streamed to files: a million images are never in memory at once.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from al_core.data.dataset import Dataset
from al_core.exchange.beside import Beside
from al_core.exchange.content import Format
from al_core.exchange.run_card import run_card
from al_core.exchange.tables import OURS
from al_core.experiment import Experiment
from al_core.pool import Status
from al_core.records import STANDING_MARKS, Mark
from al_core.results.export import MANIFEST, cell, class_folders, safe_name
from al_core.results.records_file import write_json
from al_core.standing import SOURCES, Standing
from al_core.types import EXCLUDE, SKIP, UNLABEL

CARD: Final = "run-card.json"
FILES: Final[dict[Format, str]] = {
    "csv": "labels.csv", "json": "labels.json", "parquet": "labels.parquet", "coco": "coco.json",
    "label-studio": "label-studio.json", "folders": "images.zip", "hf": "data",
}  # fmt: skip
BESIDE: Final = ("tags", "asked_for", "opinions")
"""Lists: as they are where a format has lists, else as JSON."""
COLUMNS: Final = (
    "sample_id", "file", "label", "answer", *(mark.value for mark in STANDING_MARKS), "held_back", "source",
    "annotator", "round", "at", *BESIDE,
)  # fmt: skip
_ANSWERS: Final = {SKIP: "skipped", EXCLUDE: "excluded", UNLABEL: ""}
_NO_CLASS: Final = {"skipped": "_skipped", "excluded": "_excluded", "": "_unlabeled"}
_BATCH: Final = 1024
_PICTURES: Final = 64
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """What is exported: a session, what stands on its images, and which of them are taken."""

    experiment: Experiment
    found: Standing
    ids: list[int]
    held_back: frozenset[int]
    beside: Beside = field(default_factory=Beside)

    @classmethod
    def of(cls, experiment: Experiment, *, every: bool = False) -> Source:
        """All images with an answer or a mark; with `every`, all images."""
        rev = experiment.store.label_rev(experiment.id)
        found = Standing().advance(experiment.store.label_events(experiment.id, until=rev), rev)
        found = found.with_marks(experiment.store.mark_events(experiment.id, until=rev))
        found = found.counted(experiment.classes(until=rev).effects)
        beside = Beside.of(experiment, rev)
        touched = sorted({*found.touched.tolist(), *beside.ids})
        ids = range(len(experiment.dataset.train)) if every else touched
        held = experiment.pool().ids(Status.HELD_BACK).tolist()
        return cls(experiment, found, list(ids), frozenset(held), beside)

    @property
    def dataset(self) -> Dataset:
        """The session's images."""
        return self.experiment.dataset

    def facts(self) -> dict[str, Any]:
        """What an import must know to read the rows as they were meant."""
        return {"classes": list(self.dataset.classes), "fingerprint": self.dataset.fingerprint,
                "experiment": self.experiment.id}  # fmt: skip

    def rows(self) -> Iterator[dict[str, Any]]:
        """One image at a time, by sample id, with COLUMNS."""
        for i in self.ids:
            yield self._row(i)

    def _row(self, i: int) -> dict[str, Any]:
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {"sample_id": i, "file": self.dataset.train.file_name(i), "answer": ""}
        place = self.found.row(i)
        if place is not None and self.found.values[place] != UNLABEL:
            value = int(self.found.values[place])
            row["label"] = self.dataset.classes[value] if value >= 0 else None
            row["answer"] = _ANSWERS.get(value, "labeled")
            row["source"] = SOURCES[int(self.found.sources[place])].value
            row["annotator"] = self.found.names[int(self.found.annotators[place])]
            row["round"] = int(self.found.rounds[place])
            row["at"] = datetime.fromtimestamp(float(self.found.times[place]), UTC).isoformat()
        for mark in self.found.marks_on(i):
            row[mark.value] = self.found.notes.get(i, "") if mark is Mark.NOTE else "yes"
        if i in self.held_back:
            row["held_back"] = "yes"
        return row | self.beside.columns(i, self.dataset.classes)


def write(
    experiment: Experiment, folder: Path, form: Format, *, every: bool = False,
    progress: Progress = lambda done, total: None,
) -> Path:  # fmt: skip
    """Write the labels in this format and the run card into a folder; gives the file (or folder) of labels.

    Raises:
        DataError: an image can no longer be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = Source.of(experiment, every=every)
    card = run_card(experiment, source.found, source.beside)
    target = folder / FILES[form]
    _WRITERS[form](source, target, card, progress)
    write_json(folder / CARD, card)
    return target


def zipped(folder: Path, target: Path) -> None:
    """A folder as one zip, streamed from file to file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                stored = zipfile.ZIP_STORED if path.suffix in (".zip", ".parquet") else None
                archive.write(path, path.relative_to(folder).as_posix(), stored)


def _csv(source: Source, path: Path, card: dict[str, Any], progress: Progress) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for done, row in enumerate(source.rows()):
            writer.writerow([cell(value) for value in _flat(row).values()])
            _told(progress, done, source)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose lists are texts, for formats of plain columns."""
    texts = {name: json.dumps(row[name], ensure_ascii=False) for name in BESIDE if row[name] is not None}
    return row | texts


def _told(progress: Progress, done: int, source: Source) -> None:
    if not done % _BATCH:
        progress(done, len(source.ids))


def _json(source: Source, path: Path, card: dict[str, Any], progress: Progress) -> None:
    _json_list(path, {OURS: source.facts() | {"card": card["card_id"]}}, "images", source, progress, _said)


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what it does not say."""
    return {name: value for name, value in row.items() if value not in (None, "")}


def _json_list(
    path: Path, head: dict[str, Any], name: str, source: Source, progress: Progress,
    shape: Callable[[dict[str, Any]], dict[str, Any] | None], tail: str = "}\n",
) -> None:  # fmt: skip
    """An object with one long list, an entry a line."""
    with path.open("w", encoding="utf-8") as file:
        start = json.dumps(head, ensure_ascii=False)[:-1]
        file.write(f'{start}{", " if head else ""}"{name}": [')
        _entries(file.write, source, progress, shape)
        file.write("\n]" + tail)


def _entries(
    put: Callable[[str], Any], source: Source, progress: Progress,
    shape: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> None:  # fmt: skip
    comma = "\n"
    for done, row in enumerate(source.rows()):
        entry = shape(row)
        if entry is not None:
            put(comma + json.dumps(entry, ensure_ascii=False))
            comma = ",\n"
        _told(progress, done, source)


def _coco(source: Source, path: Path, card: dict[str, Any], progress: Progress) -> None:
    classes = {name: i for i, name in enumerate(source.dataset.classes, start=1)}
    side = source.dataset.image_size if source.dataset.kind == "memmap" else None
    size = {} if side is None else {"width": side, "height": side}

    def image(row: dict[str, Any]) -> dict[str, Any]:
        own = {name: value for name, value in _said(row).items() if name not in ("file", "label")}
        return {"id": row["sample_id"] + 1, "file_name": row["file"], **size, OURS: own}

    def annotation(row: dict[str, Any]) -> dict[str, Any] | None:
        if row["answer"] != "labeled":
            return None
        number = row["sample_id"] + 1
        return {"id": number, "image_id": number, "category_id": classes[row["label"]], "iscrowd": 0}

    head = {
        "info": {"description": "image classification", OURS: source.facts() | {"card": card["card_id"]}},
        "licenses": [],
        "categories": [{"id": i, "name": name, "supercategory": ""} for name, i in classes.items()],
    }
    _json_list(path, head, "images", source, progress, image, tail=',\n"annotations": [')
    with path.open("a", encoding="utf-8") as file:
        _entries(file.write, source, progress, annotation)
        file.write("\n]}\n")


def _label_studio(source: Source, path: Path, card: dict[str, Any], progress: Progress) -> None:
    def task(row: dict[str, Any]) -> dict[str, Any]:
        choice = {
            "from_name": "choice", "to_name": "image", "type": "choices",
            "value": {"choices": [row["label"]]},
        }  # fmt: skip
        given = [{"result": [choice]}] if row["answer"] == "labeled" else []
        if row["answer"] == "skipped":
            given = [{"result": [], "was_cancelled": True}]
        own = {name: value for name, value in _said(row).items() if name != "label"}
        return {
            "id": row["sample_id"] + 1, "data": {"image": row["file"], OURS: own}, "annotations": given,
            "meta": {OURS: facts},
        }  # fmt: skip

    facts = source.facts()
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        _entries(file.write, source, progress, task)
        file.write("\n]\n")


def _schema(source: Source) -> pa.Schema:
    text = [name for name in COLUMNS if name not in ("sample_id", "round")]
    fields = [("sample_id", pa.int64()), *((name, pa.string()) for name in text), ("round", pa.int32())]
    return pa.schema(fields, metadata={OURS: json.dumps(source.facts())})


def _parquet(source: Source, path: Path, card: dict[str, Any], progress: Progress) -> None:
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - as in al_core.exchange.tables

    schema = _schema(source)
    with ParquetWriter(path, schema) as writer:
        for batch in _batches(source, _BATCH, progress):
            writer.write_table(pa.Table.from_pylist([_flat(row) for row in batch], schema=schema))


def _batches(source: Source, size: int, progress: Progress) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for done, row in enumerate(source.rows(), start=1):
        batch.append(row)
        if len(batch) == size or done == len(source.ids):
            yield batch
            batch = []
            progress(done, len(source.ids))
    if not source.ids:
        yield []


def _hugging_face(source: Source, folder: Path, card: dict[str, Any], progress: Progress) -> None:
    """One Parquet file under data/, which `load_dataset` of the folder above reads."""
    folder.mkdir()
    names = list(source.dataset.classes)
    text = [name for name in COLUMNS if name not in ("sample_id", "round", "label")]
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    string, number = {"dtype": "string", "_type": "Value"}, {"dtype": "int64", "_type": "Value"}
    features = {
        "image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}, "sample_id": number,
        "round": number, **dict.fromkeys(text, string),
    }  # fmt: skip
    told = {"huggingface": json.dumps({"info": {"features": features}}), OURS: json.dumps(source.facts())}
    fields = [("image", picture), ("label", pa.int64()), ("sample_id", pa.int64()), ("round", pa.int64())]
    schema = pa.schema([*fields, *((name, pa.string()) for name in text)], metadata=told)
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - as in al_core.exchange.tables

    place = {name: i for i, name in enumerate(names)}
    with ParquetWriter(folder / "train-00000-of-00001.parquet", schema) as writer:
        for batch in _batches(source, _PICTURES, progress):
            for row in batch:
                data, _ = source.dataset.train.original(row["sample_id"])
                row["image"] = {"bytes": data, "path": row["file"]}
                row["label"] = None if row["label"] is None else place[row["label"]]
            writer.write_table(pa.Table.from_pylist([_flat(row) for row in batch], schema=schema))
    (folder.parent / "README.md").write_text(_DATA_CARD, encoding="utf-8")


_DATA_CARD: Final = """---
task_categories:
- image-classification
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
---
Labels and images of a session, written by Askwell; run-card.json says how they came about.
"""


def _folders(source: Source, path: Path, card: dict[str, Any], progress: Progress) -> None:
    """A zip of class folders, with a manifest that says which sample each file is."""
    folders = class_folders(source.dataset.classes)
    place = {name: folders[i] for i, name in enumerate(source.dataset.classes)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        manifest = path.with_name(f".{path.name}.{MANIFEST}")
        try:
            with manifest.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow([*COLUMNS, "path"])
                for done, row in enumerate(source.rows()):
                    data, suffix = source.dataset.train.original(row["sample_id"])
                    around = _NO_CLASS[row["answer"]] if row["label"] is None else place[row["label"]]
                    stem = safe_name(Path(row["file"]).stem)
                    name = f"{around}/{row['sample_id']:06d}-{stem}{suffix}"
                    archive.writestr(name, data)
                    writer.writerow([*(cell(value) for value in _flat(row).values()), cell(name)])
                    _told(progress, done, source)
            archive.write(manifest, MANIFEST, zipfile.ZIP_DEFLATED)
        finally:
            manifest.unlink(missing_ok=True)
        archive.writestr(CARD, json.dumps(card, indent=2, ensure_ascii=False), zipfile.ZIP_DEFLATED)


_WRITERS: Final[dict[Format, Callable[[Source, Path, dict[str, Any], Progress], None]]] = {
    "csv": _csv, "json": _json, "parquet": _parquet, "coco": _coco, "label-studio": _label_studio,
    "folders": _folders, "hf": _hugging_face,
}  # fmt: skip
