"""What `test`, `predict`, `train` and `export-model` mean by RUN and by MODEL."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from al_core.cli.bars import bar
from al_core.cli.marks import marked
from al_core.deploy.card import CARD
from al_core.deploy.choosing import choose_round
from al_core.deploy.outcome import Outcome
from al_core.deploy.pictures import Pictures, Refused
from al_core.errors import ModelError, NotFound
from al_core.experiment import Experiment
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store

if TYPE_CHECKING:
    from al_core.engine.saved import SavedModel

_NAMED = 50


def open_run(store: Store, settings: Settings, text: str) -> Experiment:
    """The experiment of an id, or of the folder that `run --out` wrote.

    Raises:
        NotFound: there is none.
    """
    return Experiment.open(store, settings, named_run(text))


def named_run(text: str) -> str:
    """The id that RUN means: itself, or the one that the folder's run.json has.

    Raises:
        NotFound: the folder's run.json names none.
    """
    mark = Path(text) / "run.json"
    return marked(mark, "experiment") if mark.is_file() else text


def open_model(text: str, number: int | None) -> tuple[SavedModel, str]:
    """The model of a run's round or of a folder that export-model wrote; and which it is, in words.

    Raises:
        ModelError, NotFound: neither is there, or the weights cannot be read.
    """
    from al_core.engine import saved  # noqa: PLC0415 - torch: only where it is wanted

    folder = Path(text)
    if (folder / CARD).is_file():
        if number is not None:
            raise ModelError(f"{text} holds one model; --round goes with a run")
        model = saved.open_folder(folder)
        return model, model.title
    settings = Settings.from_env()
    store = open_store(settings)
    try:
        experiment = open_run(store, settings, text)
        choice = choose_round(store.rounds(experiment.id), number)
        return saved.open_round(experiment, choice), f"{experiment.record.name}: {choice.why}"
    except NotFound as error:
        if folder.exists():
            raise ModelError(f"{text} holds no {CARD}; name a folder that export-model wrote") from error
        raise
    finally:
        store.close()


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """The model and its round, as `test` and `predict` take them."""
    parser.add_argument("model", help="experiment id, the --out folder of a run, or a saved model's folder")
    parser.add_argument(
        "--round", type=int, help="of a run; without: the best by validation accuracy, or the last"
    )


def classify(model: SavedModel, pictures: Pictures, *, quiet: bool) -> Outcome:
    """What the model says of the pictures, with a progress bar."""
    from al_core.engine import saved  # noqa: PLC0415 - torch: only where it is wanted

    with bar("pictures", quiet=quiet) as progress:
        return saved.classify(model, pictures, progress=progress)


def say_refused(refused: Sequence[Refused]) -> None:
    """Name what could not be classified."""
    for item in refused[:_NAMED]:
        sys.stderr.write(f"left out: {item.name}: {item.reason}\n")
    if len(refused) > _NAMED:
        sys.stderr.write(f"left out: {len(refused) - _NAMED} more\n")
