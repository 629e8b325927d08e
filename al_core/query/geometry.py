"""Distances and greedy covers of many points in little memory: blocked, exact up to float32 rounding.

Points are rows. All arithmetic is float32 on points centred at their mean, block by block, so that neither an
n x n matrix nor a second copy of the points is ever made. Squared distances come from
|x|^2 + |c|^2 - 2xc, which rounding can push below zero near a centre: they are clamped, and what has been
picked is excluded by its position, never by its distance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float, Int64

from al_core.errors import StrategyError
from al_core.query.picks import Picks
from al_core.types import Positions
from al_core.words import tr

Points = Float[np.ndarray, "n D"]
Distances = Float[np.ndarray, " n"]
Rows = Int64[np.ndarray, " r"]

# Points and centres in one matrix product: large enough for full speed (2048 x 512 floats are 4 MB).
_ROWS: Final = 2048
_CENTRES: Final = 512
# Points among which the greedy step runs before it looks at the others again.
_HOT: Final = 1024
# Centres by which bounds fall before it is looked which are still too large.
_STEP: Final = 64
_PICKED: Final = np.float32(-1)
# Centres, and multiplications of one pass over the points, from which on bfloat16 pays.
_MANY: Final = 256
_LARGE: Final = 2_000_000_000


class Cloud:
    """Points, seen from their mean."""

    def __init__(self, points: Points) -> None:
        self.points = points
        self.origin = points.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.squares = np.empty(len(points), np.float32)
        for start in range(0, len(points), _ROWS):
            block = self.centred(points[start : start + _ROWS])
            np.einsum("nd,nd->n", block, block, out=self.squares[start : start + _ROWS])

    def __len__(self) -> int:
        return len(self.points)

    def centred(self, points: Points) -> Points:
        """Points of the same space, in float32 and with this cloud's mean as origin."""
        return np.subtract(points, self.origin, dtype=np.float32)

    def rows(self, rows: Rows | slice) -> Points:
        """Some of the points, centred."""
        return self.centred(self.points[rows])

    def lower(self, bounds: Distances, centres: Points, rows: Rows | None = None) -> None:
        """Lower bounds, in place, to squared distances to the nearest of these (centred) centres."""
        rows = np.arange(len(self)) if rows is None else rows
        constants = np.einsum("nd,nd->n", centres, centres)
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            block, nearest = self.rows(some), np.full(len(some), np.inf, np.float32)
            for first in range(0, len(centres), _CENTRES):
                tile = slice(first, first + _CENTRES)
                squares = block @ (-2 * centres[tile]).T
                squares += constants[tile]
                np.minimum(nearest, squares.min(axis=1), out=nearest)
            nearest += self.squares[some]
            np.maximum(nearest, 0, out=nearest)
            bounds[some] = np.minimum(bounds[some], nearest)


Products = Callable[[Points], Callable[[slice], Float[np.ndarray, "b c"]]]
"""Given centres: inner products of some of a cloud's points, from their mean, with all of them."""


def full_products(cloud: Cloud) -> Products:
    """In float32."""
    return lambda centres: lambda some: cloud.rows(some) @ centres.T


def half_products(cloud: Cloud) -> Products:
    """From inputs rounded to bfloat16, of which a copy is made. Wrong by about a 500th of the lengths."""
    import torch

    halves = torch.empty(cloud.points.shape, dtype=torch.bfloat16)
    for start in range(0, len(cloud), _ROWS):
        some = slice(start, start + _ROWS)
        halves[some] = torch.from_numpy(cloud.rows(some))

    def with_centres(centres: Points) -> Callable[[slice], Float[np.ndarray, "b c"]]:
        half = torch.from_numpy(centres).bfloat16().T
        return lambda some: (halves[some] @ half).float().numpy()

    return with_centres


def worth_half(num_points: int, centres: Points) -> bool:
    """Whether `half_products` are faster: for large problems, where the processor has bfloat16."""
    if len(centres) < _MANY or num_points * centres.size < _LARGE:
        return False
    import torch

    has = torch.cpu.get_capabilities()
    return any(has.get(kind) for kind in ("avx512_bf16", "amx_bf16", "amx_tile", "bf16"))


def unit_rows(points: Points) -> Points:
    """Rows scaled to length 1, in float32; rows of length 0 stay 0."""
    points = np.asarray(points, np.float32)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return np.divide(points, lengths, out=np.zeros_like(points), where=lengths > 0)


def nearest_distances(points: Points, centres: Points) -> Distances:
    """Distance of each point to its nearest centre; infinite where there is no centre."""
    cloud, nearest = Cloud(points), np.full(len(points), np.inf, np.float32)
    cloud.lower(nearest, cloud.centred(centres))
    return np.sqrt(nearest)


