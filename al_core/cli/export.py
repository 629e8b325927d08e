"""`export`: a run, a study or several runs as files: records, tables, figures, log, selected images."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from al_core.cli.import_words import teller
from al_core.cli.targets import require_measured, run_or_study, runs_beginning, side_of_runs, side_of_study
from al_core.errors import ConfigError, Problem
from al_core.exchange.content import FORMATS as LABEL_FORMATS
from al_core.exchange.writing import write, zipped
from al_core.experiment import Experiment
from al_core.results.folder import write_comparison_folder, write_run_folder
from al_core.results.records_file import write_json
from al_core.results.rendering import FORMATS, parse_formats
from al_core.results.runs import metric_named, option_path
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "export",
        help="write a run's or a study's records, tables, figures, log and selected images",
        description="Of a run: records.json, manifest.json, rounds, epochs, labels, queries, classes, "
        "confusion matrices, predictions, samples (ids and files), run.log. Of a study, or of runs whose "
        "names begin alike: results.json, every round, averages (mean and sample deviation over seeds), "
        "summary, curves, report.md.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("id", nargs="?", help="a run's or a study's id, as `list runs` shows it")
    parser.add_argument("--prefix", help="in place of an id: runs whose folder or name begins so")
    parser.add_argument(
        "-c", "--label", nargs="+", default=[], metavar="OPTION",
        help="with --prefix: options that name a configuration; without, those that differ",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="folder; must be new or empty")
    parser.add_argument(
        "--figures", nargs="*", metavar="FORMAT",
        help=f"also figures: {', '.join(FORMATS)} (without a format: html)",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", default="last", metavar="N,N|all|last",
        help="rounds of a run whose predictions and confusion figures are written (default: last)",
    )  # fmt: skip
    parser.add_argument(
        "--images", nargs="?", const="class", choices=("class", "round"),
        help="also selected.zip: the queried images in class folders (round: those within a folder for "
        "each round), with a manifest of their ids",
    )  # fmt: skip
    parser.add_argument(
        "--as", dest="form", choices=tuple(LABEL_FORMATS),
        help="only a run's labels, in this format, with run-card.json; import-labels reads it back",
    )  # fmt: skip
    parser.add_argument("--every", action="store_true", help="with --as: images without a label too")
    parser.add_argument("--zip", type=Path, dest="zipped", help=argparse.SUPPRESS)
    parser.add_argument("--done", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--metric", help="of a study's verdicts")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments: argparse.Namespace) -> int:
    """Write the files."""
    out: Path = arguments.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError([Problem("--out", str(out), "must be a new or empty folder")])
    if (arguments.id is None) == (arguments.prefix is None):
        raise ConfigError([Problem("id", arguments.id, "name a run or a study, or runs by --prefix")])
    metric = metric_named(arguments.metric) if arguments.metric else None
    given: list[str] | None = arguments.figures
    formats = [] if given is None else parse_formats(given or ["html"])
    settings = Settings.from_env()
    store = open_store(settings)
    try:
        with tqdm(disable=arguments.quiet or None, leave=False, desc="figures") as bar:

            def progress(done: int, total: int) -> None:
                bar.total, bar.n = total, done
                bar.refresh()

            found = None if arguments.id is None else run_or_study(store, settings, arguments.id)
            if arguments.form is not None:
                if not isinstance(found, Experiment):
                    raise ConfigError([Problem("--as", arguments.form, "name a run by its id")])
                tell = teller(arguments.progress, bar)
                write(
                    found, out, arguments.form, every=arguments.every,
                    progress=lambda done, total: tell("writing", done, total),
                )  # fmt: skip
                if arguments.zipped:
                    zipped(out, arguments.zipped)
                    write_json(arguments.done, {"written": arguments.form})
            elif isinstance(found, Experiment):
                if metric is not None:
                    raise ConfigError([Problem("--metric", metric.key, "goes with a study or with --prefix")])
                write_run_folder(
                    found, out, rounds=_rounds(arguments.rounds, found), images=arguments.images,
                    formats=formats, progress=progress,
                )  # fmt: skip
            else:
                labels = [option_path(name) for name in arguments.label]
                side = (
                    side_of_runs(
                        store, settings, arguments.prefix, runs_beginning(store, arguments.prefix), labels
                    )
                    if found is None
                    else side_of_study(store, settings, found)
                )
                require_measured(metric, side.all_rounds)
                write_comparison_folder(
                    side, out, metric=metric.key if metric else None, formats=formats, progress=progress
                )
    finally:
        store.close()
    sys.stdout.write(f"written: {out}\n")
    return 0


def _rounds(text: str, experiment: Experiment) -> list[int] | None:
    if text == "last":
        return None
    if text == "all":
        return [record.number for record in experiment.store.rounds(experiment.id)]
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise ConfigError([Problem("--rounds", text, "numbers with commas, all or last")]) from None
