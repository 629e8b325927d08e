"""Highest entropy of the mean over dropout passes (Gal & Ghahramani, ICML 2016, arXiv 1506.02142)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.entropy import entropy


@strategy(
    "Highest entropy, dropout", family="bayesian", aliases=("entropy_sampling_dropout", "entropy_dropout")
)
def mc_entropy(mc_probs: Float[np.ndarray, "T n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose probabilities are spread over many classes, over dropout passes."""
    return entropy(mc_probs.mean(axis=0, dtype=np.float64))