def kcenter(
    points: Points, k: int, *, centres: Points | None = None, rng: np.random.Generator | None = None
) -> Picks:
    """Farthest-first traversal: k positions, each the farthest from all that is there, and how far.

    Without centres the first pick is a random point; without rng too, the point farthest from the mean.
    """
    picks, distances = farthest_first(points, k, centres=centres, rng=rng)
    return Picks(picks, np.where(np.isfinite(distances), distances, np.nan))


def farthest_first(
    points: Points, k: int, *, centres: Points | None = None, rng: np.random.Generator | None = None
) -> tuple[Positions, Distances]:
    """The positions that `kcenter` picks, and how far each was from all centres when it was picked.

    The distances never rise, and what is left is at most the last one away from its nearest centre. Without
    centres the first distance is infinite.

    Exact, and lazy: distances only fall, so an old one is an upper bound. The greedy step runs among the
    points with the largest bounds (the hot block), whose distances are kept up to date, for as long as the
    best of them is above every bound outside. Then the points with a larger bound are looked at again, by a
    few centres at a time, and only for as long as their bounds stay larger.

    Raises:
        StrategyError: the points are not finite, or so large that their distances are not.
    """
    k = min(k, len(points))
    if k <= 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    cloud = Cloud(points)
    labeled = points[:0] if centres is None else centres
    search = _FarthestFirst(cloud, cloud.centred(labeled), k)
    if not len(labeled):
        search.take(int(rng.integers(len(cloud)) if rng is not None else cloud.squares.argmax()), np.inf)
    search.bound_all()
    if not np.isfinite(search.bounds).all():
        raise StrategyError(
            tr("the points are not finite, or too large for distances in float32; rescale them")
        )
    while search.made < k:
        search.run()
    return search.picks, np.sqrt(search.radii)


class _FarthestFirst:
    """State of one traversal. `seen` counts the centres, and picks after them, that a bound knows of."""

    def __init__(self, cloud: Cloud, centres: Points, k: int) -> None:
        self.cloud, self.centres, self.k, self.made = cloud, centres, k, 0
        self.picks, self.radii = np.empty(k, np.int64), np.empty(k, np.float32)
        self.picked_rows = np.empty((k, cloud.points.shape[1]), np.float32)
        self.bounds = np.full(len(cloud), np.inf, np.float32)
        self.seen = np.zeros(len(cloud), np.int64)

    @property
    def known(self) -> int:
        """How many centres and picks there are."""
        return len(self.centres) + self.made

    def some(self, first: int, stop: int) -> Points:
        """Centres and picks of these numbers: of one kind, and not too many for one step."""
        num, stop = len(self.centres), min(stop, first + _STEP)
        if first < num:
            return self.centres[first : min(stop, num)]
        return self.picked_rows[first - num : stop - num]

    def take(self, position: int, radius: float) -> None:
        self.picks[self.made], self.radii[self.made] = position, radius
        self.picked_rows[self.made] = self.cloud.rows(np.array([position]))[0]
        self.made += 1

    def bound_all(self) -> None:
        """A first bound for every point, from a few centres."""
        some = self.some(0, self.known)
        self.cloud.lower(self.bounds, some)
        self.seen[:] = len(some)
        self.bounds[self.picks[: self.made]] = _PICKED

    def update(self, rows: Rows, level: float | np.float32) -> None:
        """Look at these points again until each bound is a distance, or not above the level.

        Picked points are below every distance, and stay so.
        """
        while len(rows := rows[(self.bounds[rows] > level) & (self.seen[rows] < self.known)]):
            seen = self.seen[rows]
            first = seen.min()
            behind = rows[seen == first]
            # those that have seen more wait for the others, and then go on with them
            some = self.some(first, seen.min(initial=self.known, where=seen > first))
            self.cloud.lower(self.bounds, some, behind)
            self.seen[behind] = first + len(some)

    def run(self) -> None:
        """Pick within one hot block until the best may lie outside it, then look outside."""
        size = min(_HOT, len(self.cloud))
        order = np.argpartition(self.bounds, len(self.cloud) - size)
        outside = self.bounds[order[: len(order) - size]].max(initial=_PICKED)
        hot = np.sort(order[len(order) - size :])
        self.update(hot, _PICKED)
        rows, squares, distances = self.cloud.rows(hot), self.cloud.squares[hot], self.bounds[hot]
        best = int(distances.argmax())
        while self.made < self.k and distances[best] >= outside:
            self.take(int(hot[best]), float(distances[best]))
            new = rows @ (-2 * rows[best])
            new += squares
            new += squares[best]
            np.maximum(new, 0, out=new)
            np.minimum(distances, new, out=distances)
            distances[best] = _PICKED
            best = int(distances.argmax())
        self.bounds[hot], self.seen[hot] = distances, self.known
        if self.made < self.k:
            self.update(np.flatnonzero(self.bounds > distances[best]), distances[best])
