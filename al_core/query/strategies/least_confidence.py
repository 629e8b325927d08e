"""Least confidence (Lewis & Gale, SIGIR 1994; for many classes Culotta & McCallum, AAAI 2005).

Formula: score(x) = 1 - max_y p(y|x).

Cost: time n*C; memory 3*n.

Helps: with hundreds of labels a class and a network that trains: CIFAR-10, ResNet-18, 2,000 labels a query,
mean accuracy 85.7 against 82.9 of random, the best of ten strategies (Ji et al., WACV 2023).

Hurts: while the network is poor: it asks for what is odd, and for the same oddity k times. On USPS with 20
labels a query its area is .798 against .818 of random (Werner et al., 2024, arXiv 2408.00426, 50 runs).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("Least confidence", family="uncertainty", aliases=("least_confident", "uncertainty_sampling", "lc"))
def least_confidence(probs: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose likeliest class is not likely."""
    return 1 - probs.max(axis=1).astype(np.float64)
