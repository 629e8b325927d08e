"""ProbCover (Yehuda, Dekel, Hacohen & Weinshall, NeurIPS 2022, arXiv 2205.11320), for the first labels.

Formula: pick argmax_x |{x' : |f(x) - f(x')| <= radius, x' in no ball of a labeled or picked image}|, k times.

Score: images in its ball that no ball of a labeled or earlier picked one holds.

Cost: time min(n, max_images)**2*D + min(n, max_images)*m*D; memory 2*min(n, max_images)*D + 2*min(min(n,
max_images)**2, 50000000). The last is the most that balls may hold; with small ones it is a fifth.

Helps: with a few labels a class and features in which classes lie apart: CIFAR-10 with ten labels and
FlexMatch 94.1 against 53.8 of random, CIFAR-100 with 100 labels 32.5 against 17.9 (the paper).

Hurts: once the pool is covered, as it then knows nothing more and draws at random: below random from about
7,000 labels on CIFAR-100 (Mishal & Weinshall, 2024, arXiv 2407.01804); and with features that mix classes.

The radius follows from the pool: the largest at which most balls hold one cluster only, of as many clusters
as there are classes.

Deviation: the radius is exact for the images looked at, and not searched for on a grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from jaxtyping import Bool, Float, Int32, Int64

from al_core.query.clustering import kmeans, squared_distances
from al_core.query.geometry import Points, Rows, nearest_distances, unit_rows
from al_core.query.picks import Picks
from al_core.query.strategies import Bounds, strategy
from al_core.types import Positions

_BLOCK: Final = 256
# Edges of a graph: 200 MB as int32. With more, a random part of the images is what is to be covered.
_MAX_EDGES: Final = 50_000_000
# Balls that the radius is judged by.
_BALLS: Final = 2000
_DIAMETER: Final = 2.0  # of the unit sphere
_PICKED: Final = -1


@strategy("ProbCover", family="diversity", aliases=("probcover", "probability_coverage"))
def prob_cover(
    features: Float[np.ndarray, "n D"],
    labeled_features: Float[np.ndarray, "m D"],
    num_classes: int,
    *,
    k: int,
    rng: np.random.Generator,
    radius: Annotated[float, Bounds(0, 2, "of a ball, on unit vectors; 0 follows from the purity")] = 0.0,
    purity: Annotated[float, Bounds(0.01, 0.999, "share of balls that hold one cluster only")] = 0.95,
    max_images: Annotated[int, Bounds(1, 1_000_000, "a random part of a larger pool is used")] = 20_000,
) -> Positions:
    """Ask for the image with most images around it that no ball around a labeled or picked one holds."""
    order = rng.permutation(len(features))[: max(max_images, k)]
    points = unit_rows(features[order])
    radius = radius or pure_radius(points, num_classes, purity, rng)
    nearest = nearest_distances(points, unit_rows(labeled_features))
    graph = Balls.of(points, np.flatnonzero(nearest > radius), radius)
    return graph.cover(min(k, len(points))).of(order)


def pure_radius(points: Points, num_classes: int, purity: float, rng: np.random.Generator) -> float:
    """The largest radius at which this share of balls holds one cluster only."""
    clusters = kmeans(points, min(num_classes, len(points)), rng).members
    nearest = np.empty(min(_BALLS, len(points)), np.float32)
    for rows, squares in _distances(points[: len(nearest)], points):
        squares[clusters[rows, None] == clusters] = np.inf
        nearest[rows] = squares.min(axis=1)
    # a ball is pure up to the nearest image of another cluster, and that one excluded
    nearest = np.sort(np.sqrt(nearest))
    impure = int((1 - purity) * len(nearest) + 1e-9)  # as many may be
    limit = nearest[min(impure, len(nearest) - 1)]
    return float(np.clip(np.nextafter(limit, np.float32(0)), 0, _DIAMETER))


@dataclass(frozen=True)
class Balls:
    """For each image, which of the images that are to be covered lie in its ball (compressed rows)."""

    starts: Int64[np.ndarray, " n+1"]
    inside: Int32[np.ndarray, " edges"]
    num_targets: int

    @classmethod
    def of(cls, points: Points, targets: Rows, radius: float) -> Balls:
        """Balls around all images. Images come in random order, so that the first ones are a random part."""
        others = points[targets]
        share = (
            np.mean([near.mean() for near in _near(points[:_BLOCK], others, radius)]) if len(others) else 0
        )
        expected = share * len(points) * len(others)
        if expected > _MAX_EDGES:
            others = others[: max(1, int(len(others) * _MAX_EDGES / expected))]
        degrees, inside = [np.zeros(1, np.int64)], []
        for near in _near(points, others, radius):
            degrees.append(near.sum(axis=1))
            inside.append(np.nonzero(near)[1].astype(np.int32))
        return cls(np.cumsum(np.concatenate(degrees)), np.concatenate(inside), len(others))

    def around(self, image: int) -> Int32[np.ndarray, " degree"]:
        """Which targets lie in this image's ball."""
        return self.inside[self.starts[image] : self.starts[image + 1]]

    def cover(self, k: int) -> Picks:
        """Pick k images, each the one whose ball holds most targets that no earlier one holds; and how many.

        A target that is covered is taken off the count of every ball that holds it, once: over all picks no
        more steps than there are edges.
        """
        counts, picks, news = np.diff(self.starts), np.empty(k, np.int64), np.empty(k)
        held_from, holders = self._holders()
        open_targets = np.ones(self.num_targets, bool)
        for made in range(k):
            picks[made] = image = int(counts.argmax())
            inside = self.around(image)
            new = inside[open_targets[inside]]
            news[made] = len(new)
            open_targets[new] = False
            if len(new):
                balls = np.concatenate([holders[held_from[t] : held_from[t + 1]] for t in new.tolist()])
                counts -= np.bincount(balls, minlength=len(counts))
            counts[image] = _PICKED
        return Picks(picks, news)

    def _holders(self) -> tuple[np.ndarray, np.ndarray]:
        """For each target, the images whose balls hold it (compressed rows)."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - pages list strategies and need none of it

        ones = np.ones(len(self.inside), np.int8)
        balls = csr_array((ones, self.inside, self.starts), (len(self.starts) - 1, self.num_targets))
        turned = balls.tocsc()
        return turned.indptr, turned.indices


def _near(points: Points, others: Points, radius: float) -> Iterator[Bool[np.ndarray, "b o"]]:
    for _, squares in _distances(points, others):
        yield squares <= radius * radius


def _distances(points: Points, others: Points) -> Iterator[tuple[Rows, Float[np.ndarray, "b o"]]]:
    """Squared distances from some points, block by block, to all others."""
    lengths, of_others = (np.einsum("nd,nd->n", p, p) for p in (points, others))
    for start in range(0, len(points), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(points)))
        squares = squared_distances(points[block] @ others.T, lengths[block], of_others)
        yield np.arange(block.start, block.stop), squares
