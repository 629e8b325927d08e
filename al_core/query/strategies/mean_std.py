"""Mean standard deviation over dropout passes (Kendall et al., 2015; Kampffmeyer et al., 2016)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("Mean deviation, dropout", family="bayesian", aliases=("mean_standard_deviation", "bayesian"))
def mean_std(mc_probs: Float[np.ndarray, "T n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose class probabilities vary between dropout passes."""
    mean = mc_probs.mean(axis=0, dtype=np.float64)
    variance = sum(np.square(probs - mean) for probs in mc_probs) / len(mc_probs)
    return np.sqrt(variance).mean(axis=1)
