"""What a person may want to know of each asked image: the labeled ones nearest to it, and who else would ask.

Kept with the round's arrays. Only where people label: a simulation pays nothing for it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float

from al_core.data.dataset import Dataset
from al_core.engine.inference import Control, embed
from al_core.engine.network import Network
from al_core.guidelines import middle_of_class
from al_core.query.ranking import top_k
from al_core.query.strategies import STRATEGIES
from al_core.results.reasons import NEIGHBOURS, RIVALS
from al_core.types import Labels, SampleIds

MOST_LABELED: Final = 2000  # labeled images that are looked at: beyond that a random part of them


def reasons(
    network: Network,
    dataset: Dataset,
    picked: SampleIds,
    labeled_ids: SampleIds,
    labeled_classes: Labels,
    rng: np.random.Generator,
    control: Control,
) -> dict[str, np.ndarray]:
    """Nearest labeled images by the network's embedding (cosine), and how near those are to one another.

    Beside them the labeled images in the middle of each class, for its guideline; `labeled_classes` are ids.
    """
    known, classes = labeled_ids, labeled_classes
    if len(known) > MOST_LABELED:
        known = np.sort(rng.choice(known, MOST_LABELED, replace=False))
        classes = labeled_classes[np.isin(labeled_ids, known)]
    asked = _unit(embed(network, dataset.train, picked, control=control))
    near = _unit(embed(network, dataset.train, known, control=control))
    distances = 1 - asked @ near.T
    order = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
    among = 1 - near @ near.T
    np.fill_diagonal(among, np.inf)
    typical = np.median(among.min(1)) if len(known) > 1 else np.nan
    middle, owners = middle_of_class(near, classes)
    return {
        "typical_ids": known[middle],
        "typical_classes": owners,
        "picked_ids": picked,
        "nearest_ids": known[order],
        "nearest_distances": np.take_along_axis(distances, order, 1).astype(np.float32),
        "typical_distance": np.array([typical], np.float32),
    }


def rivals(
    picked: SampleIds,
    candidate_ids: SampleIds,
    probs: Float[np.ndarray, "n C"],
    k: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Which of the picked are among the k that strategies of probabilities alone would have asked for."""
    found = {}
    for name in RIVALS:
        best = top_k(np.asarray(STRATEGIES.get(name).function(probs), np.float64), k, rng)
        found[f"rival_{name}"] = np.isin(picked, candidate_ids[best]).astype(np.uint8)
    return found


def _unit(rows: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D"]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
