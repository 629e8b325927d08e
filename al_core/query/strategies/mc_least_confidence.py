"""Least confidence of the mean over dropout passes (Gal & Ghahramani, ICML 2016, arXiv 1506.02142).

Formula: score(x) = 1 - max_y q(y|x), with q = 1/T sum_t p_t the mean over passes.

Score: 1 - mean p of its likeliest class over passes.

Cost: time T*n*C; memory max(2*n*C, 2*T*n).

Helps: where a network is overconfident: the mean over passes is flatter than one pass. Gains over
least_confidence are small and change with the recipe (Munjal et al., CVPR 2022, arXiv 2002.09564).

Hurts: without a dropout that was trained with, and as all top-k scorers it asks for the same kind of image k
times.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.least_confidence import least_confidence


@strategy("Least confidence, dropout", family="bayesian", aliases=("least_confidence_dropout",))
def mc_least_confidence(mc_probs: Float[np.ndarray, "T n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose likeliest class is not likely, over dropout passes."""
    return least_confidence(mc_probs.mean(axis=0, dtype=np.float64))
