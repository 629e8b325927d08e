"""`predict`: what a model says of a picture, or of every picture in a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from al_core.cli.models import add_model_flags, classify, open_model, say_refused
from al_core.deploy.outcome import Outcome, check_table_name, write_outcome
from al_core.deploy.pictures import find_pictures

_SHOWN = 50


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "predict",
        help="classify a picture or a folder with a trained model",
        description="Class, confidence, three likeliest classes and milliseconds of each picture. Files "
        "that cannot be opened are named with the reason; the rest goes on.",
    )
    parser.set_defaults(function=main)
    add_model_flags(parser)
    parser.add_argument("pictures", type=Path, help="a picture, or a folder (with all that is below it)")
    parser.add_argument("--out", type=Path, help="table of all pictures: FILE.csv or FILE.json")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no list")


def main(arguments: argparse.Namespace) -> int:
    """Classify and print."""
    if arguments.out is not None:
        check_table_name(arguments.out)
    pictures = find_pictures(arguments.pictures)
    model, words = open_model(arguments.model, arguments.round)
    outcome = classify(model, pictures, quiet=arguments.quiet)
    if arguments.out is not None:
        write_outcome(outcome, arguments.out)
    if not arguments.quiet:
        sys.stdout.write(f"{words}\n" + _lines(outcome))
    say_refused(outcome.refused)
    milliseconds = outcome.milliseconds.mean()
    sys.stdout.write(f"{len(outcome.names)} classified, {milliseconds:.2f} ms each in the network\n")
    if arguments.out is not None:
        sys.stdout.write(f"written: {arguments.out}\n")
    return 0


def _lines(outcome: Outcome) -> str:
    """A line a picture, for the first ones."""
    width = max(len(name) for name in outcome.names[:_SHOWN])
    lines = []
    for row, name in enumerate(outcome.names[:_SHOWN]):
        (best, confidence), *others = outcome.top(row)
        more = ", ".join(f"{outcome.classes[c]} {p:.4f}" for c, p in others)
        lines.append(
            f"{name:{width}s}  {outcome.classes[best]}  {confidence:.4f}  ({more})  "
            f"{outcome.milliseconds[row]:.2f} ms\n"
        )
    if len(outcome.names) > _SHOWN:
        lines.append(f"... and {len(outcome.names) - _SHOWN} more: --out FILE.csv has them all\n")
    return "".join(lines)
