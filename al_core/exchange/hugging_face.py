"""Data sets of the Hugging Face library on disk: Parquet or Arrow files with a picture and a ClassLabel.

Read and written with pyarrow alone: the library itself is not needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from al_core.errors import DataError
from al_core.exchange.archive import bad_name
from al_core.exchange.content import Content, Refused, Row, row_of
from al_core.exchange.tables import OURS, collect, damaged, declared, opened
from al_core.words import kept, noted, tr

_BATCH: Final = 64
_SUFFIXES: Final = {
    b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp", b"GIF8": ".gif", b"BM": ".bmp",
    b"II*\x00": ".tif", b"MM\x00*": ".tif",
}  # fmt: skip
_LABELS: Final = ("label", "labels", "fine_label", "class", "target")


def files_of(folder: Path) -> list[tuple[Path, str]]:
    """The data files below a folder, by name, each with its split."""
    found = [*folder.rglob("*.parquet"), *folder.rglob("*.arrow")]
    inside = [path for path in found if path.is_file() and not path.is_symlink()]
    kept = [path for path in inside if not path.name.startswith(("cache-", "."))]
    return [(path, _split(path.relative_to(folder))) for path in sorted(kept)]


def is_data_file(path: Path) -> bool:
    """Whether it is a file of such a data set: Arrow, or Parquet with pictures in it (else that is a table).

    Raises:
        DataError: it is Parquet that cannot be read.
    """
    if path.suffix.lower() != ".parquet":
        return path.suffix.lower() == ".arrow"
    with opened(path) as file:
        return any(_is_picture(field) for field in file.schema_arrow)


def _split(path: Path) -> str:
    """`data/train-00000-of-00002.parquet`, `train/data-00000.arrow` or `default/test/0000.parquet`."""
    names = [re.split(r"[-.]", path.name)[0], *reversed(path.parts[:-1])]
    return next((name for name in names if name.lower() in ("train", "test", "validation", "valid")), "")


def read_hugging_face(folder: Path, pictures: Path | None, *, only: Path | None = None) -> Content:
    """All files of a data set, or one; with `pictures`, an empty folder, the pictures are written there.

    Raises:
        DataError: there are none, or one cannot be read.
    """
    files = files_of(folder) if only is None else [(only, _split(Path(only.name)))]
    if not files:
        raise DataError(tr("there is no parquet or arrow file in {folder}", folder=folder.name))
    classes, fingerprint = (), None
    refused: list[Refused] = []
    rows: list[Row] = []
    for path, split in files:
        schema, batches = _batches(path)
        metadata = schema.metadata or {}
        features = _features(path, metadata)
        own, mark = declared(_json(metadata.get(OURS.encode())))
        names = _class_names(schema, features)
        classes, fingerprint = classes or own or tuple(next(iter(names.values()), ())), fingerprint or mark
        image = next((field.name for field in schema if _is_picture(field)), None)
        try:
            found, bad = collect(_rows(path, split, batches, names, image, pictures))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise damaged(path, error) from None
        rows, refused = rows + found, refused + bad
    return Content("hf", rows, refused, classes, fingerprint, pictures)


def _batches(path: Path) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    if path.suffix.lower() == ".parquet":
        file = opened(path)
        return file.schema_arrow, file.iter_batches(batch_size=_BATCH)
    try:
        try:
            reader: Any = pa.ipc.open_stream(pa.memory_map(str(path)))
            return reader.schema, iter(reader)
        except pa.ArrowInvalid:
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
            return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(path, error) from None


def _json(data: bytes | None) -> Any:
    try:
        return json.loads(data or b"null")
    except ValueError:
        return None


def _features(path: Path, metadata: Mapping[bytes, bytes]) -> Mapping[str, Any]:
    """What the library wrote about the columns: in the file itself, or beside it."""
    told = _json(metadata.get(b"huggingface"))
    if isinstance(told, dict) and isinstance(told.get("info"), dict):
        return told["info"].get("features") or {}
    try:
        beside = json.loads((path.parent / "dataset_info.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return beside.get("features") or {} if isinstance(beside, dict) else {}


def _class_names(schema: pa.Schema, features: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names behind the numbers of each ClassLabel column, the likeliest label first."""
    named = {}
    for column, feature in features.items():
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and column in schema.names:
            names = feature.get("names")
            if isinstance(names, list) and all(isinstance(name, str) for name in names):
                named[column] = names
    order = {name: place for place, name in enumerate(_LABELS)}
    return dict(sorted(named.items(), key=lambda item: order.get(item[0], len(order))))


def _is_picture(field: pa.Field) -> bool:
    kind = field.type
    return pa.types.is_struct(kind) and {"bytes", "path"} <= {
        kind.field(i).name for i in range(kind.num_fields)
    }


def _rows(
    path: Path,
    split: str,
    batches: Iterator[pa.RecordBatch],
    names: Mapping[str, list[str]],
    image: str | None,
    pictures: Path | None,
) -> Iterator[Row | Refused]:
    column = next(iter(names), None)
    number = 0
    for batch in batches:
        for fields in batch.to_pylist():
            number += 1
            place = kept("{file} row {n}", file=path.name, n=number)
            picture = fields.pop(image, None) if image else None
            if column is not None:
                value = fields.pop(column)
                if value is not None and value != -1:
                    if not isinstance(value, int) or not 0 <= value < len(names[column]):
                        yield Refused(
                            place, str(value)[:40], kept("there is no class {value!r}", value=value)
                        )
                        continue
                    fields["label"] = names[column][value]
            if isinstance(picture, dict):
                given = picture.get("path")
                fields.setdefault("file", given if isinstance(given, str) else None)
                if pictures is not None:
                    written = _write(pictures, split, path, number, picture, fields)
                    if isinstance(written, str):
                        yield Refused(place, str(fields.get("file") or "")[:200], written)
                        continue
            yield row_of(place, {"split": split, **{k: v for k, v in fields.items() if v is not None}})


def _write(
    pictures: Path, split: str, source: Path, number: int, picture: Mapping[str, Any], fields: dict[str, Any]
) -> str | None:
    """Write one picture below `pictures` under its own name where that is good; gives why not."""
    data = picture.get("bytes")
    if not isinstance(data, bytes) or not data:
        return noted("it holds no picture, only a path")
    suffix = next((end for start, end in _SUFFIXES.items() if data.startswith(start)), ".bin")
    name = str(fields.get("file") or "")
    if not name or bad_name(name):
        name = f"{split or source.stem}/{number:07d}{suffix}"
    target = pictures / name
    turn = 1
    while target.exists():
        turn += 1
        target = pictures / f"{Path(name).with_suffix('')} ({turn}){Path(name).suffix}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    except OSError as error:
        return kept("it cannot be written ({reason})", reason=error.strerror)
    fields["file"] = target.relative_to(pictures).as_posix()
    return None
