"""`import-data`: pictures with labels become a data set of their own: first what would, then it is kept."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from al_core.cli.import_words import add_source, mapping_of, read_source, tell_refused, teller, write_refused
from al_core.config import DataConfig
from al_core.data.prepare import prepare
from al_core.errors import DataError
from al_core.exchange import datasets
from al_core.exchange.content import Content
from al_core.exchange.datasets import Found
from al_core.settings import Settings


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "import-data",
        help="pictures with labels (folder, zip, CSV, JSON, Parquet, COCO, Label Studio, Hugging Face) as "
        "a data set",
        description="Checks every row and every picture, and names what is refused. Nothing is kept without "
        "--apply, which prepares the data set and says the name that `run --dataset` takes.",
    )
    parser.set_defaults(function=main)
    add_source(parser, needed=True)
    parser.add_argument("--pictures", type=Path, help="folder of a table's pictures (default: its own)")
    parser.add_argument("--name", default="", help="of the data set (default: the source's)")
    parser.add_argument("--apply", action="store_true", help="keep it; without, nothing is")
    parser.add_argument("--no-prepare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--untrusted", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--report", type=Path, help="write what was found as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Check, and keep if that is asked for. Exit status 1: rows are refused and nothing was kept."""
    settings = Settings.from_env()
    place = datasets.begin(settings, secrets.token_hex(8))
    try:
        with tqdm(disable=None, leave=False, desc="checking") as bar:
            content = read_source(arguments, place, whole=True, bar=bar, pictures=arguments.pictures)
            content = renamed(content, mapping_of(arguments.map))
            tell = teller(arguments.progress, bar)
            found = datasets.check(content, lambda done, total: tell("checking", done, total))
        kept = _keep(settings, arguments, place, content, found) if arguments.apply else None
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if arguments.report:
        values = datasets.report(found) | {"dataset": kept}
        arguments.report.write_text(json.dumps(values, ensure_ascii=True), "utf-8")
    write_refused(arguments.refused, found.refused)
    _tell(found, kept)
    return 1 if found.refused and kept is None else 0


def renamed(content: Content, mapping: dict[str, str]) -> Content:
    """The content with other names of classes."""
    if not mapping:
        return content
    classes = tuple(dict.fromkeys(mapping.get(name, name) for name in content.classes))
    rows = [replace(row, label=mapping.get(row.label or "", row.label)) for row in content.rows]
    return replace(content, classes=classes, rows=rows)


def _keep(
    settings: Settings, arguments: argparse.Namespace, place: Path, content: Content, found: Found
) -> str:
    root = content.root
    if root is None:
        raise DataError("the source names no pictures")
    title = arguments.name or arguments.source.stem
    folder = datasets.keep(
        settings, place, root.resolve(), found, title, trusted=not arguments.untrusted
    )  # fmt: skip
    name = f"imported:{folder}"
    if not arguments.no_prepare:
        with tqdm(disable=None, leave=False, desc="preparing") as bar:
            tell = teller(arguments.progress, bar)
            prepare(settings, DataConfig(dataset=name), tell, trusted=True)
    return name


def _tell(found: Found, kept: str | None) -> None:
    counts = found.counts()
    sys.stdout.write(f"pictures: {len(found.rows):,}; refused: {len(found.refused):,}\n")
    for name in found.classes:
        sys.stdout.write(f"  {name!r}: {counts.get(name, 0):,}\n")
    for note in found.notes:
        sys.stdout.write(f"  {note}\n")
    tell_refused(found.refused)
    if kept is None:
        sys.stdout.write("nothing was kept; --apply keeps it\n")
    else:
        sys.stdout.write(f"kept: --dataset {kept}\n")
