"""Studies by name: what `study --preset` and the Compare page begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final


@dataclass(frozen=True)
class StudyPreset:
    """A study file's content, and what it is good for."""

    name: str
    title: str
    description: str
    values: Mapping[str, Any]


STUDY_PRESETS: Final = (
    StudyPreset(
        "quick",
        "Quick, on digits",
        "Random, margin, BADGE and auto, five seeds, eight rounds of 20: some minutes on two cores.",
        MappingProxyType(
            {
                "name": "Quick",
                "base": {
                    "data": {"dataset": "digits"},
                    "train": {"epochs": 30, "min_steps": 100},
                    "query": {"n_new": 20},
                    "stop": {"n_rounds": 8},
                },
                "axes": {"query.strategy": ["random", "margin", "badge", "u_herding"]},
                "seeds": 5,
            }
        ),
    ),
    StudyPreset(
        "sherbrooke",
        "Sherbrooke, 2021",
        "The first seed's query-strategy batch, settings and random seed as there: SqueezeNet from scratch "
        "on CIFAR-10, 20 rounds. It takes hours on a processor, and one seed decides nothing.",
        MappingProxyType(
            {
                "name": "Sherbrooke: query strategies",
                "base": {
                    "data": {"dataset": "cifar10", "epoch_validation": 0.2, "round_validation": 0.2},
                    "init": {"init": "per_class", "n_start": 100},
                    "model": {"model": "squeezenet1_1"},
                    "train": {
                        "epochs": 10, "min_steps": 0, "batch_size": 50, "learning_rate": 1e-4,
                        "schedule": "constant", "start": "warm",
                    },
                    "query": {"n_new": 100},
                    "stop": {"n_rounds": 21, "patience": 3},
                },
                "axes": {"query.strategy": ["random", "least_confidence", "margin", "entropy"]},
                "seeds": [2021],
            }
        ),
    ),
)  # fmt: skip
"""`n_rounds` counts trainings here and queries there, so that its 20 rounds are 21."""


def study_preset(name: str) -> StudyPreset | None:
    """The preset of that name, or None."""
    return next((preset for preset in STUDY_PRESETS if preset.name == name), None)
