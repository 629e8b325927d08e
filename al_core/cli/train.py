"""`train`: train once on labels that are there: the images that a run selected, or a folder of classes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from al_core.baselines import on_selection, once
from al_core.cli.flags import add_option_flags, config_from, read_config
from al_core.cli.models import open_run
from al_core.cli.run import execute
from al_core.config import ExperimentConfig
from al_core.deploy.selection import Selection, read_selection
from al_core.errors import ConfigError, NotFound, Problem
from al_core.experiment import Experiment
from al_core.results.export import NO_CLASS
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "train",
        help="train once on an exported selection or on a folder of classes",
        description="Train one round, passively. SOURCE is what `export --images` wrote (the zip, or the "
        "folder taken apart), a CSV with sample_id or file and label, or any folder with a folder for each "
        "class. A selection is trained with its run's data, splits, seed and options, so that the result "
        "can be compared; flags go on top. With --frozen it is a linear probe: multinomial logistic "
        "regression on the model's fixed features. The result is an ordinary run of one round.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("source", type=Path, metavar="SOURCE", help="zip, CSV or folder")
    parser.add_argument("--like", metavar="RUN", help="take data, model and options of this run")
    parser.add_argument("--config", type=Path, help="or of this manifest or config")
    parser.add_argument("--out", type=Path, help="folder for records.json and manifest.json")
    parser.add_argument("--resume", action="store_true", help="go on with the run that --out holds")
    parser.add_argument("--download", action="store_true", help="allow the data set to be downloaded")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_option_flags(parser)


def main(arguments: argparse.Namespace) -> int:
    """Make the config of one training, and run it as any other experiment."""
    settings = Settings.from_env()
    source: Path = arguments.source
    selection = read_selection(source)
    parent = _parent(arguments, settings, selection)
    if parent is not None:
        base = parent.config
    else:
        base = read_config(arguments.config) if arguments.config else ExperimentConfig()
    base = once(base)
    known = parent is not None or arguments.config or "data.dataset" in vars(arguments)
    if selection is not None and not known and source.is_dir():
        _as_folder(source)
        selection = None
    if selection is None:
        base = base.changed(data__dataset=f"folder:{source}", query__baseline="full")
    else:
        base = on_selection(base, str(selection.keep(settings)))
        if not known:
            allowed = "names images of a data set: say which with --like RUN or --dataset NAME"
            raise ConfigError([Problem("SOURCE", str(source), allowed)])
    base = base.changed(name=_name(source, parent, selection))
    config = config_from(arguments, base)
    return execute(config, arguments, settings, parent_id=parent.id if parent else None)


def _parent(
    arguments: argparse.Namespace, settings: Settings, selection: Selection | None
) -> Experiment | None:
    """The run that is asked for; else the one that the selection is from, where it is in this store."""
    if arguments.like and arguments.config:
        raise ConfigError([Problem("--config", str(arguments.config), "goes with no --like: name one")])
    text = arguments.like or (selection.experiment if selection and not arguments.config else None)
    if text is None:
        return None
    store = open_store(settings)
    try:
        return open_run(store, settings, text)
    except NotFound:
        if arguments.like:
            raise
        return None
    finally:
        store.close()


def _as_folder(source: Path) -> None:
    """An export whose run is not here is a folder of classes as any other."""
    odd = sorted(name for name in NO_CLASS if (source / name).exists())
    if odd:
        allowed = f"holds {', '.join(odd)}, which {'is' if len(odd) == 1 else 'are'} no class: remove it"
        raise ConfigError([Problem("SOURCE", str(source), allowed)])
    sys.stderr.write(
        f"the run that {source} was exported from is not here: its pictures are taken as they lie, with a "
        "test share of their own. --like RUN or --dataset NAME would take the data set that they are from\n"
    )


def _name(source: Path, parent: Experiment | None, selection: Selection | None) -> str:
    """What the run is called: after its model run, so that they are listed and drawn together."""
    if parent is not None:
        return f"{parent.record.name[:100]} ({'selection' if selection else 'folder'})"
    return f"{source.resolve().name[:100] or 'folder'} (trained once)"
