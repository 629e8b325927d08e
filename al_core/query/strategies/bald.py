"""BALD (Houlsby et al., 2011, arXiv 1112.5745; on images Gal et al., ICML 2017, arXiv 1703.02910).

Formula: score(x) = H(1/T sum_t p_t(x)) - 1/T sum_t H(p_t(x)), the mutual information of label and network.

Score: mutual information between its label and the network, in nats.

Cost: time T*n*C; memory 6*n*C.

Helps: one or few labels a query on images that are ambiguous in themselves: on MNIST one a query took 89
labels to 90 % accuracy, ten a query 140 (runs of Kirsch et al., NeurIPS 2019, median of 6 and 12); CIFAR-10,
2,000 labels a query, mean accuracy 85.5 against 82.9 of random (Ji et al., WACV 2023).

Hurts: where images repeat, as it asks for all copies: repeated MNIST, ten labels a query, .785 at 100 labels,
random .859, BatchBALD .893 (Kirsch et al., NeurIPS 2019, arXiv 1906.08158); EMNIST with 47 classes .256
against .282 of random.
"""

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
    # a difference of what may be nearly equal, so in float64 throughout
    each = sum(entropy(probs.astype(np.float64)) for probs in passes) / len(passes)
    # mathematically never negative; rounding says -1e-16 where all passes agree
    return np.maximum(entropy(passes.mean(axis=0, dtype=np.float64)) - each, 0)
