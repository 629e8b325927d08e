"""Entropy sampling (Shannon, 1948; for queries Settles, 2009)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("Highest entropy", family="uncertainty", aliases=("entropy_sampling", "max_entropy"))
def entropy(probs: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose probabilities are spread over many classes."""
    p = probs.astype(np.float64)
    # 0 log 0 is 0: a floor far below any probability keeps the logarithm finite, and the product is still 0
    return -np.einsum("nc,nc->n", p, np.log(np.maximum(p, np.finfo(np.float64).tiny)))
