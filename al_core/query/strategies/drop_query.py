"""DropQuery (Gupte et al., TMLR 2024, arXiv 2401.14555): for a head with dropout on pretrained features.

Formula: candidates = images for which argmax p_t != argmax p in more than T/2 passes; cluster them into k by
k-means on unit embeddings and pick the member nearest to each centre.

Score: share of dropout passes that predict another class.

Cost: time T*n*C + min(reserve*k, n)*k*D; memory 2*n*C + 6*n + 2*min(reserve*k, n)*D + 2*min(reserve*k, n,
2048)*(k + D).

Helps: frozen features of a large pretrained network, on which in its paper it beats uncertainty and diversity
alone at small budgets.

Hurts: where dropout hardly moves a prediction: too few images flip, and it nears plain k-means.

Deviation: predictions are compared over as many passes as there are (the paper takes 3).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.clustering import kmeans_query
from al_core.query.geometry import unit_rows
from al_core.query.picks import Picks
from al_core.query.strategies import Bounds, strategy
from al_core.types import Positions


@strategy("DropQuery", family="hybrid", aliases=("dropquery",))
def drop_query(
    probs: Float[np.ndarray, "n C"],
    mc_probs: Float[np.ndarray, "T n C"],
    embeddings: Float[np.ndarray, "n D"],
    *,
    k: int,
    rng: np.random.Generator,
    reserve: Annotated[int, Bounds(1, 1000, "images to cluster for each that is asked")] = 25,
) -> Positions:
    """Cluster the images whose predicted class dropout changes, and ask for the middle of each cluster."""
    predicted, flips = probs.argmax(axis=1), np.zeros(len(probs), np.int64)
    for one in mc_probs:  # pass by pass: NumPy's argmax copies an array that it may not write to
        flips += one.argmax(axis=1) != predicted
    chosen = unstable(flips, len(mc_probs), min(reserve * k, len(probs)))
    picks = chosen[kmeans_query(unit_rows(embeddings[chosen]), k, rng)]
    rest = np.setdiff1d(np.arange(len(probs)), picks)
    picks = np.concatenate([picks, rng.choice(rest, k - len(picks), replace=False)])
    return Picks(picks, flips[picks] / len(mc_probs))


def unstable(flips: Int64[np.ndarray, " n"], passes: int, wanted: int) -> Positions:
    """Images that flip in more than half of the passes; in fewer ones, until there are as many as wanted."""
    for threshold in range(passes // 2, -1, -1):
        chosen = np.flatnonzero(flips > threshold)
        if len(chosen) >= wanted:
            return chosen
    return np.flatnonzero(flips)
