"""Seeding by k-means++, and k-means, of many points in little memory: blocked, float32.

Seeding draws by rejection. Squared distances only fall, so old ones are upper bounds: a proposal drawn from
the old distances is accepted with the chance new / old, which is a draw from the new ones, exactly. So the
new distances are needed for a few proposals only, not for all points after each pick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.geometry import (
    Cloud,
    Distances,
    Points,
    Products,
    Rows,
    farthest_first,
    full_products,
    half_products,
    worth_half,
)
from al_core.query.picks import Picks
from al_core.types import Positions

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

_BLOCK: Final = 2048
# Proposals that are drawn, and measured, at once.
_PROPOSALS: Final = 256
# All points are measured again once this share of as many proposals has been in vain.
_PATIENCE: Final = 1 / 16
# Points for each centre by which k-means judges where to start, and points by which the start is moved.
_JUDGES: Final = 20
_JUDGES_AT_LEAST: Final = 1024
_MOVERS: Final = 128
_START_ITERATIONS: Final = 12
_START_TOLERANCE: Final = 2e-3
# Multiplications that are over in an instant (a few hundredths of a second).
_CHEAP: Final = 2e8
_LARGE_TOLERANCE: Final = 1.5e-3
_SMALL_TOLERANCE: Final = 1e-4
# Squared distances below this share of the squared lengths are float32's rounding: the points are the same.
_ROUNDING: Final = 4e-6


class Space(Protocol):
    """Points whose distances can be computed, and need not be rows of numbers."""

    squares: Distances  # squared length of each point

    def __len__(self) -> int: ...

    def to(self, rows: Rows | slice, others: Rows) -> Float[np.ndarray, "r o"]:
        """Squared distances from some points to others."""
        ...


class Rigid:
    """A cloud as a Space."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.squares = cloud, cloud.squares

    def __len__(self) -> int:
        return len(self.cloud)

    def to(self, rows: Rows | slice, others: Rows) -> Float[np.ndarray, "r o"]:
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


def spread_sample(space: Space, k: int, rng: np.random.Generator, *, first: int | None = None) -> Picks:
    """Choose k different positions by k-means++ (Arthur & Vassilvitskii, 2007): each by squared distance.

    The first is drawn evenly unless it is given. Where only copies of picked points are left, they are drawn
    evenly. Each pick knows its distance from those before it, the first one its length.
    """
    n = len(space)
    k = min(k, n)
    picks, squares = np.empty(k, np.int64), np.zeros(k)
    if k == 0:
        return Picks(picks)
    picks[0] = rng.integers(n) if first is None else first
    squares[0] = space.squares[picks[0]]
    old, made, known = np.full(n, np.inf, np.float32), 1, 0
    while made < k:
        _lower(space, old, picks[known:made])
        old[picks[:made]], known = 0, made
        chances = np.cumsum(old, dtype=np.float64)
        if chances[-1] == 0:
            left = np.setdiff1d(np.arange(n), picks[:made])
            picks[made:] = rng.choice(left, k - made, replace=False)
            break
        vain = 0
        while made < k and vain < max(_PROPOSALS, _PATIENCE * n):
            before, made = made, _draw(space, old, chances, picks, squares, known, made, rng)
            vain += _PROPOSALS - (made - before)
    return Picks(picks, np.sqrt(squares))


def _draw(
    space: Space,
    old: Distances,
    chances: np.ndarray,
    picks: Positions,
    squares: Float[np.ndarray, " k"],
    known: int,
    made: int,
    rng: np.random.Generator,
) -> int:
    """Judge some proposals from the old distances, one after the other; returns how many picks there are.

    The old distances know of the first `known` picks.
    """
    lots, doubts = rng.random((2, _PROPOSALS))
    rows = np.minimum(np.searchsorted(chances, lots * chances[-1], side="right"), len(old) - 1)
    new, between = old[rows], space.to(rows, rows)
    if made > known:
        np.minimum(new, space.to(rows, picks[known:made]).min(axis=1), out=new)
    # also for a pick from before that the lot's rounding has met
    new[np.isin(rows, picks[:made])] = 0
    doubts *= old[rows]
    place = 0
    while made < len(picks) and len(accepted := np.flatnonzero(doubts[place:] < new[place:])):
        place += int(accepted[0])
        picks[made], squares[made] = rows[place], new[place]
        made += 1
        np.minimum(new, between[place], out=new)
        new[rows == rows[place]] = 0
    return made


