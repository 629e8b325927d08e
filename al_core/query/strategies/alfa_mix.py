"""ALFA-Mix (Parvaneh et al., CVPR 2022, arXiv 2203.07034): features mixed with what is labeled.

Formula: for each labeled class c with mean embedding z_c, mix h' = a z_c + (1 - a) h with the a that raises
the loss most for its size: a = eps |z_c - h| g / (|g| (z_c - h)), entry by entry, g the gradient of the loss
of the predicted class. Images of which some mixture is of another class are candidates; k-means picks k.

Score: labeled classes of which a little, mixed in, makes it another class's.

Cost: time n*C*C*D + n*k*D; memory 16*min(n, 4096)*D + 6*n.

Helps: with few labels, and on self-trained vision transformers, where its paper reports the largest gains.

Hurts: where hardly anything flips: it is then k-means on few images and chance for the rest.

Deviation: gradients are those of the linear head alone, which are exact there. a is kept in 0..1, so that a
mixture lies between the two. Where fewer images flip than are asked for, the rest is drawn evenly.
"""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.clustering import kmeans_query
from al_core.query.geometry import unit_rows
from al_core.query.picks import Picks
from al_core.query.strategies import Bounds, strategy
from al_core.types import Positions

_BLOCK: Final = 4096


@strategy("ALFA-Mix", family="hybrid", aliases=("alfamix", "feature_mixing"))
def alfa_mix(
    probs: Float[np.ndarray, "n C"],
    embeddings: Float[np.ndarray, "n D"],
    labeled_embeddings: Float[np.ndarray, "m D"],
    labeled_classes: Int64[np.ndarray, " m"],
    head_weights: Float[np.ndarray, "C D"],
    head_bias: Float[np.ndarray, " C"],
    *,
    k: int,
    rng: np.random.Generator,
    epsilon: Annotated[float, Bounds(0, 100, "how far to mix; divided by the root of D")] = 0.2,
) -> Positions:
    """Cluster the images whose class turns over when a little of a labeled class is mixed in."""
    rate = epsilon / max(embeddings.shape[1], 1) ** 0.5
    means = anchors(labeled_embeddings, labeled_classes)
    turned = flips(probs, embeddings, means, head_weights, head_bias, rate)
    chosen = np.flatnonzero(turned)
    picks = chosen[kmeans_query(unit_rows(embeddings[chosen]), min(k, len(chosen)), rng)]
    rest = np.setdiff1d(np.arange(len(probs)), picks)
    picks = np.concatenate([picks, rng.choice(rest, k - len(picks), replace=False)])
    return Picks(picks, turned[picks])


def anchors(rows: Float[np.ndarray, "m D"], classes: Int64[np.ndarray, " m"]) -> Float[np.ndarray, "A D"]:
    """The mean of each class that has labels."""
    return np.stack([rows[classes == c].mean(axis=0, dtype=np.float64) for c in np.unique(classes)])


def flips(
    probs: Float[np.ndarray, "n C"],
    embeddings: Float[np.ndarray, "n D"],
    means: Float[np.ndarray, "A D"],
    weights: Float[np.ndarray, "C D"],
    bias: Float[np.ndarray, " C"],
    rate: float,
) -> Int64[np.ndarray, " n"]:
    """How many anchors make each image another class's once a little of them is mixed in."""
    flipped = np.zeros(len(probs), np.int64)
    for start in range(0, len(probs), _BLOCK):
        rows = slice(start, start + _BLOCK)
        h = embeddings[rows].astype(np.float64)
        predicted = (h @ weights.T + bias).argmax(axis=1)
        residual = probs[rows].astype(np.float64)
        residual[np.arange(len(h)), predicted] -= 1
        gradient = residual @ weights
        for anchor in means:
            way = anchor - h
            mixed = h + mixing(gradient, way, rate) * way
            flipped[rows] += (mixed @ weights.T + bias).argmax(axis=1) != predicted
    return flipped


def mixing(
    gradient: Float[np.ndarray, "n D"], way: Float[np.ndarray, "n D"], rate: float
) -> Float[np.ndarray, "n D"]:
    """Shares of the anchor, 0..1, entry by entry; 0 where there is no way to go or no gradient."""
    lengths = np.linalg.norm(gradient, axis=1, keepdims=True) * way
    shares = rate * np.linalg.norm(way, axis=1, keepdims=True) * gradient
    return np.divide(shares, lengths, out=np.zeros_like(way), where=lengths != 0).clip(0, 1)
