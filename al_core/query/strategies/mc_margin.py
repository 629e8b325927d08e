"""Smallest margin of the mean over dropout passes (Gal & Ghahramani, ICML 2016, arXiv 1506.02142)."""

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
