"""BADGE (Ash et al., ICLR 2020, arXiv 1906.03671), with distances from the gradients' factors.

The gradient of the last layer under the predicted label is a h^T with a = p - e. The product of two gradients
is (a . a')(h . h'), so that the C x D numbers of an image are never written down.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.clustering import spread_sample, squared_distances
from al_core.query.geometry import Rows
from al_core.query.strategies import strategy
from al_core.types import Positions


@strategy("BADGE", family="hybrid", aliases=("badge_sampling",))
def badge(
    probs: Float[np.ndarray, "n C"],
    embeddings: Float[np.ndarray, "n D"],
    *,
    k: int,
    rng: np.random.Generator,
) -> Positions:
    """Draw images whose gradients are long and differ from each other: uncertain, and not alike."""
    gradients = Gradients(probs, embeddings)
    longest = np.flatnonzero(gradients.squares == gradients.squares.max())
    return spread_sample(gradients, k, rng, first=int(rng.choice(longest)))


class Gradients:
    """Last-layer gradients under the predicted class, as a space of points."""

    def __init__(self, probs: Float[np.ndarray, "n C"], embeddings: Float[np.ndarray, "n D"]) -> None:
        self.errors = probs.astype(np.float32)  # a copy: the evidence is not ours to change
        self.errors[np.arange(len(probs)), probs.argmax(axis=1)] -= 1
        self.embeddings = embeddings.astype(np.float32, copy=False)
        self.squares = np.einsum("nc,nc->n", self.errors, self.errors) * np.einsum(
            "nd,nd->n", self.embeddings, self.embeddings
        )

    def __len__(self) -> int:
        return len(self.squares)

    def to(self, rows: Rows, others: Rows) -> Float[np.ndarray, "r o"]:
        """Squared distances between gradients."""
        products = self.errors[rows] @ self.errors[others].T
        products *= self.embeddings[rows] @ self.embeddings[others].T
        return squared_distances(products, self.squares[rows], self.squares[others])
