"""Studies by name: what `study --preset` and the Compare page begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from al_core import presets


@dataclass(frozen=True)
class StudyPreset:
    """A study file's content, and what it is good for."""

    name: str
    title: str
    description: str
    values: Mapping[str, Any]


def _base(preset: str, **changes: Any) -> dict[str, Any]:
    """A preset of options as a nested mapping, with changes by path (`__` for the dot) on top."""
    found: dict[str, Any] = {}
    given = dict(presets.get(preset).overrides) | {key.replace("__", "."): v for key, v in changes.items()}
    for path, value in given.items():
        section, _, name = path.partition(".")
        if name:
            found.setdefault(section, {})[name] = value
        else:
            found[section] = value
    return found


_QUICK: Final = StudyPreset(
    "quick",
    "Quick",
    "Digits: random, margin, BADGE and auto, five seeds, eight rounds of 20: some minutes on two cores.",
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
)

_PAPER: Final = StudyPreset(
    "paper",
    "Paper",
    "What a publication should show: five seeds, fresh weights and a strong recipe each round, a minimum of "
    "steps, no early stop, no validation labels that nobody paid for. CIFAR-10, 250 random labels and ten "
    "rounds of 250.",
    MappingProxyType(
        {
            "name": "Paper",
            "base": _base("paper"),
            "axes": {
                "query.strategy": [
                    "random",
                    "margin",
                    "entropy",
                    "badge",
                    "k_center",
                    "typiclust",
                    "u_herding",
                ]
            },
            "seeds": 5,
        }
    ),
)

_SHERBROOKE_AXES: Final[Mapping[str, tuple[str, str, Mapping[str, Any]]]] = MappingProxyType(
    {
        "": (
            "query strategies",
            "random, least confidence, margin and entropy",
            {"query.strategy": ["random", "least_confidence", "margin", "entropy"]},
        ),
        "generalization": (
            "generalization",
            "no regularisation, augmentation, and augmentation with three weight decays; by least confidence",
            {
                "regularisation": [
                    {"name": "none", "options": {"train.augment": False, "train.weight_decay": 0.0}},
                    {"name": "augmented", "options": {"train.augment": True, "train.weight_decay": 0.0}},
                    *(
                        {
                            "name": f"augmented, decay {decay}",
                            "options": {"train.augment": True, "train.weight_decay": decay},
                        }
                        for decay in (0.001, 0.005, 0.008)
                    ),
                ]
            },
        ),
        "pretraining": (
            "pretraining",
            "from scratch and from ImageNet weights; by least confidence",
            {"model.pretrained": [False, True]},
        ),
    }
)
_SHERBROOKE_DATA: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = MappingProxyType(
    {
        "": ("SqueezeNet on CIFAR-10, 20 rounds of 100", {"data__dataset": "cifar10"}),
        "emnist": (
            "ResNet-18 on EMNIST, 10 rounds of 1,000",
            {
                "data__dataset": "emnist_balanced", "model__model": "resnet18", "init__n_start": 50,
                "query__n_new": 1000, "stop__n_rounds": 11,
            },
        ),
    }
)  # fmt: skip


def _sherbrooke(batch: str, data: str) -> StudyPreset:
    """One of the first seed's batches, with its settings and its one random seed."""
    title, what, axes = _SHERBROOKE_AXES[batch]
    where, changes = _SHERBROOKE_DATA[data]
    shared = {
        "train__epochs": 10, "train__augment": True, "train__weight_decay": 0.005, "stop__n_rounds": 21,
        "stop__patience": 3,
    }  # fmt: skip
    network = where.partition(",")[0]
    return StudyPreset(
        "-".join(filter(None, ("sherbrooke", batch, data))),
        f"Sherbrooke: {title}{', EMNIST' if data else ''}",
        f"The first seed's batch of 2021, settings and random seed as there: {what}; {where}. It takes hours "
        "on a processor, and one seed decides nothing: add seeds.",
        MappingProxyType(
            {
                "name": f"Sherbrooke, {network}: {title}",
                "base": _base("seed1", **(shared | dict(changes))),
                "axes": axes,
                "seeds": [2021],
            }
        ),
    )


_DALMAX: Final = StudyPreset(
    "dalmax",
    "DalMax grid",
    "The second seed's grid: ten strategies x query sizes 10, 50 and 100 x three seeds, ten queries each, "
    "with a small network, here on CIFAR-10. Compare by labels: runs of larger queries end at more of them.",
    MappingProxyType(
        {
            "name": "DalMax grid",
            "base": {
                "data": {"dataset": "cifar10"},
                "init": {"init": "random", "n_start": 100},
                "model": {"model": "small_cnn"},
                "stop": {"n_rounds": 11},
            },
            "axes": {
                "query.strategy": [
                    "random", "least_confidence", "margin", "entropy", "mc_least_confidence", "mc_margin",
                    "mc_entropy", "kmeans", "k_center", "bald",
                ],
                "query.n_new": [10, 50, 100],
            },
            "seeds": [1, 2, 3],
        }
    ),
)  # fmt: skip

STUDY_PRESETS: Final = (
    _QUICK, _PAPER, *(_sherbrooke(batch, data) for data in _SHERBROOKE_DATA for batch in _SHERBROOKE_AXES),
    _DALMAX,
)  # fmt: skip
"""`n_rounds` counts trainings here and queries in both seeds, so that their 20 rounds are 21."""


def study_preset(name: str) -> StudyPreset | None:
    """The preset of that name, or None."""
    return next((preset for preset in STUDY_PRESETS if preset.name == name), None)
