"""Uniform sampling: the baseline that every comparison needs (Cochran, Sampling Techniques, 1953).

Formula: P(x) = 1 / n for every candidate, without replacement.

Cost: time n; memory n.

Helps: always as the yardstick, and it keeps the labeled set a fair sample, so that accuracy on it can be
trusted. With strong regularisation it is hard to beat: on CIFAR-10 with 40 % of the labels 90.9 against 91.0
of a committee (Munjal et al., CVPR 2022, arXiv 2002.09564).

Hurts: where classes are rare. On CIFAR-10 with a class imbalance of 100 it reaches 54.0 mean accuracy, BADGE
57.7 (Ji et al., WACV 2023).
"""

from __future__ import annotations

import numpy as np

from al_core.query.strategies import strategy
from al_core.types import Positions


@strategy("Random", family="baseline", aliases=("random_sampling", "uniform"))
def random(num_candidates: int, *, k: int, rng: np.random.Generator) -> Positions:
    """Ask for any images, each with the same chance."""
    return rng.choice(num_candidates, size=k, replace=False)
