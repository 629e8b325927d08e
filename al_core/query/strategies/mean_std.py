"""Mean standard deviation over dropout passes (Kendall et al., 2015, arXiv 1511.02680).

Formula: score(x) = 1/C sum_y sqrt(1/T sum_t p_t(y|x)^2 - (1/T sum_t p_t(y|x))^2).

Score: standard deviation of the probabilities between passes, mean over classes.

Cost: time T*n*C; memory 6*n*C.

Helps: it is the map of uncertainty that segmentation uses (Kampffmeyer et al., CVPRW 2016), cheap and
bounded.

Hurts: as a choice of images it follows probabilities and not information: a class that swings between .4 and
.6 counts as much as one between .8 and 1, of which BALD prefers the latter (Gal, Islam & Ghahramani, ICML
2017, arXiv 1703.02910, compare both).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy(
    "Mean deviation, dropout",
    family="bayesian",
    aliases=("mean_standard_deviation", "bayesian", "bayesian_sampling"),
)
def mean_std(mc_probs: Float[np.ndarray, "T n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose class probabilities vary between dropout passes."""
    mean = mc_probs.mean(axis=0, dtype=np.float64)
    variance = sum(np.square(probs - mean) for probs in mc_probs) / len(mc_probs)
    return np.sqrt(variance).mean(axis=1)
