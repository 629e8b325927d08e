"""Distances and greedy covers of many points in little memory: blocked, exact up to float32 rounding.

Points are rows. All arithmetic is float32 on points centred at their mean, block by block, so that neither an
n x n matrix nor a second copy of the points is ever made. Squared distances come from
|x|^2 + |c|^2 - 2xc, which rounding can push below zero near a centre: they are clamped, and what has been
picked is excluded by its position, never by its distance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from jaxtyping import Float

from al_core.errors import StrategyError
from al_core.types import Positions

Points = Float[np.ndarray, "n D"]
Distances = Float[np.ndarray, " n"]

# Rows of points and of centres in one product: 4 MB of float32, which stays in the second-level cache.
_ROWS: Final = 1024
# Points among which the greedy step runs between two passes over all points.
_HOT: Final = 1024
_PICKED: Final = np.float32(-1)


def unit_rows(points: Points) -> Points:
    """Rows scaled to length 1, in float32; rows of length 0 stay 0."""
    points = np.asarray(points, np.float32)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return np.divide(points, lengths, out=np.zeros_like(points), where=lengths > 0)


def nearest_distances(points: Points, centres: Points, *, origin: np.ndarray | None = None) -> Distances:
    """Squared distance of each point to its nearest centre; infinite where there is no centre."""
    nearest = np.full(len(points), np.inf, np.float32)
    _lower(nearest, points, centres, _mean(points) if origin is None else origin)
    return nearest


def kcenter(
    points: Points, k: int, *, centres: Points | None = None, rng: np.random.Generator | None = None
) -> Positions:
    """Farthest-first traversal: k positions, each the farthest from all centres and earlier picks.

    Without centres the first pick is a random point; without rng too, the point farthest from the mean.
    """
    return farthest_first(points, k, centres=centres, rng=rng)[0]


def farthest_first(
    points: Points, k: int, *, centres: Points | None = None, rng: np.random.Generator | None = None
) -> tuple[Positions, Distances]:
    """The positions that `kcenter` picks, and how far each was from all centres when it was picked.

    The distances never rise, and what is left is at most the last one away from its nearest centre. Without
    centres the first distance is infinite.

    Exact, and lazy: distances only fall, so an old one is an upper bound. The greedy step runs among the
    points with the largest bounds (the hot block), whose distances are kept up to date, for as long as the
    best of them is above every bound outside. Then one blocked product applies all new picks to all points.

    Raises:
        StrategyError: the points are not finite, or so large that their distances are not.
    """
    k = min(k, len(points))
    picks, radii = np.empty(k, np.int64), np.empty(k, np.float32)
    if k == 0:
        return picks, radii
    origin = _mean(points)
    bounds = np.full(len(points), np.inf, np.float32)
    made = 0
    if centres is not None and len(centres):
        _lower(bounds, points, centres, origin)
    else:
        first = int(rng.integers(len(points))) if rng is not None else _farthest_from(points, origin)
        picks[0], radii[0], made = first, np.inf, 1
        _lower(bounds, points, points[first : first + 1], origin)
        bounds[first] = _PICKED
    if not np.isfinite(bounds).all():
        raise StrategyError("the points are not finite, or too large for distances in float32; rescale them")
    size = _HOT
    while made < k:
        hot = _HotBlock(points, bounds, origin, size)
        start = made
        while made < k and hot.best_is_best:
            picks[made], radii[made] = hot.pick()
            made += 1
        hot.write_back(bounds)
        if made < k:
            _lower(bounds, points, points[picks[start:made]], origin)
            bounds[picks[start:made]] = _PICKED
            # a block that is soon exhausted is too small for these points
            size = size * 2 if made - start < _HOT // 64 else size
    return picks, np.sqrt(radii)


class _HotBlock:
    """The points with the largest bounds, gathered, with distances that are up to date."""

    def __init__(self, points: Points, bounds: Distances, origin: np.ndarray, size: int) -> None:
        size = min(size, len(points))
        order = np.argpartition(bounds, len(points) - size)
        self.positions = np.sort(order[len(points) - size :])
        self.outside = bounds[order[: len(points) - size]].max(initial=_PICKED)
        self.rows = _centred(points[self.positions], origin)
        self.squares = np.einsum("nd,nd->n", self.rows, self.rows)
        self.distances = bounds[self.positions]
        self.best = int(self.distances.argmax())

    @property
    def best_is_best(self) -> bool:
        """Whether the best here is provably the best of all."""
        return bool(self.distances[self.best] >= self.outside)

    def pick(self) -> tuple[int, np.float32]:
        """Take the farthest point: its position and squared distance."""
        best = self.best
        radius = self.distances[best]
        new = self.rows @ (-2 * self.rows[best])
        new += self.squares
        new += self.squares[best]
        np.maximum(new, 0, out=new)
        np.minimum(self.distances, new, out=self.distances)
        self.distances[best] = _PICKED
        self.best = int(self.distances.argmax())
        return int(self.positions[best]), radius

    def write_back(self, bounds: Distances) -> None:
        """Hand the distances back to the bounds of all points."""
        bounds[self.positions] = self.distances


def _centred(rows: Points, origin: np.ndarray) -> Points:
    return np.subtract(rows, origin, dtype=np.float32)


def _mean(points: Points) -> np.ndarray:
    return points.mean(axis=0, dtype=np.float64).astype(np.float32)


def _blocks(num_rows: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS) for start in range(0, num_rows, _ROWS))


def _farthest_from(points: Points, origin: np.ndarray) -> int:
    squares = [np.square(_centred(points[rows], origin)).sum(axis=1) for rows in _blocks(len(points))]
    return int(np.concatenate(squares).argmax())


def _lower(bounds: Distances, points: Points, centres: Points, origin: np.ndarray) -> None:
    """Lower each point's bound, in place, to its squared distance to the nearest of these centres."""
    for some in _blocks(len(centres)):
        # x and 1 times -2c and |c|^2: the constant term rides along in the matrix product
        centred = _centred(centres[some], origin)
        factors = np.empty((centred.shape[1] + 1, len(centred)), np.float32)
        np.multiply(centred.T, -2, out=factors[:-1])
        np.einsum("nd,nd->n", centred, centred, out=factors[-1])
        for rows in _blocks(len(points)):
            block = np.ones((len(points[rows]), len(factors)), np.float32)
            block[:, :-1] = _centred(points[rows], origin)
            squares = np.einsum("nd,nd->n", block[:, :-1], block[:, :-1])
            nearest = (block @ factors).min(axis=1)
            nearest += squares
            np.maximum(nearest, 0, out=nearest)
            np.minimum(bounds[rows], nearest, out=bounds[rows])
