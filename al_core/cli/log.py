"""`log`: what the jobs of a run wrote, attempt by attempt."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from al_core.experiment import Experiment
from al_core.results.logs import run_log
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("log", help="print a run's log: every attempt of every job")
    parser.set_defaults(function=main)
    parser.add_argument("run", help="its id, as `list runs` shows it")


def main(arguments: argparse.Namespace) -> int:
    """Print it."""
    settings = Settings.from_env()
    store = open_store(settings)
    try:
        experiment = Experiment.open(store, settings, arguments.run)
        sys.stdout.write(run_log(store, settings, experiment.id) or "no job has run yet\n")
    finally:
        store.close()
    return 0
