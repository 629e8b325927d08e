"""Uniform sampling: the baseline that every comparison needs."""

from __future__ import annotations

import numpy as np

from al_core.query.strategies import strategy
from al_core.types import Positions


@strategy("Random", family="baseline", aliases=("random_sampling", "uniform"))
def random(num_candidates: int, *, k: int, rng: np.random.Generator) -> Positions:
    """Ask for any images, each with the same chance."""
    return rng.choice(num_candidates, size=k, replace=False)