def _lower(space: Space, bounds: Distances, others: Rows) -> None:
    for start in range(0, len(space), _BLOCK):
        some = slice(start, start + _BLOCK)
        np.minimum(bounds[some], space.to(some, others).min(axis=1), out=bounds[some])


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
    points: Points,
    k: int,
    rng: np.random.Generator,
    *,
    max_iterations: int = 30,
    tolerance: float | None = None,
) -> Clusters:
    """Lloyd's algorithm from a k-means++ start, until the inertia falls by less than the tolerance.

    That is a thousandth for a large problem, and next to nothing for a small one. Clusters may end up empty,
    as with fewer different points than k: their centres stay where they were. In the end each point is with
    the centre that is nearest in float32, also where bfloat16 has prepared that.
    """
    cloud = Cloud(points)
    centres = _start(cloud, min(k, len(cloud)), rng)
    if tolerance is None:
        tolerance = _LARGE_TOLERANCE if len(cloud) * centres.size > _CHEAP else _SMALL_TOLERANCE
    return Lloyd(cloud).run(centres, max_iterations, tolerance)


def _start(cloud: Cloud, k: int, rng: np.random.Generator) -> Points:
    """Centres to begin with: the best of several k-means++ draws at each step, where that costs little.

    Those are judged by a part of the points; a larger part then moves them.
    """
    n, trials = len(cloud), 2 + int(np.log(max(k, 1)))
    cheap = n * trials * k * cloud.points.shape[1] <= _CHEAP
    size = n if cheap else min(n, max(_JUDGES * k, _JUDGES_AT_LEAST))
    if not cheap and size * trials > n / 2:
        return cloud.rows(spread_sample(Rigid(cloud), k, rng))
    order = rng.permutation(n)
    rows = order[:size]
    centres = cloud.rows(rows[greedy_sample(cloud.rows(rows), k, trials, rng)])
    if not cheap and _MOVERS * k < n / 2:
        part = Cloud(cloud.points[order[: _MOVERS * k]])
        centres += cloud.origin - part.origin
        found = Lloyd(part).run(centres, _START_ITERATIONS, _START_TOLERANCE)
        centres = cloud.centred(found.centres)
    return centres


def greedy_sample(points: Points, k: int, trials: int, rng: np.random.Generator) -> Positions:
    """k-means++ where each pick is the best of some draws: the one that leaves least distance in sum."""
    n, picks = len(points), np.empty(k, np.int64)
    nearest, drawn = np.full(n, np.inf, np.float32), rng.integers(max(n, 1), size=1)
    squares = np.einsum("nd,nd->n", points, points)
    for made in range(k):
        if made:
            chances = np.cumsum(nearest, dtype=np.float64)
            lots = rng.random(trials) * chances[-1]
            drawn = np.minimum(np.searchsorted(chances, lots, side="right"), n - 1)
        left = squared_distances(points[drawn] @ points.T, squares[drawn], squares)
        np.minimum(left, nearest, out=left)
        best = int(left.sum(axis=1).argmin())
        picks[made], nearest = drawn[best], left[best]
    return picks


