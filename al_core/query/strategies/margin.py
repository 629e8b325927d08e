"""Margin sampling (Scheffer, Decomain & Wrobel, IDA 2001).

Formula: score(x) = 1 - (p_1(x) - p_2(x)), with p_1 >= p_2 the two largest probabilities.

Score: 1 - (p_1 - p_2), 1 where the two likeliest classes are tied.

Cost: time n*C; memory n*C + 8*n.

Helps: nearly everywhere once each class has a few labels. Best average rank of all strategies over seven data
sets, 3.5 against 7.0 of random (Werner et al., 2024, arXiv 2408.00426, 50 runs each); on frozen CLIP features
of CIFAR-10 94.07 against 93.52, as good as BADGE (Zhang et al., 2023, arXiv 2306.09910).

Hurts: with the very first labels, when borders are drawn by chance, and on pools with copies, which all have
the same margin (power_margin or a near-duplicate filter helps).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy(
    "Smallest margin", family="uncertainty", aliases=("margin_sampling", "smallest_margin", "uncertainty")
)
def margin(probs: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose two most likely classes are nearly tied."""
    if probs.shape[1] == 1:
        return 1 - probs[:, 0].astype(np.float64)
    second, first = np.partition(probs, -2, axis=1)[:, -2:].astype(np.float64).T
    return 1 - (first - second)
