"""Greedy k-center on frozen features (Gonzalez, 1985; Sener & Savarese, ICLR 2018, arXiv 1708.00489).

Formula: pick argmax_x min_{c in labeled + picked} |f(x) - f(c)|, k times.

Score: distance to the nearest image that was labeled or picked before it, in frozen features.

Cost: time n*m*D + n*k*D; memory 4*n + (k + m)*D + 3*min(n, 2048)*D. An upper bound: most distances are not
brought up to date.

Helps: to find kinds of images that nothing labeled resembles, before there is a network.

Hurts: with few labels it collects outliers: ImageNet on frozen features at 13,000 labels 39.6 against 45.1 of
random (Pourahmadi et al., 2021, arXiv 2110.12033).
"""

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
