"""k-means on frozen features (after Nguyen & Smeulders, ICML 2004): it needs no trained network."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.kmeans import kmeans
from al_core.types import Positions


@strategy(
    "k-means on frozen features",
    family="diversity",
    aliases=("texture_kmeans", "ssrae_kmeans_sampling", "vctex_kmeans_sampling"),
)
def kmeans_features(
    features: Float[np.ndarray, "n D"],
    *,
    k: int,
    rng: np.random.Generator,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> Positions:
    """Cluster frozen features into k groups and ask for the image in the middle of each."""
    return kmeans(features, k=k, rng=rng, metric=metric)
