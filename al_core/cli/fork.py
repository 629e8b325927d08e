"""`fork`: leave a run after one of its rounds, with another strategy, model or other options."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from al_core.cli.flags import add_option_flags, config_from
from al_core.cli.marks import marked
from al_core.cli.models import named_run, open_run
from al_core.cli.run import check_out, require_same, work_on
from al_core.errors import ConfigError, Problem
from al_core.experiment import Experiment
from al_core.forking import fork, fork_name, origin
from al_core.records import ExperimentStatus
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "fork",
        help="leave a run after a round, with another strategy or model",
        description="A new run that has the rounds, queries and labels of RUN up to a round, and goes "
        "its own way: `fork RUN --round 3 --strategy badge`. Seed, data, initial set and hold-back "
        "stay. "
        "Where a person labels, it asks, and is labeled in the browser; what its relatives have answers for "
        "is answered from there.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("run", help="id of the run, as `list runs` shows it, or its --out folder")
    parser.add_argument("--round", type=int, required=True, help="the last round that it shares with the run")
    parser.add_argument("--out", type=Path, help="folder for records.json and manifest.json")
    parser.add_argument("--resume", action="store_true", help="go on with the fork that --out holds")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_option_flags(parser)


def main(arguments: argparse.Namespace) -> int:
    """Fork, or find the fork to go on with, and work on it here."""
    settings = Settings.from_env()
    check_out(arguments)
    with closing(open_store(settings)) as store:
        mark = arguments.out / "run.json" if arguments.out else None
        if mark is not None and mark.exists():
            experiment = Experiment.open(store, settings, marked(mark, "experiment"))
            _require_left_there(experiment, mark, arguments)
            require_same(experiment, config_from(arguments, experiment.config))
        else:
            source = open_run(store, settings, arguments.run)
            config = config_from(arguments, source.config)
            if config == source.config:
                allowed = "name at least one option that differs, such as --strategy or --model"
                raise ConfigError([Problem("fork", arguments.run, allowed)])
            if config.name == source.config.name:
                config = config.changed(name=fork_name(config, source.record.name, arguments.round))
            record = fork(store, settings, source.id, arguments.round, config)
            if mark is not None:
                left = {"run": source.id, "round": arguments.round}
                mark.write_text(json.dumps({"experiment": record.id, "left": left}))
            experiment = Experiment.open(store, settings, record.id)
        state = work_on(experiment, arguments)
        if experiment.record.status is ExperimentStatus.AWAITING_LABELS:
            step = experiment.step()
            sys.stdout.write(f"  waits for a person: {step.done} of {step.total} images are answered\n")
    return state


def _require_left_there(experiment: Experiment, mark: Path, arguments: argparse.Namespace) -> None:
    """Raises ConfigError where what --resume goes on with left another run, or after another round."""
    left = json.loads(mark.read_text(encoding="utf-8")).get("left")
    if left is None:  # the folder of a run, or of a fork of an earlier version, which did not say
        store = experiment.store
        if origin(store, experiment.record, store.rounds(experiment.id)) is None:
            allowed = "holds a run that is no fork; go on with `run --resume`, or name another folder"
            raise ConfigError([Problem("--out", str(arguments.out), allowed)])
        return
    told = "the fork that --out holds left {}; name that to go on with it, or name another folder"
    run, number = named_run(arguments.run), arguments.round
    wrong = []
    if run != left["run"]:
        wrong.append(Problem("RUN", run, told.format(repr(left["run"]))))
    if number != left["round"]:
        wrong.append(Problem("--round", number, told.format(f"after round {left['round']}")))
    if wrong:
        raise ConfigError(wrong)
