"""Where a class may be that no label has shown yet: groups of images, by how likely they hold one.

Images are taken to share a class with what lies near them. Before anything is known an image is of one of
the U classes of C that nobody has seen with chance U / C; every labeled image near it, all of seen classes,
speaks against that. With the labeled images counted by nearness, n(x) = sum of exp(-(d(x, l) / h)^2), and a
Beta prior of that mean and of weight a, the chance that is left is

    p(x) = a (U / C) / (a + n(x)).

h is the distance from an image to its neighbours, on the whole: so a label speaks for its surroundings, and
hardly beyond. A group is as promising as its four most promising images: a rare class is a part of a group,
and a mean over all would drown it. Few of a group are asked for, each far from all labels and from the
others, as one glance at a place is enough to know it (k-center: Sener & Savarese 2018, arXiv 1708.00489).
Nothing but the order is claimed of the numbers; `python -m tests.benchmarks.radar` compares with chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.clustering import kmeans
from al_core.query.geometry import Points, kcenter, nearest_distances
from al_core.types import Positions

PRIOR_WEIGHT: Final = 0.5
"""a: below 1, as most groups are of one class and not a mixture."""
MOST_GROUPS: Final = 48
LEAST_IN_GROUP: Final = 4
PROMISING: Final = 4
"""By how many of its images, the most promising ones, a group is ranked."""
_ROWS: Final = 1024


@dataclass(frozen=True)
class Group:
    """Images that lie together: positions, the most typical first; no more than `labeled` of it is known."""

    members: Positions  # without a label
    labeled: int
    chance: float  # of its most promising images to be of a class that nobody has seen; mean
    remoteness: float  # distance to the nearest labeled image, as a multiple of the usual one


def group_images(points: Points, num_classes: int, rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """Which group each image is in: k-means, with some groups for each class."""
    k = max(2, min(3 * num_classes, MOST_GROUPS, len(points) // LEAST_IN_GROUP))
    return kmeans(points, k, rng).members.astype(np.int64)


def evidence(points: Points, labeled: Positions, width: float) -> Float[np.ndarray, " n"]:
    """n(x): labeled images by nearness, for each image."""
    found = np.zeros(len(points))
    squares = np.einsum("nd,nd->n", points, points)
    known = points[labeled]
    for start in range(0, len(points), _ROWS):
        some = slice(start, start + _ROWS)
        far = squares[some, None] + squares[labeled] - 2 * points[some] @ known.T
        found[some] = np.exp(-np.maximum(far, 0) / width**2).sum(1)
    return found


def promising(
    points: Points,
    groups: Int64[np.ndarray, " n"],
    labeled: Positions,
    free: Positions,
    *,
    seen: int,
    num_classes: int,
    width: float,
) -> list[Group]:
    """The groups with images to ask for, the most promising first; none where every class was seen.

    `labeled` and `free` are positions: what has a label, and what can be asked for. `width` is h.
    """
    missing = num_classes - seen
    if missing <= 0 or not len(labeled) or not len(free):
        return []
    chance = PRIOR_WEIGHT * missing / num_classes / (PRIOR_WEIGHT + evidence(points, labeled, width))
    away = nearest_distances(points, points[labeled])
    usual = max(float(np.median(away[free])), 1e-12)
    found = []
    for number in np.unique(groups[free]):
        members = free[groups[free] == number]
        if len(members) < LEAST_IN_GROUP:
            continue  # a stray image is an outlier more often than a class
        inside = int((groups[labeled] == number).sum())
        middle = points[members].mean(0)
        order = np.argsort(((points[members] - middle) ** 2).sum(1), kind="stable")
        best = float(np.sort(chance[members])[-PROMISING:].mean())
        found.append(Group(members[order], inside, best, float(away[members].mean()) / usual))
    return sorted(found, key=lambda group: -group.chance)


def examples(points: Points, group: Group, labeled: Positions, k: int) -> Positions:
    """At most k images of a group to ask for, each far from the labeled ones and from those before it."""
    members = group.members
    if len(members) <= k:
        return members
    return members[np.asarray(kcenter(points[members], k, centres=points[labeled]))]
