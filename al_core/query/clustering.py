"""Seeding by k-means++, and k-means, of many points in little memory: blocked, float32.

Seeding draws by rejection. Squared distances only fall, so old ones are upper bounds: a proposal drawn from
the old distances is accepted with the chance new / old, which is a draw from the new ones, exactly. So most
of the work is one blocked product each time that the old distances are too old, not a pass per pick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.geometry import Cloud, Distances, Points, Rows, farthest_first
from al_core.types import Positions

_BLOCK: Final = 2048
# Picks after which old distances are brought up to date at the latest, and rejections per accepted proposal
# above which they are too old.
_PENDING: Final = 256
_REJECTIONS: Final = 64
# Squared distances below this share of the squared lengths are float32's rounding: the points are the same.
_ROUNDING: Final = 4e-6


class Space(Protocol):
    """Points whose distances can be computed, and need not be rows of numbers."""

    squares: Distances  # squared length of each point

    def __len__(self) -> int: ...

    def to(self, rows: Rows, others: Rows) -> Float[np.ndarray, "r o"]:
        """Squared distances from some points to others."""
        ...


class Rigid:
    """A cloud as a Space."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.squares = cloud, cloud.squares

    def __len__(self) -> int:
        return len(self.cloud)

    def to(self, rows: Rows, others: Rows) -> Float[np.ndarray, "r o"]:
        products = self.cloud.rows(rows) @ self.cloud.rows(others).T
        return squared_distances(products, self.squares[rows], self.squares[others])


def squared_distances(
    products: Float[np.ndarray, "r o"], squares: Distances, others: Distances
) -> Float[np.ndarray, "r o"]:
    """|x|^2 + |y|^2 - 2xy, in place of the products; what is only rounding becomes 0."""
    lengths = squares[:, None] + others
    products *= -2
    products += lengths
    lengths *= _ROUNDING
    products[products <= lengths] = 0
    return products


def spread_sample(space: Space, k: int, rng: np.random.Generator, *, first: int | None = None) -> Positions:
    """Choose k different positions by k-means++ (Arthur & Vassilvitskii, 2007): each by squared distance.

    The first is drawn evenly unless it is given. Where only copies of picked points are left, they are drawn
    evenly.
    """
    n = len(space)
    k = min(k, n)
    picks = np.empty(k, np.int64)
    if k == 0:
        return picks
    picks[0] = rng.integers(n) if first is None else first
    old, made, known = np.full(n, np.inf, np.float32), 1, 0
    while made < k:
        _lower(space, old, picks[known:made])
        old[picks[:made]], known = 0, made
        chances = np.cumsum(old, dtype=np.float64)
        if chances[-1] == 0:
            left = np.setdiff1d(np.arange(n), picks[:made])
            picks[made:] = rng.choice(left, k - made, replace=False)
            return picks
        made = _draw(space, old, chances, picks, made, rng)
    return picks


def _draw(
    space: Space, old: Distances, chances: np.ndarray, picks: Positions, made: int, rng: np.random.Generator
) -> int:
    """Accept proposals from the old distances until these are too old; returns how many picks there are."""
    known, rejected = made, 0
    while made < min(len(picks), known + _PENDING) and rejected < _REJECTIONS:
        lot = rng.random() * chances[-1]
        proposal = min(int(np.searchsorted(chances, lot, side="right")), len(space) - 1)
        new = old[proposal]
        if made > known:
            new = min(new, space.to(np.array([proposal]), picks[known:made]).min())
        if rng.random() * old[proposal] < new and proposal not in picks[known:made]:
            picks[made] = proposal
            made, rejected = made + 1, 0
        else:
            rejected += 1
    return made


def _lower(space: Space, bounds: Distances, others: Rows) -> None:
    for start in range(0, len(space), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(space)))
        np.minimum(bounds[rows], space.to(rows, others).min(axis=1), out=bounds[start : start + len(rows)])


@dataclass(frozen=True)
class Clusters:
    """Centres, the cluster of each point and its squared distance to the centre."""

    centres: Points
    members: Int64[np.ndarray, " n"]
    distances: Distances

    @property
    def inertia(self) -> float:
        """Sum of squared distances: what k-means makes small."""
        return float(self.distances.sum(dtype=np.float64))

    def representatives(self) -> tuple[Positions, Int64[np.ndarray, " r"]]:
        """Position nearest to each centre that has members, and these clusters' sizes; largest first."""
        order = np.lexsort((self.distances, self.members))
        clusters, starts, sizes = np.unique(self.members[order], return_index=True, return_counts=True)
        by_size = np.lexsort((clusters, -sizes))
        return order[starts][by_size], sizes[by_size]


def kmeans(
    points: Points, k: int, rng: np.random.Generator, *, max_iterations: int = 30, tolerance: float = 1e-4
) -> Clusters:
    """Lloyd's algorithm from a k-means++ start, until the inertia falls by less than the tolerance.

    Clusters may end up empty, as with fewer different points than k: their centres stay where they were.
    """
    cloud = Cloud(points)
    centres = cloud.rows(spread_sample(Rigid(cloud), k, rng))
    found, sums, sizes = _assign(cloud, centres)
    for _ in range(max_iterations):
        means = (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)
        centres = np.where(sizes[:, None] > 0, means, centres)
        before = found.inertia
        found, sums, sizes = _assign(cloud, centres)
        if before - found.inertia <= tolerance * before:
            break
    return Clusters(found.centres + cloud.origin, found.members, found.distances)


def _assign(cloud: Cloud, centres: Points) -> tuple[Clusters, np.ndarray, np.ndarray]:
    """Each point's nearest centre; sum and number of each centre's points."""
    n, k = len(cloud), len(centres)
    members, distances = np.empty(n, np.int64), np.empty(n, np.float32)
    sums, constants = np.zeros(centres.shape, np.float64), np.einsum("nd,nd->n", centres, centres)
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        block = cloud.rows(rows)
        squares = block @ (-2 * centres).T
        squares += constants
        nearest = squares.argmin(axis=1)
        members[rows] = nearest
        distances[rows] = np.maximum(squares[np.arange(len(rows)), nearest] + cloud.squares[rows], 0)
        order = np.argsort(nearest, kind="stable")
        own, starts = np.unique(nearest[order], return_index=True)
        sums[own] += np.add.reduceat(block[order], starts, axis=0)
    return Clusters(centres, members, distances), sums, np.bincount(members, minlength=k)


def kmeans_query(points: Points, k: int, rng: np.random.Generator) -> Positions:
    """min(k, n) different positions: the member nearest to each of k centres, largest cluster first.

    For clusters that stayed empty, the points farthest from all that is picked follow.
    """
    k = min(k, len(points))
    if k == 0:
        return np.empty(0, np.int64)
    picks, _ = kmeans(points, k, rng).representatives()
    if len(picks) == k:
        return picks
    left = np.setdiff1d(np.arange(len(points)), picks)
    more, _ = farthest_first(points[left], k - len(picks), centres=points[picks], rng=rng)
    return np.concatenate([picks, left[more]])
