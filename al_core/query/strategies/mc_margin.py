"""Smallest margin of the mean over dropout passes (Gal & Ghahramani, ICML 2016, arXiv 1506.02142).

Formula: score(x) = 1 - (q_1(x) - q_2(x)), the two largest values of q = 1/T sum_t p_t.

Score: 1 - (p_1 - p_2) of the mean over passes, 1 where the two likeliest classes are tied.

Cost: time T*n*C; memory 4*n*C.

Helps: as margin does, with a flatter prediction. We know of no published comparison that sets the two apart.

Hurts: T passes of the head for what margin has after one; without a dropout that was trained with it equals
margin.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.margin import margin


@strategy(
    "Smallest margin, dropout", family="bayesian", aliases=("margin_sampling_dropout", "margin_dropout")
)
def mc_margin(mc_probs: Float[np.ndarray, "T n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose two most likely classes are nearly tied, over dropout passes."""
    return margin(mc_probs.mean(axis=0, dtype=np.float64))
