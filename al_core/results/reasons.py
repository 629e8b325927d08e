"""Why an image was asked for, read from its round: percentile, labeled neighbours, and who else would ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from al_core.experiment import Experiment
from al_core.records import Query
from al_core.store.objects import Objects

RIVALS: Final = ("margin", "entropy", "least_confidence")
NEIGHBOURS: Final = 3


@dataclass(frozen=True)
class Reason:
    """What is known of one asked image; empty where its round kept nothing."""

    beaten: float | None = None  # share of the candidates that had a lower score
    nearest: tuple[int, ...] = ()  # labeled images, nearest first
    remoteness: float | None = None  # distance to the nearest, in typical distances between labeled images
    rivals: tuple[str, ...] = ()  # strategies that would have asked for it too
    others: tuple[str, ...] = ()  # strategies that would not


def reason(experiment: Experiment, query: Query, sample_id: int) -> Reason:
    """Read it from the arrays of the round that asked.

    Raises:
        StoreError: the round's arrays are damaged.
    """
    rounds = experiment.store.rounds(experiment.id)
    if not 0 <= query.round < len(rounds) or "arrays" not in rounds[query.round].artefacts:
        return Reason()
    arrays = Objects(experiment.settings.objects).get_arrays(rounds[query.round].artefacts["arrays"])
    beaten = _beaten(arrays, sample_id)
    place = np.flatnonzero(arrays.get("picked_ids", np.empty(0)) == sample_id)
    if not len(place):
        return Reason(beaten)
    row = int(place[0])
    # a strategy does not stand beside itself
    judged = [n for n in RIVALS if f"rival_{n}" in arrays and n != query.strategy]
    nearest, typical = arrays["nearest_distances"][row], float(arrays["typical_distance"][0])
    far = float(nearest[0]) / typical if len(nearest) and np.isfinite(typical) and typical > 0 else None
    return Reason(
        beaten,
        nearest=tuple(int(i) for i in arrays["nearest_ids"][row]),
        remoteness=far,
        rivals=tuple(n for n in judged if arrays[f"rival_{n}"][row]),
        others=tuple(n for n in judged if not arrays[f"rival_{n}"][row]),
    )


def _beaten(arrays: dict[str, np.ndarray], sample_id: int) -> float | None:
    if "scores" not in arrays or "candidate_ids" not in arrays or len(arrays["scores"]) < 2:
        return None
    own = arrays["scores"][arrays["candidate_ids"] == sample_id]
    return float((arrays["scores"] < own[0]).sum() / (len(arrays["scores"]) - 1)) if len(own) else None
