"""Presets: named sets of options, applied on top of a config. No torch here: forms and --help show them.

What is given explicitly (a flag, a field of the form) wins over the preset, because it is applied after it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from al_core.config import ExperimentConfig
from al_core.errors import ConfigError, Problem
from al_core.words import tr


@dataclass(frozen=True)
class Preset:
    """Options by dotted path ("train.epochs"), and what they are good for."""

    name: str
    title: str
    description: str
    overrides: Mapping[str, Any] = field(default_factory=dict)


_FAST: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "model.model": "fast_net", "model.pretrained": False, "model.frozen": False, "train.epochs": 14,
        "train.batch_size": 64, "train.learning_rate": None, "train.optimizer": "adam",
        "train.schedule": "onecycle", "train.weight_decay": 0.0, "train.augment": True, "train.start": "cold",
    }
)  # fmt: skip

PRESETS: Final[tuple[Preset, ...]] = (
    Preset(
        "quick", "Quick",
        "A small network from scratch and ten rounds of 20 labels, each trained in seconds on a processor.",
        MappingProxyType(
            {
                "model.model": "small_cnn", "model.pretrained": False, "model.frozen": False,
                "train.epochs": 50, "train.min_steps": 200, "train.batch_size": 64,
                "train.learning_rate": None, "train.optimizer": "adam", "train.schedule": "onecycle",
                "train.weight_decay": 0.0, "train.augment": False, "train.start": "cold",
                "query.n_new": 20, "stop.n_rounds": 10,
            }
        ),
    ),
    Preset(
        "instant", "Instant",
        "A linear head on frozen ImageNet features: a round takes a fraction of a second once the features "
        "are computed. Best for photos and up to some 4,000 labels.",
        MappingProxyType(
            {"model.model": "squeezenet1_1", "model.pretrained": True, "model.frozen": True}
        ),
    ),
    Preset(
        "fast", "Fast",
        "A small network from scratch, one-cycle rate, augmented, 14 epochs: the most accuracy for its time "
        "on small pictures.",
        _FAST,
    ),
    Preset(
        "sprint", "Sprint",
        "Fast with half its epochs, 7, and half the least steps: half the time to train, some points less. "
        "To try things, to show them, or where the processor is slow.",
        MappingProxyType({**_FAST, "train.epochs": 7, "train.min_steps": 100}),
    ),
    Preset(
        "seed1", "Sherbrooke, 2021",
        "The first seed's defaults: SqueezeNet 1.1 from scratch, 50 epochs at a constant rate, weights kept "
        "from round to round, two validation sets. For comparison; its 3 queries are 4 trainings.",
        MappingProxyType(
            {
                "data.epoch_validation": 0.2, "data.round_validation": 0.2, "init.init": "per_class",
                "init.n_start": 100, "model.model": "squeezenet1_1", "model.pretrained": False,
                "model.frozen": False, "train.epochs": 50, "train.min_steps": 0, "train.batch_size": 50,
                "train.learning_rate": 1e-4, "train.weight_decay": 0.0, "train.optimizer": "adam",
                "train.schedule": "constant", "train.augment": False, "train.start": "warm",
                "query.strategy": "least_confidence", "query.n_new": 100, "stop.n_rounds": 4,
                "stop.patience": 4,
            }
        ),
    ),
    Preset(
        "paper", "Paper",
        "What a publication should show, answered by ground truth: CIFAR-10, 250 labels at random and ten "
        "queries of 250; fresh weights and the fast recipe each round, no early stop, no validation labels "
        "that nobody paid for. Compare runs it with five seeds.",
        MappingProxyType(
            {
                **_FAST, "oracle": "truth", "data.dataset": "cifar10", "data.epoch_validation": 0.0,
                "data.round_validation": 0.0, "init.init": "random", "init.n_start": 250,
                "train.min_steps": 200, "train.early_stopping": None, "train.labeled_validation": 0.0,
                "query.n_new": 250, "stop.n_rounds": 11, "stop.budget": None, "stop.patience": None,
            }
        ),
    ),
)  # fmt: skip


def get(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: there is none; the message lists those there are.
    """
    for preset in PRESETS:
        if preset.name == name.strip().lower():
            return preset
    names = [preset.name for preset in PRESETS]
    near = difflib.get_close_matches(name, names, n=1)
    known = ", ".join(names)
    if near:
        allowed = tr("did you mean {near!r}? it must be one of {names}", near=near[0], names=known)
    else:
        allowed = tr("it must be one of {names}", names=known)
    raise ConfigError([Problem("--preset", name, allowed)])


def apply(config: ExperimentConfig, name: str) -> ExperimentConfig:
    """A checked copy of the config with the preset's options; all others stay.

    Raises:
        ConfigError: there is no such preset.
    """
    return config.changed(**{path.replace(".", "__"): v for path, v in get(name).overrides.items()})
