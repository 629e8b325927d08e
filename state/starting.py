"""Beginning an experiment: presets, the story of the home page, and the one way in which pages create one."""

from __future__ import annotations

from typing import Any, Final

from al_core import presets
from al_core.check import require_valid
from al_core.config import ExperimentConfig
from al_core.data.dataset import Dataset
from al_core.data.sources import SOURCES
from al_core.models import MODELS
from al_core.records import ExperimentRecord
from state import draft, handles, jobs
from state.text import strategy_title

FIRST: Final = "quick"
"""The preset that a first visitor's form holds."""


def first_config() -> ExperimentConfig:
    """What the set-up form begins with."""
    return presets.apply(ExperimentConfig(), FIRST)


def suited(dataset: Dataset) -> str:
    """The preset to begin with for these images.

    Photos are looked at by ImageNet features where the weights are on this machine: those are computed once,
    and a round is quick from then on.
    """
    photos = dataset.kind == "files"
    return "instant" if photos and MODELS.get("squeezenet1_1").weights_file() else FIRST


def settings_of(preset: str) -> dict[str, Any]:
    """The options of model and training by path, as the form holds them with that preset and nothing else."""
    values = draft.flat(presets.apply(first_config(), preset))
    return {path: value for path, value in values.items() if path.startswith(("model.", "train."))}


def story_config() -> ExperimentConfig:
    """The first experiment that anybody makes: digits, 20 labels to begin with, 20 a round by hand."""
    return ExperimentConfig().changed(
        name="Digits, taught by me",
        data__dataset="digits",
        init__n_start=2,
        model__model="small_cnn",
        query__strategy="margin",
        query__n_new=20,
        stop__budget=120,
    )


def named(config: ExperimentConfig) -> ExperimentConfig:
    """With a telling name where the person gave none."""
    if config.name != ExperimentConfig().name:
        return config
    source = SOURCES.get(config.data.dataset.partition(":")[0])
    title = "My images" if source.path == "required" else source.title
    return config.changed(name=f"{title}, {strategy_title(config.query.chooser)}"[:120])


def begin(config: ExperimentConfig, *, key: str) -> ExperimentRecord:
    """Create the experiment and start it; the same key gives the same experiment, so a double click is one.

    Raises:
        ConfigError: it cannot run. Nothing has been written.
    """
    require_valid(config, handles.settings())
    record = handles.store().create_experiment(named(config), idempotency_key=key)
    jobs.advance(record.id)
    return record
