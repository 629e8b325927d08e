"""Least confidence of the mean over dropout passes (Gal & Ghahramani, ICML 2016, arXiv 1506.02142)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.least_confidence import least_confidence


@strategy("Least confidence, dropout", family="bayesian", aliases=("least_confidence_dropout",))
def mc_least_confidence(mc_probs: Float[np.ndarray, "T n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose likeliest class is not likely, over dropout passes."""
    return least_confidence(mc_probs.mean(axis=0, dtype=np.float64))
