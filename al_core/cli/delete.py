"""`delete`: a run or a study, for good, with the objects that nothing else refers to."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import Any

from al_core.cli.targets import run_or_study
from al_core.cost.words import megabytes
from al_core.errors import ConfigError, Problem
from al_core.records import StudyRecord
from al_core.removal import delete_run, delete_study
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "delete", help="delete a run or a study for good",
        description="Delete a run (with its random baseline) or a study (with all its runs): labels, rounds, "
        "queries and models. Images and what was exported stay.",
    )  # fmt: skip
    parser.set_defaults(function=main)
    parser.add_argument("id", help="of the run or the study, as `list runs` and `list studies` show it")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def main(arguments: argparse.Namespace) -> int:
    """Ask, delete, and say what was freed."""
    settings = Settings.from_env()
    with closing(open_store(settings)) as store:
        found = run_or_study(store, settings, arguments.id)
        study = isinstance(found, StudyRecord)
        name = found.name if isinstance(found, StudyRecord) else found.record.name
        if not arguments.yes:
            _ask("study" if study else "run", name)
        freed = (delete_study if study else delete_run)(store, settings, found.id)
    sys.stdout.write(f"deleted {name}; {megabytes(freed)} freed\n")
    return 0


def _ask(what: str, name: str) -> None:
    """Raises ConfigError unless the name is typed."""
    if not sys.stdin.isatty():
        raise ConfigError([Problem("--yes", False, f"is needed to delete the {what} without a terminal")])
    sys.stdout.write(f"Deletes the {what} {name!r} and nothing brings it back. Type its name to go on: ")
    sys.stdout.flush()
    typed = sys.stdin.readline().strip()
    if typed != name.strip():
        raise ConfigError([Problem("name", typed, "is not its name; nothing was deleted")])
