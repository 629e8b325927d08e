"""Tables of labels: CSV, JSON (a list, lines, or a mapping of file to label) and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from al_core.errors import DataError
from al_core.exchange.content import MAX_ROWS, Content, Refused, Row, row_of
from al_core.words import kept, noted, tr

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

MAX_TEXT: Final = 2 * 2**30
"""Bytes of a CSV or JSON file; JSON is read whole."""
OURS: Final = "askwell"
_NEEDED: Final = noted("a column sample_id or file, and a column label (or answer, flag, note)")


def read_csv(path: Path, *, by_path: bool = False) -> Content:
    """A CSV file with a header; the separator is a comma, a semicolon or a tab.

    `by_path`: an image is where the column `path` says, whatever its name was.

    Raises:
        DataError: it is no such file.
    """
    small_enough(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            counts = {mark: header.count(mark) for mark in ",;\t"}
            reader = csv.DictReader(file, delimiter=max(counts, key=lambda mark: counts[mark]))
            rows, refused = collect(_csv_rows(reader, by_path))
    except UnicodeDecodeError as error:
        raise DataError(
            tr("{path} is not UTF-8 ({reason}); save it as CSV UTF-8", path=path.name, reason=error.reason)
        ) from None
    except (OSError, csv.Error) as error:
        raise DataError(tr("{path} cannot be read as CSV ({error})", path=path.name, error=error)) from None
    return Content("csv", rows, refused)


def _csv_rows(reader: csv.DictReader[str], by_path: bool) -> Iterator[Row | Refused]:
    names = [str(name) for name in reader.fieldnames or []]
    check_columns(names)
    if len(set(names)) < len(names):
        raise DataError(tr("two columns of the header have one name; rename one"))
    for number, fields in enumerate(reader, start=2):
        if None in fields:
            yield Refused(
                kept("row {n}", n=number),
                str(fields[names[0]])[:200],
                noted("it has more cells than the header"),
            )
        else:
            if by_path and fields.get("path"):
                fields = {k: v for k, v in fields.items() if k not in ("file", "name")}
            yield row_of(kept("row {n}", n=number), fields, csv=True)


def check_columns(names: Iterable[str]) -> None:
    """Raises DataError where the columns cannot say which image has which label."""
    there = {name.strip().lower() for name in names}
    probe = row_of("", dict.fromkeys(there, "1"))
    named = isinstance(probe, Refused) or probe.sample_id is not None or probe.file is not None
    said = isinstance(probe, Refused) or probe.label or probe.answer or probe.marks or probe.beside
    if not named or not said:
        shown = ", ".join(sorted(there)[:12]) or "none"
        raise DataError(
            tr(
                "the columns ({shown}) do not say which image has which label; needed are {needed}",
                shown=shown,
                needed=tr(_NEEDED),
            )
        )


def collect(found: Iterable[Row | Refused]) -> tuple[list[Row], list[Refused]]:
    """Rows and refusals apart.

    Raises:
        DataError: there are too many.
    """
    rows: list[Row] = []
    refused: list[Refused] = []
    for item in islice(found, MAX_ROWS + 1):
        if isinstance(item, Refused):
            refused.append(item)
        else:
            rows.append(item)
    if len(rows) + len(refused) > MAX_ROWS:
        raise DataError(tr("there are more than {most:,} rows; split the file", most=MAX_ROWS))
    return rows, refused


def small_enough(path: Path) -> None:
    """Raises DataError for a file that is not read whole."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(
            tr("{path} cannot be read ({reason})", path=path.name, reason=error.strerror)
        ) from None
    if size > MAX_TEXT:
        raise DataError(
            tr(
                "{path} holds {size:.1f} GB; at most {most} GB are read",
                path=path.name,
                size=size / 2**30,
                most=MAX_TEXT >> 30,
            )
        )


def read_json_value(path: Path) -> Any:
    """A JSON file's value; lines of JSON make a list.

    Raises:
        DataError: it is no JSON.
    """
    small_enough(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            lines = [line for line in text.split("\n") if line.strip()]
            if len(lines) < 2 or error.msg != "Extra data":
                raise
            return [json.loads(line) for line in lines]
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(tr("{path} is not JSON ({error})", path=path.name, error=str(error)[:200])) from None


def from_json(value: Any) -> Content:
    """A list of objects, an object with a list `images`, or a mapping of file names to labels.

    Raises:
        DataError: it is something else.
    """
    classes, fingerprint = (), None
    if isinstance(value, dict) and isinstance(value.get("images"), list):
        classes, fingerprint = declared(value.get(OURS))
        items: Any = value["images"]
    elif isinstance(value, dict) and value and all(_scalar(v) for v in value.values()):
        items = [{"file": name, "label": label} for name, label in value.items()]
    else:
        items = value
    if not isinstance(items, list):
        raise DataError(
            tr("this JSON is none of: a list of objects, an object with `images`, names with labels")
        )
    rows, refused = collect(
        row_of(kept("entry {n}", n=number), item) if isinstance(item, dict)
        else Refused(kept("entry {n}", n=number), str(item)[:200], noted("it is no object"))
        for number, item in enumerate(items, start=1)
    )  # fmt: skip
    return Content("json", rows, refused, classes, fingerprint)


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def declared(facts: Any) -> tuple[tuple[str, ...], str | None]:
    """Classes and fingerprint that an export of ours names; nothing where it is none."""
    if not isinstance(facts, Mapping):
        return (), None
    classes, fingerprint = facts.get("classes"), facts.get("fingerprint")
    names = tuple(classes) if isinstance(classes, list) and all(isinstance(c, str) for c in classes) else ()
    return names, fingerprint if isinstance(fingerprint, str) else None


def read_parquet(path: Path) -> Content:
    """A Parquet file of plain columns.

    Raises:
        DataError: it is no such file.
    """
    with opened(path) as file:
        metadata = file.schema_arrow.metadata or {}
        try:
            facts = json.loads(metadata.get(OURS.encode(), b"null"))
        except ValueError:
            facts = None
        check_columns(file.schema_arrow.names)
        rows, refused = collect(_parquet_rows(file, path))
    return Content("parquet", rows, refused, *declared(facts))


def _parquet_rows(file: ParquetFile, path: Path) -> Iterator[Row | Refused]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=4096):
            for fields in batch.to_pylist():
                number += 1
                yield row_of(kept("row {n}", n=number), fields)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(path, error) from None


def opened(path: Path) -> ParquetFile:
    """A Parquet file, opened.

    Raises:
        DataError: it is none.
    """
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - 4 MB that only those who read or write one need

    try:
        return ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: Exception) -> DataError:
    """The error for a file that its library refuses."""
    return DataError(
        tr("{path} cannot be read ({error}); write it anew", path=path.name, error=str(error)[:200])
    )
