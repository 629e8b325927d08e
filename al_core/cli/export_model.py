"""`export-model`: a round's model as a folder or zip that works without this program."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from al_core.cli.models import open_run
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "export-model",
        help="write a round's model: safetensors, ONNX, model.json and a predict.py",
        description="Write a round's model into a folder or zip: model.safetensors, model.onnx (checked "
        "equal), model.json and a predict.py of 20 lines that needs only onnxruntime, pillow and numpy.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("run", help="experiment id, or the --out folder of a run")
    parser.add_argument("--out", type=Path, required=True, help="new or empty folder, or a file *.zip")
    parser.add_argument(
        "--round", type=int, help="without: the best by validation accuracy, or the last; never by test"
    )
    parser.add_argument("--no-onnx", action="store_true", help="weights and model.json only")


def main(arguments: argparse.Namespace) -> int:
    """Write the files."""
    from al_core.engine.saved import write_model  # noqa: PLC0415 - torch: only where it is wanted

    settings = Settings.from_env()
    store = open_store(settings)
    try:
        experiment = open_run(store, settings, arguments.run)
        choice = write_model(experiment, arguments.out, number=arguments.round, onnx=not arguments.no_onnx)
    finally:
        store.close()
    sys.stdout.write(f"{choice.why}\nwritten: {arguments.out}\n")
    return 0
