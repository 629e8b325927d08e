"""Expected gradient length (Settles, Craven & Ray, NeurIPS 2007; Huang et al., 2016, arXiv 1612.03226).

Formula: score(x) = sum_y p(y|x) |p(x) - e_y| sqrt(|h(x)|^2 + 1), the expected length of the last layer's
gradient.

Score: expected length of the last layer's gradient.

Cost: time n*(C + D); memory 6*n*C.

Helps: text and speech, where it was introduced: labels of sequences that change the network most.

Hurts: images with large features score high whatever they show, and like all top-k scorers it asks for the
same kind k times. We know of no independent benchmark on images that has it ahead of margin. BADGE is its
batch-aware form.

Deviation: of the last layer only, in closed form; the papers take the whole network.
"""

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
