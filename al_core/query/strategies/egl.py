"""Expected gradient length (Settles, Craven & Ray, NeurIPS 2007; in deep networks Huang et al., 2016)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy


@strategy("Expected gradient length", family="expected change", aliases=("expected_model_change", "emc"))
def egl(probs: Float[np.ndarray, "n C"], embeddings: Float[np.ndarray, "n D"]) -> Float[np.ndarray, " n"]:
    """Prefer images that would change the last layer most, whichever label they got."""
    p = probs.astype(np.float64)
    # the gradient of class y is (p - e_y) times (h, 1), weights and bias: its length is a product of two
    to_classes = np.sqrt(np.maximum((p * p).sum(axis=1, keepdims=True) - 2 * p + 1, 0))
    lengths = np.einsum("nd,nd->n", embeddings, embeddings, dtype=np.float64)
    return (p * to_classes).sum(axis=1) * np.sqrt(lengths + 1)
