"""`export`: what an experiment asked and learned, as files: records, manifest, labels, selected images."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from al_core.errors import ConfigError, Problem
from al_core.experiment import Experiment
from al_core.results.export import write_csv, write_queries
from al_core.results.records_file import write_run
from al_core.settings import Settings
from al_core.store import open_store
from al_core.types import EXCLUDE, SKIP, UNLABEL

_WORDS = {SKIP: "(skipped)", EXCLUDE: "(excluded)", UNLABEL: "(withdrawn)"}


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("export", help="write an experiment's records, labels and selected images")
    parser.set_defaults(function=main)
    parser.add_argument("experiment", help="experiment id, as `verify` and the browser show it")
    parser.add_argument("--out", type=Path, required=True, help="folder; must be new or empty")
    parser.add_argument(
        "--images",
        action="store_true",
        help="also selected.zip: the queried images in class folders, with a manifest",
    )


def main(arguments: argparse.Namespace) -> int:
    """Write the files."""
    out: Path = arguments.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError([Problem("--out", str(out), "must be a new or empty folder")])
    settings = Settings.from_env()
    store = open_store(settings)
    try:
        experiment = Experiment.open(store, settings, arguments.experiment)
        write_run(experiment, out)
        write_labels(experiment, out / "labels.csv")
        if arguments.images:
            with (out / "selected.zip").open("wb") as file:
                labels = store.current_labels(experiment.id)
                write_queries(file, experiment.dataset, store.queries(experiment.id), labels)
    finally:
        store.close()
    sys.stdout.write(f"written: {out}\n")
    return 0


def write_labels(experiment: Experiment, path: Path) -> None:
    """Every label event, in order; `sample_id` and `label` make a file that `--init import` reads."""
    dataset = experiment.dataset
    rows = [
        [
            event.id, event.sample_id, dataset.train.file_name(event.sample_id),
            dataset.classes[event.value] if event.value >= 0 else _WORDS[event.value],
            event.source.value, event.annotator, event.round, f"{event.at:.3f}",
        ]
        for event in experiment.store.label_events(experiment.id)
    ]  # fmt: skip
    header = ["event", "sample_id", "file", "label", "source", "annotator", "round", "at"]
    path.write_text(write_csv(rows, header), encoding="utf-8", newline="")
