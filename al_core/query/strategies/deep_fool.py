"""DeepFool active learning (Ducoffe & Precioso, 2018, arXiv 1802.09841; Moosavi-Dezfooli et al., CVPR 2016).

The distance to the border of the predicted class, step by step along the linearised network. Helps with
small convolutional networks on simple images; published gains over margin sampling are small. Hurts by its
cost, some hundred passes an image, so cap the candidates; and like all scorers it repeats itself within a
query.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("DeepFool", family="adversarial", aliases=("adversarial_deep_fool", "dfal"))
def deep_fool(deepfool_distance: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Prefer images whose predicted class the smallest change of pixels turns over."""
    return -deepfool_distance.astype(np.float64)
