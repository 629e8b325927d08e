"""Which parts of an image a round's network goes by: what the worker finds, and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from al_core.errors import NotFound
from al_core.experiment import Experiment
from al_core.results.arrays_file import read_arrays, write_arrays
from al_core.words import tr


@dataclass(frozen=True)
class SaliencyRequest:
    """What decides it."""

    experiment: str
    round: int
    sample_id: int

    def path(self, experiment: Experiment) -> Path:
        """Its file, named by the network's weights.

        Raises:
            NotFound: there is no such round.
        """
        rounds = experiment.store.rounds(experiment.id)
        if not 0 <= self.round < len(rounds):
            raise NotFound(
                tr("experiment {experiment} has no round {round}", experiment=experiment.id, round=self.round)
            )
        weights = rounds[self.round].artefacts["weights"]
        name = f"2-{weights[:32]}-{self.sample_id}.safetensors"  # before 2, `predicted` was an output
        return experiment.settings.home / "saliency" / name


@dataclass(frozen=True)
class Saliency:
    """`heat[y, x]` in 0..1: how much the probability of class `predicted` falls while it is covered."""

    heat: Float32[np.ndarray, "S S"]
    predicted: int
    probability: float
    lowest: float  # the probability with the worst place covered

    def write(self, path: Path) -> None:
        """Keep it."""
        numbers = np.array([self.predicted, self.probability, self.lowest], np.float64)
        write_arrays(path, {"heat": self.heat, "numbers": numbers})

    @classmethod
    def read(cls, path: Path) -> Saliency:
        """What `write` kept."""
        arrays = read_arrays(path)
        predicted, probability, lowest = arrays["numbers"].tolist()
        return cls(arrays["heat"], int(predicted), probability, lowest)
