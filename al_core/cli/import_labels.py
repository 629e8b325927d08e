"""`import-labels`: labels of a file or folder into a session: first what would change, then one commit."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tqdm import tqdm

from al_core.cli.import_words import add_source, mapping_of, read_source, tell_refused, write_refused
from al_core.errors import ConfigError, Problem, StoreError
from al_core.exchange import labels
from al_core.exchange.labels import Plan
from al_core.experiment import Experiment
from al_core.settings import Settings
from al_core.store import open_store

BESIDE = {"tag": "tags", "asked": "asked for by hand", "opinion": "further answers"}


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "import-labels",
        help="labels of a CSV, JSON, Parquet, COCO, Label Studio, Hugging Face file or folder into a session",
        description="Says what would be added, changed and left, and names every row that is refused. "
        "Nothing is written without --apply; an import is one commit, which --undo takes back.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("experiment", help="the session's id, as `list runs` shows it")
    add_source(parser, needed=False)
    parser.add_argument("--apply", action="store_true", help="write it; without, nothing is written")
    parser.add_argument(
        "--existing", choices=("replace", "keep"), default="replace",
        help="what happens to an image that has another answer (default: replace)",
    )  # fmt: skip
    parser.add_argument(
        "--new-classes", choices=("refuse", "add"), default="refuse",
        help="what happens to rows with a class that the session has not: refused with the row's number, or "
        "the class is added (default: refuse); --map gives them a class that there is",
    )  # fmt: skip
    parser.add_argument(
        "--add-class", action="append", default=[], metavar="NAME",
        help="add this class alone; more than once for several",
    )  # fmt: skip
    parser.add_argument("--annotator", default="", help="whose labels they are (default: import)")
    parser.add_argument("--undo", metavar="TOKEN", help="take an import back")
    parser.add_argument("--list", action="store_true", dest="listed", help="the imports of this session")
    parser.add_argument("--token", help=argparse.SUPPRESS)
    parser.add_argument("--rev", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--report", type=Path, help="write what was found as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Plan, and write if that is asked for. Exit status 1: rows are refused."""
    settings = Settings.from_env()
    store = open_store(settings)
    try:
        experiment = Experiment.open(store, settings, arguments.experiment)
        if arguments.listed:
            for item in labels.imports(experiment):
                words = f"{item.token}  {item.num_labels:,} labels, {item.num_marks:,} marks"
                sys.stdout.write(f"{words}{'  undone' if item.undone else ''}\n")
            return 0
        if arguments.undo:
            undone = labels.undo(experiment, arguments.undo, annotator=arguments.annotator)
            sys.stdout.write(
                f"taken back: {undone.labels:,} labels, {undone.marks:,} marks; {undone.left:,} were changed "
                "since and stay\n"
            )
            return 0
        if arguments.source is None:
            raise ConfigError([Problem("source", None, "name a file or folder, or --list or --undo")])
        return _import(experiment, arguments)
    finally:
        store.close()


def _import(experiment: Experiment, arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="askwell-import-") as place, _bar() as bar:
        content = read_source(arguments, Path(place), whole=False, bar=bar)
        made = labels.plan(
            experiment, content, existing=arguments.existing, mapping=mapping_of(arguments.map),
            add=arguments.new_classes == "add" or arguments.add_class,
        )  # fmt: skip
        shutil.rmtree(place, ignore_errors=True)
        Path(place).mkdir()
    token = None
    if arguments.apply:
        if arguments.rev not in (None, made.rev):
            raise StoreError("labels came in since this import was checked; check it again")
        token = labels.apply(experiment, made, token=arguments.token, annotator=arguments.annotator)
    if arguments.report:
        arguments.report.write_text(json.dumps(report(experiment, made, token), ensure_ascii=True), "utf-8")
    write_refused(arguments.refused, made.refused)
    _tell(made, token)
    return 1 if made.refused and not arguments.apply else 0


def _bar() -> tqdm:
    return tqdm(disable=None, leave=False, desc="reading")


def _tell(made: Plan, token: str | None) -> None:
    counts = ", ".join(f"{made.count(kind):,} {kind}" for kind in ("added", "changed", "same", "kept"))
    beside = ", ".join(f"{made.count(kind):,} {words}" for kind, words in BESIDE.items())
    sys.stdout.write(f"labels: {counts}; marks: {len(made.marks):,}; {beside}; ")
    sys.stdout.write(f"refused: {len(made.refused):,}\n")
    if made.new:
        sys.stdout.write(f"new classes: {', '.join(map(repr, made.new))}\n")
    tell_refused(made.refused)
    for name in list(made.unknown)[:5]:
        sys.stdout.write(f"  {name!r}: --map {name}=CLASS takes another, --add-class {name} makes it one\n")
    if token is None:
        sys.stdout.write("nothing was written; --apply writes it\n")
    else:
        sys.stdout.write(f"written as import {token}; --undo {token} takes it back\n")


def report(experiment: Experiment, made: Plan, token: str | None) -> dict[str, Any]:
    """The plan as plain values, for a page."""
    return {
        "rev": made.rev,
        "counts": {kind: made.count(kind) for kind in ("added", "changed", "same", "kept")},
        "marks": len(made.marks),
        "beside": {kind: made.count(kind) for kind in BESIDE},
        "new": list(made.new),
        "changes": _changes(experiment, made)[:2000],
        "refused": [[r.place, r.what, r.reason] for r in made.refused],
        "unknown": made.unknown,
        "notes": list(made.notes),
        "empty": made.empty,
        "token": token,
    }


def _changes(experiment: Experiment, made: Plan) -> list[list[Any]]:
    """What, id, file, was, becomes and row of everything that would be written but marks."""
    name = experiment.dataset.train.file_name
    answers = [
        [c.kind, c.sample_id, name(c.sample_id), c.was, c.becomes, c.place]
        for c in made.changes
        if c.kind != "same"
    ]
    return answers + [
        [d.kind, d.sample_id, name(d.sample_id), d.was, d.becomes(made.classes), d.place] for d in made.beside
    ]
