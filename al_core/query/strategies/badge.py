"""BADGE (Ash et al., ICLR 2020, arXiv 1906.03671), with distances from the gradients' factors.

Formula: g(x) = (p(x) - e_y*) h(x)^T with y* the predicted class; the first pick is the longest g, each
further one is drawn with P(x) proportional to min over picks s of |g(x) - g(s)|^2 (k-means++).

Score: distance of its gradient from those picked before it (of the first one: its length).

Cost: time n*k*(C + D); memory n*(2*C + 2) + 256*(k + D).

Helps: hundreds of labels a query on a network that trains: CIFAR-10, ResNet-18, mean accuracy 85.5 against
82.9 of random, and with a class imbalance of 100 the best, 57.7 against 54.0 (Ji et al., WACV 2023).

Hurts: with the first labels: CIFAR-100 with 400 labels and FlexMatch 27.9 against 29.9 of random (Mishal &
Weinshall, 2024, arXiv 2407.01804). On frozen features it is no better than margin, 94.12 against 94.07 (Zhang
et al., 2023, arXiv 2306.09910).

The product of two gradients is (a . a')(h . h') with a = p - e, so that the C x D numbers of an image are
never written down.
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

    def to(self, rows: Rows | slice, others: Rows) -> Float[np.ndarray, "r o"]:
        """Squared distances between gradients."""
        products = self.errors[rows] @ self.errors[others].T
        products *= self.embeddings[rows] @ self.embeddings[others].T
        return squared_distances(products, self.squares[rows], self.squares[others])
