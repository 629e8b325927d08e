"""Basic iterative method (Kurakin, Goodfellow & Bengio, 2016, arXiv 1607.02533) as an active learning score.

Small steps by the sign of the gradient until the class turns over, the last one halved until it is exact, so
that images do not tie on whole steps. Cheaper than DeepFool, and a coarser estimate of the same distance.
Helps and hurts where deep_fool does.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("Basic iterative method (BIM)", family="adversarial", aliases=("adversarial_bim",))
def bim(bim_distance: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose predicted class a few small steps against it turn over."""
    return -bim_distance.astype(np.float64)
