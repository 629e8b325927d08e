"""Hierarchical k-means sampling (Vo et al., TMLR 2024, arXiv 2405.15613).

Formula: k-means on the images, then on the centres, then on the centres of these, up to a few. From the top
down, each cluster's images are dealt out to its parts so that all parts get the same number, as far as they
have any; at the bottom, those nearest to the centre are picked.

Score: distance to the middle of its cluster, in frozen features.

Cost: time min(n, sample)*k*D + n*k*D + k**1.5*D; memory 3*n + min(n, sample)*D + k*D + 2*min(n, 2048)*(k +
D).

Helps: in pools as they come, where a few kinds of images are most of all: plain k-means gives them most of
its centres, the levels above even that out. Data picked so trained better self-supervised features than the
whole (Vo et al., 2024).

Hurts: where rare images are mistakes or noise, which balance asks for as often as for anything else.

Deviation: clusters that hold labeled images are counted as served, so that later rounds look elsewhere. The
paper repeats k-means on images resampled from the clusters; here each level is clustered once. Centres are
found on a random sample of the images where there are more.
"""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.clustering import kmeans
from al_core.query.geometry import Points
from al_core.query.picks import Picks
from al_core.query.strategies import Bounds, strategy
from al_core.types import Positions

_BLOCK: Final = 2048
_FEWEST: Final = 8  # clusters of the highest level


@strategy(
    "Hierarchical k-means", family="diversity",
    aliases=("hcs", "ssrae_hc_sampling", "vctex_hc_sampling", "ssrae_kmeans_hc_sampling",
             "vctex_kmeans_hc_sampling"),
)  # fmt: skip
def hierarchical_kmeans(
    features: Float[np.ndarray, "n D"],
    labeled_features: Float[np.ndarray, "m D"],
    *,
    k: int,
    rng: np.random.Generator,
    sample: Annotated[int, Bounds(1, 10_000_000, "images to find the lowest centres on")] = 50_000,
) -> Positions:
    """Cluster the clusters, and ask for as many images of each large group as of each small one."""
    n = len(features)
    chosen = np.arange(n) if n <= sample else np.sort(rng.choice(n, max(sample, k), replace=False))
    centres = kmeans(features[chosen], min(max(k, 2), len(chosen)), rng, max_iterations=15).centres
    members, distances = nearest(features, centres)
    served = np.bincount(nearest(labeled_features, centres)[0], minlength=len(centres))
    sizes = np.bincount(members, minlength=len(centres))
    quotas = dealt(levels(centres, rng), sizes, served, k, rng)
    # each cluster's images, nearest first; turn by turn, so that a query's beginning is spread too
    order = np.lexsort((rng.random(n), distances, members))
    turns = np.arange(n) - (np.cumsum(sizes) - sizes)[members[order]]
    picked = turns < quotas[members[order]]
    picks = order[picked][np.argsort(turns[picked], kind="stable")]
    return Picks(picks, np.sqrt(distances[picks]))


def nearest(points: Points, centres: Points) -> tuple[Int64[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Each point's nearest centre and its squared distance, block by block."""
    members, distances = np.empty(len(points), np.int64), np.empty(len(points), np.float32)
    # centred, so that float32 keeps what matters of points far from 0
    origin = centres.mean(axis=0)
    near = np.asarray(centres - origin, np.float32)
    lengths = np.einsum("kd,kd->k", near, near)
    for start in range(0, len(points), _BLOCK):
        block = np.asarray(points[start : start + _BLOCK] - origin, np.float32)
        squares = lengths - 2 * (block @ near.T)
        rows = slice(start, start + len(block))
        members[rows] = squares.argmin(axis=1)
        squared = squares[np.arange(len(block)), members[rows]] + np.einsum("nd,nd->n", block, block)
        distances[rows] = np.maximum(squared, 0)
    return members, distances


def levels(centres: Points, rng: np.random.Generator) -> list[Int64[np.ndarray, " c"]]:
    """For each level from the bottom up, the cluster above of each cluster; about the square root as many."""
    found: list[Int64[np.ndarray, " c"]] = []
    while len(centres) > _FEWEST:
        above = kmeans(centres, max(round(len(centres) ** 0.5), 2), rng)
        used, parents = np.unique(above.members, return_inverse=True)
        if len(used) == len(centres):
            break
        found.append(parents)
        centres = above.centres[used]
        if len(used) == 1:
            break
    return found


def dealt(
    parents: list[Int64[np.ndarray, " c"]],
    sizes: Int64[np.ndarray, " c"],
    served: Int64[np.ndarray, " c"],
    k: int,
    rng: np.random.Generator,
) -> Int64[np.ndarray, " c"]:
    """How many images each lowest cluster gives, k in all or as many as there are."""
    sizes_at, served_at = [sizes], [served]
    for above in parents:
        num = int(above.max()) + 1
        sizes_at.append(np.bincount(above, weights=sizes_at[-1], minlength=num).astype(np.int64))
        served_at.append(np.bincount(above, weights=served_at[-1], minlength=num).astype(np.int64))
    quotas = even(sizes_at[-1], served_at[-1], k, rng)
    for level in range(len(parents) - 1, -1, -1):
        below = np.zeros(len(parents[level]), np.int64)
        for cluster in np.flatnonzero(quotas):
            own = np.flatnonzero(parents[level] == cluster)
            below[own] = even(sizes_at[level][own], served_at[level][own], int(quotas[cluster]), rng)
        quotas = below
    return quotas


def even(
    sizes: Int64[np.ndarray, " c"], served: Int64[np.ndarray, " c"], k: int, rng: np.random.Generator
) -> Int64[np.ndarray, " c"]:
    """Deal k out so that served + given is as even as the sizes allow; chance decides over what is left."""
    k = min(k, int(sizes.sum()))
    low, high = 0, int(served.max(initial=0)) + k
    while low < high:  # the highest level to which all can be filled
        middle = (low + high + 1) // 2
        if np.clip(middle - served, 0, sizes).sum() <= k:
            low = middle
        else:
            high = middle - 1
    given = np.clip(low - served, 0, sizes)
    left = k - int(given.sum())
    more = np.flatnonzero((given < sizes) & (served + given <= low))
    given[rng.permutation(more)[:left]] += 1
    return given
