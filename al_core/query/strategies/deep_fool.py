"""DeepFool active learning (Ducoffe & Precioso, 2018, arXiv 1802.09841; Moosavi-Dezfooli et al., CVPR 2016).

Formula: score(x) = -|r(x)|_2, r the smallest change of pixels that DeepFool finds to turn the predicted class
over.

Score: minus the smallest change of pixels found that turns its class over.

Cost: time n; memory 6*n. The evidence is what costs: up to 20 steps with 10 gradients an image, so cap the
candidates.

Helps: small convolutional networks on simple images: in its paper, with the perturbed images trained on
too, ahead on MNIST, Shoe-Bag and Quick-Draw.

Hurts: by its cost, some hundred passes an image, and like all scorers it repeats itself within a query. In
one run of a peer's version (DISTIL, digits, one seed) it ended at .762, random at .878 and margin at .920.

The distance to the border of the predicted class is found step by step along the linearised network.

Deviation: the perturbed images are trained on only where that is asked for (adversarial copies).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("DeepFool", family="adversarial", aliases=("adversarial_deep_fool", "dfal", "adversarial"))
def deep_fool(deepfool_distance: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose predicted class the smallest change of pixels turns over."""
    return -deepfool_distance.astype(np.float64)
