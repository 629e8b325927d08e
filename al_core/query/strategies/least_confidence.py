"""Least confidence (Lewis & Gale, 1994; for many classes Culotta & McCallum, 2005)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("Least confidence", family="uncertainty", aliases=("least_confident", "uncertainty_sampling", "lc"))
def least_confidence(probs: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose likeliest class is not likely."""
    return 1 - probs.max(axis=1).astype(np.float64)
