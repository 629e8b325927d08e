"""A map of the train images: where each lies among the others, what a round's network says, who is alike.

The worker makes it (worker/image_map.py), pages read it. Its file is named by all that decides it, so that a
map is never stale and the same one is never made twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from al_core import by_hand
from al_core.errors import NotFound
from al_core.experiment import Experiment
from al_core.results.arrays_file import read_arrays, write_arrays
from al_core.types import INITIAL_ROUND, UNKNOWN, SampleIds
from al_core.words import tr

Layout = Literal["pca", "tsne", "umap"]
MOST: Final[dict[Layout, int]] = {"pca": 20_000, "tsne": 5_000, "umap": 20_000}
"""Images on a map; of more, a random sample with every labeled one in it."""


@dataclass(frozen=True)
class MapRequest:
    """What decides a map. `round` None: features that no round trains."""

    experiment: str
    round: int | None
    layout: Layout = "pca"
    dims: Literal[2, 3] = 2

    def weights(self, experiment: Experiment) -> str:
        """What the features come from: the hash of the round's weights, or the options of frozen features.

        Raises:
            NotFound: there is no such round, or it keeps no weights.
        """
        if self.round is None:
            config = experiment.config
            return f"frozen|{config.model.model_dump_json()}|{config.query.features}|{config.seed}"
        rounds = experiment.store.rounds(experiment.id)
        if not 0 <= self.round < len(rounds):
            raise NotFound(
                tr("experiment {experiment} has no round {round}", experiment=experiment.id, round=self.round)
            )
        weights = rounds[self.round].artefacts.get("weights")
        if weights is None:
            raise NotFound(
                tr("round {round} keeps no weights; the map of frozen features needs none", round=self.round)
            )
        return weights

    def path(self, experiment: Experiment) -> Path:
        """The map's file."""
        text = f"2|{experiment.dataset.fingerprint}|{self.weights(experiment)}|{self}"
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        return experiment.settings.home / "maps" / f"{name}.safetensors"


@dataclass(frozen=True)
class ImageMap:
    """Rows are images of the train split. Distances are cosine distances of the features."""

    ids: SampleIds
    places: Float32[np.ndarray, "n dims"]
    features: Float32[np.ndarray, "n D"]  # reduced and of length 1, to find alike images by
    predicted: Int64[np.ndarray, " n"]  # UNKNOWN without a network
    confidence: Float32[np.ndarray, " n"]  # nan without a network
    margin: Float32[np.ndarray, " n"]  # first minus second probability; nan without a network
    nearest: SampleIds  # the most alike other image
    distance: Float32[np.ndarray, " n"]  # to it
    crowd: Float32[np.ndarray, " n"]  # mean distance to the ten nearest: large for outliers
    center: Float32[np.ndarray, " F"] = field(default_factory=lambda: np.zeros(0, np.float32))
    axes: Float32[np.ndarray, "F D"] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """From a network's features to those kept here, so that a picture from outside finds its like."""

    def write(self, path: Path) -> None:
        """Keep it."""
        write_arrays(path, {name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def read(cls, path: Path) -> ImageMap:
        """What `write` kept."""
        return cls(**read_arrays(path))

    def alike(self, sample_id: int, count: int) -> tuple[SampleIds, Float32[np.ndarray, " k"]]:
        """The nearest images of one that is on the map, itself left out, and their distances."""
        row = int(np.flatnonzero(self.ids == sample_id)[0])
        distances = 1 - self.features @ self.features[row]
        distances[row] = np.inf
        rows = np.argsort(distances, kind="stable")[: min(count, len(self.ids) - 1)]
        return self.ids[rows], np.maximum(distances[rows], 0).astype(np.float32)

    def alike_to(
        self, features: Float32[np.ndarray, " F"], count: int
    ) -> tuple[SampleIds, Float32[np.ndarray, " k"]]:
        """The images nearest to a picture with these features of the map's network, and their distances."""
        reduced = (features - self.center) @ self.axes
        distances = 1 - self.features @ (reduced / max(float(np.linalg.norm(reduced)), 1e-12))
        rows = np.argsort(distances, kind="stable")[:count]
        return self.ids[rows], np.maximum(distances[rows], 0).astype(np.float32)

    def copies(self, limit: float) -> list[tuple[int, int, float]]:
        """Pairs of images nearer than `limit`, the nearest first, each pair once."""
        rows = np.flatnonzero(self.distance <= limit)
        rows = rows[np.argsort(self.distance[rows], kind="stable")]
        pairs: dict[tuple[int, int], float] = {}
        for row in rows.tolist():
            one, other = sorted((int(self.ids[row]), int(self.nearest[row])))
            pairs.setdefault((one, other), float(self.distance[row]))
        return [(one, other, distance) for (one, other), distance in pairs.items()]

    def outliers(self, count: int) -> SampleIds:
        """The images that lie farthest from all others."""
        return self.ids[np.argsort(-self.crowd, kind="stable")[:count]]


def asked_in(experiment: Experiment) -> np.ndarray:
    """For each image of the train split the round whose query first asked for it; below UNKNOWN: none did."""
    rounds = np.full(len(experiment.dataset.train), UNKNOWN - 1, np.int64)
    queries = by_hand.queries_of(experiment.store, experiment.id)
    answered = experiment.store.current_labels(experiment.id)
    for query in reversed(queries):
        rounds[[item.sample_id for item in query.seen(answered)]] = query.round
    return rounds


def map_frame(experiment: Experiment, found: ImageMap, number: int | None = None) -> pd.DataFrame:
    """One row an image: id, file, place, label, the network's word, and the round that asked for it.

    Labels are those that stood when round `number` was trained; without it, those that stand now. A round of
    -1 is the initial set; cells are empty where there is nothing.
    """
    record = None if number is None else experiment.store.rounds(experiment.id)[number]
    pool = experiment.pool(until=None if record is None else record.label_event_id)
    names = np.array([*experiment.dataset.classes, None], object)  # UNKNOWN is the last
    asked = asked_in(experiment)[found.ids]
    axes = dict(zip("xyz", found.places.T, strict=False))
    return pd.DataFrame(
        {
            "sample_id": found.ids,
            "file": [experiment.dataset.train.file_name(int(i)) for i in found.ids],
            **axes,
            "label": names[np.maximum(pool.classes[found.ids], UNKNOWN)],
            "prediction": names[np.maximum(found.predicted, UNKNOWN)],
            "confidence": found.confidence,
            "uncertainty": 1 - found.margin,
            "round": pd.array([n if n >= INITIAL_ROUND else None for n in asked.tolist()], "Int64"),
            "nearest": found.nearest,
            "distance": found.distance,
        }
    )
