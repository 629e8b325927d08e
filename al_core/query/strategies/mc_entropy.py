"""Highest entropy of the mean over dropout passes (Gal & Ghahramani, ICML 2016, arXiv 1506.02142).

Formula: score(x) = H(q(x)), with q = 1/T sum_t p_t the mean over passes.

Score: entropy of the mean probabilities over passes, in nats.

Cost: time T*n*C; memory 6*n*C.

Helps: small convolutional networks with a dropout that was trained with, where the mean over passes is less
sure of itself than one pass (Gal, Islam & Ghahramani, ICML 2017, arXiv 1703.02910).

Hurts: it asks for images that are truly ambiguous as readily as for those that the network does not know
(BALD tells them apart), and with many classes like entropy.
"""

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
