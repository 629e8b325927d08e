"""Basic iterative method (Kurakin, Goodfellow & Bengio, 2016, arXiv 1607.02533) as an active learning score.

Formula: score(x) = -|x' - x|_2, x' the first point of x <- clip(x + sign(gradient)/255) whose predicted class
has changed.

Score: minus the smallest change of pixels found that turns its class over.

Cost: time n; memory 6*n. The evidence is what costs: up to 50 steps of a pass each way, so cap the
candidates.

Helps: where deep_fool does, for less: a gradient a step instead of ten.

Hurts: a coarser estimate of the same distance; by its cost, and like all scorers it repeats itself within a
query.

Deviation: the last step is halved until it is exact, so that images do not tie on whole steps.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("Basic iterative method (BIM)", family="adversarial", aliases=("adversarial_bim",))
def bim(bim_distance: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose predicted class a few small steps against it turn over."""
    return -bim_distance.astype(np.float64)
