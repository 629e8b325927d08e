"""What a round's network says of every image of the train split, and how the images look: columns to sort by.

The worker makes them (worker/survey.py), pages read them. Files are named by all that decides them:
predictions by the round's weights, looks by the data set, so that neither is ever stale.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from al_core.errors import NotFound
from al_core.experiment import Experiment
from al_core.results.arrays_file import read_arrays, write_arrays
from al_core.words import tr

LOOKS: Final = ("brightness", "contrast", "sharpness")


@dataclass(frozen=True)
class SurveyRequest:
    """What is asked for: the predictions of this round, or (None) how the images look."""

    experiment: str
    round: int | None

    def path(self, experiment: Experiment) -> Path:
        """The file.

        Raises:
            NotFound: there is no such round.
        """
        decides = "looks"
        if self.round is not None:
            rounds = experiment.store.rounds(experiment.id)
            if not 0 <= self.round < len(rounds):
                raise NotFound(
                    tr(
                        "experiment {experiment} has no round {round}",
                        experiment=experiment.id,
                        round=self.round,
                    )
                )
            # without "classes", files of older versions number a network's outputs
            decides = f"classes|{rounds[self.round].artefacts.get('weights', 'none')}"
        prepared = experiment.prepared  # whatever became of its classes
        text = f"1|{prepared.key}|{prepared.fingerprint}|{decides}"
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        return experiment.settings.home / "surveys" / f"{name}.safetensors"


@dataclass(frozen=True)
class Predicted:
    """Position i is sample i. `predicted` holds class ids.

    `margin` is first minus second probability, `entropy` in nats.
    """

    predicted: Int32[np.ndarray, " N"]
    confidence: Float32[np.ndarray, " N"]
    margin: Float32[np.ndarray, " N"]
    entropy: Float32[np.ndarray, " N"]

    @classmethod
    def empty(cls, count: int) -> Predicted:
        """Room for so many images."""
        return cls(np.empty(count, np.int32), *(np.empty(count, np.float32) for _ in range(3)))

    def put(self, start: int, probs: Float32[np.ndarray, "n C"]) -> None:
        """Fill in images from `start` on."""
        place = slice(start, start + len(probs))
        best = np.partition(probs, -2, axis=1)[:, -2:]
        self.predicted[place] = probs.argmax(1)
        self.confidence[place] = best[:, 1]
        self.margin[place] = best[:, 1] - best[:, 0]
        self.entropy[place] = -(probs * np.log(np.maximum(probs, 1e-12))).sum(1)

    def write(self, path: Path) -> None:
        """Keep it."""
        write_arrays(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Predicted:
        """What `write` kept."""
        return cls(**read_arrays(path))


def read_looks(path: Path) -> dict[str, Float32[np.ndarray, " N"]]:
    """Brightness, contrast and sharpness by sample id."""
    return read_arrays(path)
