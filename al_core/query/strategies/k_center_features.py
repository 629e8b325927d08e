"""Greedy k-center on frozen features (Gonzalez, 1985; Sener & Savarese, 2018): no training is needed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.k_center import k_center
from al_core.types import Positions


@strategy(
    "k-center on frozen features", family="diversity", aliases=("kcenter_features", "core_set_features")
)
def k_center_features(
    features: Float[np.ndarray, "n D"],
    labeled_features: Float[np.ndarray, "m D"],
    *,
    k: int,
    rng: np.random.Generator,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> Positions:
    """Ask for the image whose frozen features lie farthest from all that is labeled or picked, k times."""
    return k_center(features, labeled_features, k=k, rng=rng, metric=metric)
