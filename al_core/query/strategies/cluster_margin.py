"""Cluster-Margin (Citovsky et al., NeurIPS 2021, arXiv 2107.14263), for very large pools and queries.

Formula: take the reserve*k images with the smallest margins p_1 - p_2, cluster them, and pick one of each
cluster in turn, the smallest clusters first.

Score: 1 - (p_1 - p_2), 1 where the two likeliest classes are tied.

Cost: time n*C + min(reserve*k, n, 2000)**2*D + max(0, min(reserve*k, n) - 2000)*2000*D; memory n*C + 6*n +
min(reserve*k, n, 2000)**2 + 2*min(reserve*k, n)*D + 4096*(2000 + D)*max(0, min(1, min(reserve*k, n) - 2000)).

Helps: thousands of labels a query, where the top margins repeat each other: in its paper ahead of margin,
core-set and BADGE on Open Images with 100,000 to 1,000,000 labels a query.

Hurts: with small queries: it is then margin sampling with noise.

Deviation: the paper clusters the whole pool once by average linkage. Here only the images with small margins
are clustered, in each round, in as many clusters as make ten images each; more than 2,000 images are first
brought together by k-means.
"""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.clustering import kmeans
from al_core.query.geometry import unit_rows
from al_core.query.picks import Picks
from al_core.query.ranking import top_k
from al_core.query.strategies import Bounds, strategy
from al_core.query.strategies.margin import margin
from al_core.types import Positions

# Average linkage holds all distances between two: 16 MB for these.
_LINKED: Final = 2000


@strategy("Cluster-Margin", family="hybrid", aliases=("clustermargin",))
def cluster_margin(
    probs: Float[np.ndarray, "n C"],
    embeddings: Float[np.ndarray, "n D"],
    *,
    k: int,
    rng: np.random.Generator,
    reserve: Annotated[float, Bounds(1, 1000, "images to cluster for each that is asked")] = 10.0,
    cluster_size: Annotated[float, Bounds(1, 1000, "images of a cluster, on average")] = 10.0,
) -> Positions:
    """Spread a query of small margins over clusters, the smallest ones first."""
    n = len(probs)
    uncertain = margin(probs)
    tied = top_k(uncertain, min(n, max(k, round(reserve * k))), rng)
    clusters = linked(unit_rows(embeddings[tied]), max(1, round(len(tied) / cluster_size)), rng)
    picks = tied[in_turn(clusters, k, rng)]
    return Picks(picks, uncertain[picks])


def in_turn(clusters: Int64[np.ndarray, " s"], k: int, rng: np.random.Generator) -> Positions:
    """One random member of each cluster, then another of each, the smallest cluster first."""
    lots = rng.permutation(len(clusters))
    shuffled = clusters[lots]
    by_cluster = np.argsort(shuffled, kind="stable")
    _, starts, which, sizes = np.unique(
        shuffled[by_cluster], return_index=True, return_inverse=True, return_counts=True
    )
    turns = np.arange(len(clusters)) - starts[which]
    order = np.lexsort((which, sizes[which], turns))
    return lots[by_cluster[order[:k]]]


def linked(points: Float[np.ndarray, "s D"], k: int, rng: np.random.Generator) -> Int64[np.ndarray, " s"]:
    """Each point's cluster, of k by average linkage."""
    if k >= len(points) or len(points) < 2:
        return np.arange(len(points))
    from sklearn.cluster import AgglomerativeClustering

    centres, members = points, np.arange(len(points))
    if len(points) > _LINKED:
        found = kmeans(points, _LINKED, rng, max_iterations=5)
        used, members = np.unique(found.members, return_inverse=True)
        centres = found.centres[used]
    k = min(k, len(centres))
    return AgglomerativeClustering(k, linkage="average").fit_predict(centres)[members].astype(np.int64)
