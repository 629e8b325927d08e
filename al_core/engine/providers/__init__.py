"""Evidence that needs pixels or a network: each kind computed once, and only what is asked for.

A file here provides one or more of the kinds of `query/evidence.py`; `gather` calls what a strategy's
signature needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from al_core.config import ExperimentConfig
from al_core.data.dataset import Dataset
from al_core.engine.inference import Control, Progress, no_control, no_progress
from al_core.engine.network import Network
from al_core.errors import StrategyError
from al_core.query.evidence import KINDS
from al_core.settings import Settings
from al_core.types import Labels, SampleIds
from al_core.words import tr

Copies = Callable[[SampleIds, Labels], Mapping[str, np.ndarray]]
"""Of labeled ids and their classes: the adversarial copies that are trained on beside them, for TrainData."""


def no_copies(ids: SampleIds, classes: Labels) -> Mapping[str, np.ndarray]:
    """None of any image."""
    return {}


@dataclass(frozen=True)
class EvidenceContext:
    """What evidence is made from: the round's network (None before the first) and two sets of train ids."""

    config: ExperimentConfig
    dataset: Dataset
    network: Network | None
    candidate_ids: SampleIds
    labeled_ids: SampleIds
    labeled_classes: Labels
    settings: Settings
    round: int = 0
    progress: Progress = no_progress
    control: Control = no_control
    passes: int = 20  # Monte Carlo passes with dropout
    members: int = 5  # of a committee, the round's network included
    copies: Copies = no_copies  # of labeled images, which members train on as the network did
    checkpoints: Path | None = None  # where training members may resume; none: in a folder that is removed
    labeled_weights: Float32[np.ndarray, " m"] | None = None  # in training; none: all count one

    def trained(self, name: str) -> Network:
        """The network.

        Raises:
            StrategyError: there is none yet.
        """
        if self.network is None:
            raise StrategyError(
                tr(
                    "{name} needs a trained model and there is none before the first round; begin with "
                    "another initial set (random, per_class, kcenter)",
                    name=name,
                )
            )
        return self.network


Provide = Callable[[Collection[str], EvidenceContext], dict[str, np.ndarray]]


def _providers() -> dict[str, Provide]:
    from al_core.engine.providers import (  # noqa: PLC0415 - they use EvidenceContext
        adversarial,
        committee,
        dropout,
        fixed,
        predictions,
    )

    return {
        name: module.provide
        for module in (fixed, predictions, dropout, committee, adversarial)
        for name in module.NAMES
    }


def gather(names: Collection[str], context: EvidenceContext) -> dict[str, np.ndarray]:
    """The evidence of these names; kinds that come from the same pass are computed in one.

    Raises:
        StrategyError: a name is unknown, needs a trained model, or dropout that the model has not.
    """
    providers = _providers()
    unknown = sorted(set(names) - set(providers))
    if unknown:
        raise StrategyError(
            tr(
                "there is no evidence {unknown!r}; known: {kinds}",
                unknown=unknown[0],
                kinds=", ".join(sorted(KINDS)),
            )
        )
    found: dict[str, np.ndarray] = {}
    for provide in dict.fromkeys(providers[name] for name in names):
        found |= provide([name for name in names if providers[name] is provide], context)
    return {name: found[name] for name in names}
