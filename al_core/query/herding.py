"""Greedy cover of a pool by soft balls around the picks: exact, lazy, and in little memory.

A set covers an image by its similarity exp(-(distance / radius)^2) to the nearest member, and a pool by the
weighted sum over images. The gain of a pick only falls as others are made, so an old gain is an upper bound:
only the candidates whose bounds are largest (the hot ones) are looked at again, until the best of them is
known to be the best of all.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from al_core.query.geometry import Cloud, Distances, Points, Rows, unit_rows
from al_core.query.picks import Picks
from al_core.query.ranking import top_k

# Candidates whose similarities to all points are held at once: 128 x 20,000 floats are 10 MB.
_HOT: Final = 128
_PICKED: Final = -1.0
# Unit vectors that are ten times closer are the same to float32: a smaller radius would tell copies apart.
_SMALLEST: Final = 3e-3


def herd(
    features: Points,
    k: int,
    *,
    radius: float,
    rng: np.random.Generator,
    centres: Points | None = None,
    weights: Float[np.ndarray, " n"] | None = None,
    max_candidates: int = 10_000,
    max_references: int = 20_000,
) -> Picks:
    """Choose k positions, each the one that adds most to what the centres and earlier picks cover.

    Each knows how much it added: a share of the weights' sum over the images to be covered, or of these.

    Distances are those of features scaled to length 1. Of more points than `max_candidates`, a random part
    can be picked, and a random part of `max_references` is what is to be covered; with weights, half of
    those that can be picked are the ones of most weight. Chance decides between equal gains.
    """
    k = min(k, len(features))
    if k <= 0:
        return Picks(np.empty(0, np.int64))
    order = rng.permutation(len(features))
    if weights is not None and max_candidates < len(features):
        heavy = top_k(weights, max_candidates // 2, rng)
        order = np.concatenate([heavy, order[~np.isin(order, heavy)]])
    # what can be picked is always to be covered too: with a small radius it covers nothing else
    order = order[: max(max_references, max_candidates, k)]
    cloud = Cloud(unit_rows(features[order]))
    nearest = np.full(len(cloud), np.inf, np.float32)
    if centres is not None and len(centres):
        cloud.lower(nearest, cloud.centred(unit_rows(centres)))
    even = np.ones(len(cloud)) if weights is None else weights[order]
    search = _Herding(cloud, nearest, max(radius, _SMALLEST), even)
    return search.run(max(max_candidates, k), k).of(order)


class _Herding:
    """State of one search. Candidates are the first of the points, which are all to be covered."""

    def __init__(
        self, cloud: Cloud, nearest: Distances, radius: float, weights: Float[np.ndarray, " n"]
    ) -> None:
        scale = np.float32(radius * radius)
        self.points = cloud.centred(cloud.points)
        # of lengths that fit the products, so that their sum is the exponent
        self.points *= np.float32(2**0.5 / radius)
        self.lengths = cloud.squares / scale
        self.weights = (weights / len(cloud)).astype(np.float32)
        self.covered = np.exp(-nearest / scale)

    def similar(self, rows: Rows) -> Float[np.ndarray, "h n"]:
        """Similarities of candidates to all points."""
        similar = self.points[rows] @ self.points.T
        similar -= self.lengths
        similar -= self.lengths[rows, None]
        np.minimum(similar, 0, out=similar)
        np.exp(similar, out=similar)
        similar[np.arange(len(rows)), rows] = 1
        return similar

    def gains(self, similar: Float[np.ndarray, "... n"]) -> np.ndarray:
        """What candidates of these similarities would add."""
        more = similar - self.covered
        return np.maximum(more, 0, out=more) @ self.weights

    def run(self, num_candidates: int, k: int) -> Picks:
        """Pick k of the first `num_candidates` points."""
        n = min(num_candidates, len(self.points))
        bounds, picks, gains = np.empty(n), np.empty(k, np.int64), np.empty(k)
        for start in range(0, n, _HOT):
            rows = np.arange(start, min(start + _HOT, n))
            bounds[rows] = self.gains(self.similar(rows))
        current, made = np.ones(n, bool), 0
        while made < k:
            size = min(_HOT, n)
            split = np.argpartition(bounds, n - size)
            hot, outside = np.sort(split[n - size :]), bounds[split[: n - size]].max(initial=_PICKED)
            for place, gain in self._greedy(bounds, hot, current, outside, k - made):
                picks[made], gains[made], made = place, gain, made + 1
        return Picks(picks, gains)

    def _greedy(
        self,
        bounds: Float[np.ndarray, " n"],
        hot: Rows,
        current: Bool[np.ndarray, " n"],
        outside: float,
        k: int,
    ) -> list[tuple[int, float]]:
        """Up to k picks and gains, until the best may lie outside; bounds and `current` change in place."""
        similar, picks = self.similar(hot), []
        while len(picks) < k:
            row = int(bounds[hot].argmax())
            best = int(hot[row])
            if bounds[best] < outside or bounds[best] == _PICKED:
                break
            if current[best]:
                picks.append((best, float(bounds[best])))
                bounds[best] = _PICKED
                np.maximum(self.covered, similar[row], out=self.covered)
                current[:] = False
            else:
                bounds[best], current[best] = self.gains(similar[row]), True
        return picks
