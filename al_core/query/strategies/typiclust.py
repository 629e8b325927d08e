"""TypiClust (Hacohen, Dekel & Weinshall, ICML 2022, arXiv 2202.02794), for the first few labels.

Formula: cluster into min(m + k, max_clusters); in each cluster with fewest labels, the largest first, pick
argmax_x of typicality(x) = 1 / (1/K sum_{i <= K} |f(x) - f(x_i)|), x_i the K nearest neighbours.

Score: typicality: 1 / mean distance to its nearest neighbours in its cluster.

Cost: time (n + m)*min(m + k, max_clusters)*D + n**2*D/min(m + k, max_clusters); memory 2*(n + m)*D + 4*n +
2*min(n, 2048)*(min(m + k, max_clusters) + D).

Helps: one to a few labels a class on self-supervised features: CIFAR-10 with ten labels and FlexMatch 93.2
against 53.8 of random; with plain training on the labels 6 points.

Hurts: on raw pixels or a network's own features, where it had the worst average rank of all, 9.9 (Werner et
al., 2024, arXiv 2408.00426); and with thousands of labels, when what matters lies at the borders.

Deviation: an image's typicality is computed once in a query and not again after a pick in its cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from jaxtyping import Float

from al_core.query.clustering import kmeans
from al_core.query.geometry import unit_rows
from al_core.query.picks import Picks
from al_core.query.strategies import Bounds, strategy
from al_core.types import Positions

_BLOCK = 1024


@strategy("TypiClust", family="diversity", aliases=("typi_clust", "typical_clusters"))
def typiclust(
    features: Float[np.ndarray, "n D"],
    labeled_features: Float[np.ndarray, "m D"],
    *,
    k: int,
    rng: np.random.Generator,
    neighbours: Annotated[int, Bounds(1, 1000, "how many neighbours make an image typical")] = 20,
    max_clusters: Annotated[int, Bounds(1, 10_000, "clusters at most")] = 500,
    min_size: Annotated[int, Bounds(0, 1000, "smaller clusters, and those of this size, come last")] = 5,
) -> Positions:
    """Ask for the most typical image of each cluster that has no label yet, the largest clusters first."""
    n, points = len(features), unit_rows(np.concatenate([features, labeled_features]))
    members = kmeans(points, min(len(labeled_features) + k, max_clusters), rng).members
    clusters = np.unique(members[:n])
    sizes = np.bincount(members)[clusters]
    labeled = np.bincount(members[n:], minlength=len(members))[clusters]
    order = np.lexsort((-sizes, labeled, sizes <= min_size))
    large = int((sizes > min_size).sum()) or len(order)
    lines, typical = [], np.full(n, np.nan)  # not looked at in small clusters
    for c in order[:large][:k]:
        own = np.flatnonzero(members[:n] == clusters[c])
        typical[own] = typicality(points[own], neighbours)
        lines.append(own[np.argsort(-typical[own], kind="stable")])
    picks = list(_in_turn(lines, k))
    small = [np.flatnonzero(members[:n] == clusters[c]) for c in order[large:]]
    picks += _in_turn(small, k - len(picks))
    chosen = np.array(picks, np.int64)
    return Picks(chosen, typical[chosen])


def _in_turn(lines: list[Positions], k: int) -> Iterator[int]:
    """One of each line, then the next of each, k in all if there are so many."""
    depth, given = 0, 0
    while given < k and any(depth < len(line) for line in lines):
        for line in lines:
            if depth < len(line) and given < k:
                yield int(line[depth])
                given += 1
        depth += 1


def typicality(points: Float[np.ndarray, "s D"], neighbours: int) -> Float[np.ndarray, " s"]:
    """Inverse of the mean distance to the nearest neighbours, of which there are half the points at most."""
    num = max(1, min(neighbours, len(points) // 2))
    if len(points) < 2:
        return np.ones(len(points))
    means, squares = np.empty(len(points)), np.einsum("nd,nd->n", points, points)
    for start in range(0, len(points), _BLOCK):
        rows = slice(start, start + _BLOCK)
        distances = squares[rows, None] + squares - 2 * (points[rows] @ points.T)
        np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
        # the nearest is the point itself
        nearest = np.partition(distances, num, axis=1)[:, : num + 1]
        means[rows] = nearest.sum(axis=1) / num
    return 1 / (means + 1e-5)
