"""An audit of the labels given so far: out-of-fold probabilities, kept as a file that pages read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from al_core.results.arrays_file import read_arrays, write_arrays
from al_core.results.metrics import Probabilities
from al_core.results.suspects import suspects
from al_core.settings import Settings
from al_core.types import Labels, SampleIds


@dataclass(frozen=True)
class Audit:
    """Probabilities of each labeled image from a model that was fitted without it."""

    ids: SampleIds
    probs: Probabilities
    given: Labels  # as they were then

    @property
    def agreement(self) -> float:
        """Share of labels that are also the likeliest class: how much the doubts are worth."""
        return float((self.probs.argmax(axis=1) == self.given).mean())

    def suspects(self) -> pd.DataFrame:
        """`suspects.suspects` with the sample id in place of the row, the most doubtful first."""
        frame = suspects(self.probs, self.given)
        frame.insert(0, "sample_id", self.ids[frame["row"].to_numpy()])
        return frame.drop(columns="row")


def audit_path(settings: Settings, experiment_id: str, rev: int) -> Path:
    """Where the audit of an experiment's labels up to that event lies."""
    return settings.home / "audits" / f"{experiment_id}-{rev}.safetensors"


def keep(path: Path, audit: Audit) -> None:
    """Write it whole or not at all; older audits of the experiment go."""
    arrays = {"ids": audit.ids, "probs": audit.probs.astype(np.float32), "given": audit.given}
    write_arrays(path, arrays)
    for old in path.parent.glob(f"{path.stem.rpartition('-')[0]}-*.safetensors"):
        if old != path:
            old.unlink(missing_ok=True)


def latest(settings: Settings, experiment_id: str) -> tuple[int, Audit] | None:
    """The newest audit, and the label event that it goes up to; None where there is none."""
    found = [
        (int(path.stem.rpartition("-")[2]), path)
        for path in (settings.home / "audits").glob(f"{experiment_id}-*.safetensors")
    ]
    if not found:
        return None
    rev, path = max(found)
    arrays = read_arrays(path)
    return rev, Audit(arrays["ids"], arrays["probs"], arrays["given"])
