"""BALD (Houlsby et al., 2011, arXiv 1112.5745; on images Gal, Islam & Ghahramani, 2017, arXiv 1703.02910)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.entropy import entropy


@strategy("BALD", family="bayesian", aliases=("bald_dropout",))
def bald(mc_probs: Float[np.ndarray, "T n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images on which dropout passes are each sure, but disagree."""
    return disagreement(mc_probs)


def disagreement(passes: Float[np.ndarray, "T n C"]) -> Float[np.ndarray, " n"]:
    """Mutual information of prediction and pass, H(mean) - mean H, in nats: the mean KL from pass to mean."""
    each = sum(entropy(probs) for probs in passes) / len(passes)
    # mathematically never negative; rounding says -1e-16 where all passes agree
    return np.maximum(entropy(passes.mean(axis=0, dtype=np.float64)) - each, 0)
