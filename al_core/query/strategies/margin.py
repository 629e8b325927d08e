"""Margin sampling (Scheffer, Decomain & Wrobel, 2001)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("Smallest margin", family="uncertainty", aliases=("margin_sampling", "smallest_margin"))
def margin(probs: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose two most likely classes are nearly tied."""
    if probs.shape[1] == 1:
        return 1 - probs[:, 0].astype(np.float64)
    second, first = np.partition(probs, -2, axis=1)[:, -2:].astype(np.float64).T
    return 1 - (first - second)
