"""`test`: how good a model is on a folder of pictures in class folders."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from al_core.cli.models import add_model_flags, classify, open_model, say_refused
from al_core.deploy.outcome import score, write_score
from al_core.deploy.pictures import by_class, find_pictures, labels_of
from al_core.errors import ConfigError, Problem

_MATRIX_UP_TO = 12  # classes


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "test",
        help="score a trained model on class folders",
        description="Accuracy, macro-F1, a line a class and the confusion matrix on TEST_FOLDER/<class>/*. "
        "A folder that is no class of the model is refused and named.",
    )
    parser.set_defaults(function=main)
    add_model_flags(parser)
    parser.add_argument("folder", type=Path, help="folder with a folder for each class")
    parser.add_argument("--out", type=Path, help="folder for results.json, predictions.csv, confusion.csv")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments: argparse.Namespace) -> int:
    """Classify, compare, print."""
    out: Path | None = arguments.out
    if out is not None and out.exists() and not out.is_dir():
        raise ConfigError([Problem("--out", str(out), "is a file; name a folder")])
    found = find_pictures(arguments.folder)
    model, words = open_model(arguments.model, arguments.round)
    pictures, truth = by_class(found, model.classes)
    outcome = classify(model, pictures, quiet=arguments.quiet)
    labels = labels_of(outcome.names, truth)
    sys.stdout.write(f"{words}\n" + report(score(outcome, labels)))
    say_refused(outcome.refused)
    if out is not None:
        write_score(outcome, labels, out)
        sys.stdout.write(f"written: {out / 'results.json'}, predictions.csv, confusion.csv\n")
    return 0


def report(scored: dict[str, Any]) -> str:
    """The scores as a page of text."""
    metrics = scored["metrics"]
    lines = [
        f"{scored['pictures']} pictures: accuracy {metrics['accuracy']:.4f}, macro-F1 "
        f"{metrics['macro_f1']:.4f}, balanced accuracy {metrics['balanced_accuracy']:.4f}, log-loss "
        f"{metrics['loss']:.4f}, ECE {metrics['ece']:.4f}"
    ]
    width = max(len("class"), *(len(name) for name in scored["classes"]))
    lines.append(f"  {'class':{width}s}  precision  recall      F1  pictures")
    lines += [
        f"  {row['class']:{width}s}  {row['precision']:9.4f}  {row['recall']:6.4f}  {row['f1']:6.4f}  "
        f"{row['pictures']:8d}"
        for row in scored["per_class"]
    ]
    absent = [row["class"] for row in scored["per_class"] if not row["pictures"]]
    if absent:
        lines.append(f"  without a picture, and not in the averages: {', '.join(absent)}")
    if len(scored["classes"]) <= _MATRIX_UP_TO:
        lines.append("  confusion (rows: true, columns: predicted, in the order above)")
        cell = max(len(str(n)) for row in scored["confusion"] for n in row)
        for name, row in zip(scored["classes"], scored["confusion"], strict=True):
            lines.append(f"  {name:{width}s}  " + " ".join(f"{n:{cell}d}" for n in row))
    return "\n".join(lines) + "\n"
