"""k-means: one image of each part of the pool (Nguyen & Smeulders, ICML 2004; Zhdanov, 2019)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from al_core.query.clustering import kmeans_query
from al_core.query.geometry import unit_rows
from al_core.query.strategies import strategy
from al_core.types import Positions


@strategy("k-means", family="diversity", aliases=("kmeans_sampling",))
def kmeans(
    embeddings: Float[np.ndarray, "n D"],
    *,
    k: int,
    rng: np.random.Generator,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> Positions:
    """Cluster what the network sees into k groups and ask for the image in the middle of each."""
    return kmeans_query(unit_rows(embeddings) if metric == "cosine" else embeddings, k, rng)