class Lloyd:
    """Points as Lloyd's algorithm looks at them: again and again, and only at those that move."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.members = np.full(len(cloud), -1, np.int64)

    def run(self, centres: Points, max_iterations: int, tolerance: float) -> Clusters:
        """Clusters around these (centred) centres once they have moved.

        bfloat16 only prepares what float32 finishes: it cannot tell near centres apart.
        """
        sums, sizes = np.zeros(centres.shape), np.zeros(len(centres), np.int64)
        if worth_half(len(self.cloud), centres):
            products = half_products(self.cloud)
            centres, made = self._move(products, centres, sums, sizes, max_iterations, 2 * tolerance)
            max_iterations = max(max_iterations - made, 0)
        centres, _ = self._move(full_products(self.cloud), centres, sums, sizes, max_iterations, tolerance)
        return Clusters(centres + self.cloud.origin, self.members, self._distances(centres))

    def _move(
        self,
        products: Products,
        centres: Points,
        sums: np.ndarray,
        sizes: np.ndarray,
        max_iterations: int,
        tolerance: float,
    ) -> tuple[Points, int]:
        """Centres that the members are nearest to, and how often they were moved."""
        before = np.inf
        for made in range(max_iterations + 1):
            inertia = self._assign(products, centres, sums, sizes)
            if made == max_iterations or inertia >= (1 - tolerance) * before:
                return centres, made
            before = inertia
            means = (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)
            centres = np.where(sizes[:, None] > 0, means, centres)
        return centres, max_iterations

    def _assign(
        self, products: Products, centres: Points, sums: np.ndarray, sizes: Int64[np.ndarray, " k"]
    ) -> float:
        """Move points to their nearest centres, sums and sizes with them; returns the inertia."""
        inertia = self.cloud.squares.sum(dtype=np.float64)
        constants, against = np.einsum("kd,kd->k", centres, centres), products(-2 * centres)
        for start in range(0, len(self.cloud), _BLOCK):
            members = self.members[start : start + _BLOCK]
            squares = against(slice(start, start + _BLOCK))
            squares += constants
            nearest = squares.argmin(axis=1)
            inertia += squares[np.arange(len(members)), nearest].sum(dtype=np.float64)
            moved = np.flatnonzero(nearest != members)
            if len(moved):
                shift = _moves(members[moved], nearest[moved], len(centres))
                sums += shift @ self.cloud.rows(start + moved)
                members[moved] = nearest[moved]
        sizes[:] = np.bincount(self.members, minlength=len(sizes))
        return float(inertia)

    def _distances(self, centres: Points) -> Distances:
        """Squared distance of each point to its own centre, from their difference."""
        distances = np.empty(len(self.cloud), np.float32)
        for start in range(0, len(self.cloud), _BLOCK):
            some = slice(start, start + _BLOCK)
            apart = self.cloud.rows(some)
            apart -= centres[self.members[some]]
            np.einsum("nd,nd->n", apart, apart, out=distances[some])
        return distances


def _moves(before: Rows, after: Rows, k: int) -> csc_matrix:
    """Clusters by points: 1 where a point comes, -1 where it leaves; from cluster -1 nothing leaves."""
    from scipy.sparse import csc_matrix

    leaves = before >= 0
    ends = np.cumsum(1 + leaves)
    clusters, signs = np.empty(ends[-1], np.int64), np.ones(ends[-1], np.float32)
    clusters[ends - 1] = after
    clusters[ends[leaves] - 2], signs[ends[leaves] - 2] = before[leaves], -1
    return csc_matrix((signs, clusters, np.concatenate([[0], ends])), shape=(k, len(after)))


def kmeans_query(points: Points, k: int, rng: np.random.Generator) -> Picks:
    """min(k, n) different positions: the member nearest to each of k centres, largest cluster first.

    Each knows the size of its cluster. For clusters that stayed empty, the points farthest from all that is
    picked follow.
    """
    k = min(k, len(points))
    if k == 0:
        return Picks(np.empty(0, np.int64))
    picks, sizes = kmeans(points, k, rng).representatives()
    if len(picks) == k:
        return Picks(picks, sizes)
    left = np.setdiff1d(np.arange(len(points)), picks)
    more, _ = farthest_first(points[left], k - len(picks), centres=points[picks], rng=rng)
    return Picks(np.concatenate([picks, left[more]]), np.concatenate([sizes, np.full(len(more), np.nan)]))
