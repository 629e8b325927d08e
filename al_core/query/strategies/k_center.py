"""Core-set selection as greedy k-center (Gonzalez, 1985; Sener & Savarese, ICLR 2018, arXiv 1708.00489)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from al_core.query.geometry import kcenter, unit_rows
from al_core.query.strategies import strategy
from al_core.types import Positions


@strategy("k-center (core-set)", family="diversity", aliases=("core_set", "k_center_greedy", "kcenter"))
def k_center(
    embeddings: Float[np.ndarray, "n D"],
    labeled_embeddings: Float[np.ndarray, "m D"],
    *,
    k: int,
    rng: np.random.Generator,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> Positions:
    """Ask for the image that the network sees farthest from all that is labeled or picked, k times."""
    if metric == "cosine":
        embeddings, labeled_embeddings = unit_rows(embeddings), unit_rows(labeled_embeddings)
    return kcenter(embeddings, k, centres=labeled_embeddings, rng=rng)
