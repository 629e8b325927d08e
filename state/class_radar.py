"""Which classes no label has shown yet, and where they may be: what the class radar shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from al_core.by_hand import standing
from al_core.experiment import Experiment
from al_core.pool import Pool, Status
from al_core.query.geometry import unit_rows
from al_core.query.radar import examples, group_images, promising
from al_core.results.image_map import ImageMap, MapRequest
from al_core.seeds import generator
from al_core.types import SampleIds
from state import image_maps

EXAMPLES = 4  # more of one place tell little more: tests/benchmarks/radar.py
_FREE = (Status.UNLABELED, Status.QUERIED)


@dataclass(frozen=True)
class Coverage:
    """`missing` are the names of the classes that can be given and that no label has yet."""

    total: int
    missing: tuple[str, ...]
    labels: int

    @property
    def seen(self) -> int:
        """How many classes have a label."""
        return self.total - len(self.missing)


@dataclass(frozen=True)
class Proposal:
    """A group that may hold one: images to ask for, its size, and how far it is from what is labeled."""

    ids: tuple[int, ...]
    size: int
    labeled: int
    remoteness: float


def coverage(experiment: Experiment) -> Coverage:
    """How many of the classes have been seen so far."""
    pool, names = experiment.pool(), experiment.dataset.classes
    given = pool.classes[pool.classes >= 0]
    counts = np.bincount(given, minlength=len(names))
    open_ = experiment.classes().open
    return Coverage(len(open_), tuple(names[c] for c in open_ if not counts[c]), len(given))


def request(experiment: Experiment) -> MapRequest:
    """The map that it looks at: of features that no round trains, for those exist before the first."""
    return MapRequest(experiment.id, None)


@lru_cache(maxsize=4)
def _groups(path: Path, modified: int, num_classes: int, seed: int) -> Int64[np.ndarray, " n"]:
    del modified  # only there to be part of the key
    found = ImageMap.read(path)
    return group_images(unit_rows(found.features), num_classes, generator(seed, "class radar"))


def proposals(experiment: Experiment, found: ImageMap, pool: Pool) -> list[Proposal]:
    """The groups most likely to hold a class that no label has shown, the likeliest first."""
    seen = coverage(experiment)
    path = request(experiment).path(experiment)
    groups = _groups(path, path.stat().st_mtime_ns, seen.total, experiment.config.seed)
    status, classes = pool.status[found.ids], pool.classes[found.ids]
    points = unit_rows(found.features)
    labeled = np.flatnonzero(classes >= 0)
    free = np.isin(status, _FREE) & ~np.isin(found.ids, _asked_by_hand(experiment))
    ranked = promising(
        points, groups, labeled, np.flatnonzero(free),
        seen=seen.seen, num_classes=seen.total, width=float(np.sqrt(2 * np.median(found.crowd))),
    )  # fmt: skip
    return [
        Proposal(
            tuple(_ids(found.ids, examples(points, group, labeled, EXAMPLES))),
            len(group.members), group.labeled, group.remoteness,
        )
        for group in ranked
    ]  # fmt: skip


def _asked_by_hand(experiment: Experiment) -> list[int]:
    """What a person has put in front of the query already."""
    query = experiment.pending()
    there = standing(experiment.store.mark_events(experiment.id))
    return [] if query is None else there.get(query.round, [])


def _ids(ids: SampleIds, positions: np.ndarray) -> list[int]:
    return ids[positions].tolist()


def find(experiment: Experiment) -> ImageMap | None:
    """The map, or None while it is not made."""
    return image_maps.maps.find(experiment, request(experiment))
