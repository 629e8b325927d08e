"""Beginning an experiment: presets, the story of the home page, and the one way in which pages create one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from al_core.check import require_valid
from al_core.config import ExperimentConfig
from al_core.data.sources import SOURCES
from al_core.query.strategies import STRATEGIES
from al_core.records import ExperimentRecord
from state import handles, jobs

SECONDS_A_LABEL: Final = 1.5
"""A practised person on easy pictures of ten classes."""


@dataclass(frozen=True)
class Preset:
    """A named starting point: what it changes in the defaults, by dotted path with `__`."""

    name: str
    help: str
    changes: dict[str, Any]


PRESETS: Final = (
    Preset(
        "Quick",
        "Ten small rounds that train in seconds on a processor.",
        {"query__n_new": 20, "stop__n_rounds": 10, "train__epochs": 50},
    ),
    Preset(
        "Paper",
        "The published baseline: SqueezeNet on CIFAR-10, 100 labels a class, then 100 a round for 20 rounds.",
        {
            "oracle": "truth",
            "seed": 2021,
            "data__dataset": "cifar10",
            "data__epoch_validation": 0.2,
            "data__round_validation": 0.2,
            "init__n_start": 100,
            "model__model": "squeezenet1_1",
            "train__epochs": 10,
            "train__min_steps": 0,
            "train__batch_size": 50,
            "train__learning_rate": 1e-4,
            "train__schedule": "constant",
            "train__start": "warm",
            "query__strategy": "least_confident",
            "query__n_new": 100,
            "stop__n_rounds": 20,
            "stop__patience": 3,
        },
    ),
    Preset("Own", "The defaults, to change as you like.", {}),
)


FIRST: Final = "Quick"
"""What a first visitor's form holds."""


def preset_config(name: str) -> ExperimentConfig:
    """The config that a preset stands for."""
    preset = next(preset for preset in PRESETS if preset.name == name)
    return ExperimentConfig().changed(**preset.changes)


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
    return config.changed(name=f"{title}, {STRATEGIES.get(config.query.strategy).title}"[:120])


def begin(config: ExperimentConfig, *, key: str) -> ExperimentRecord:
    """Create the experiment and start it; the same key gives the same experiment, so a double click is one.

    Raises:
        ConfigError: it cannot run. Nothing has been written.
    """
    require_valid(config, handles.settings())
    record = handles.store().create_experiment(named(config), idempotency_key=key)
    jobs.advance(record.id)
    return record
