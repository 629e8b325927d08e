"""What is set aside from the train split before anything is labeled: stratified, disjoint, reproducible."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from al_core.config import DataConfig
from al_core.errors import ConfigError, Problem
from al_core.seeds import generator
from al_core.types import Labels, SampleIds


@dataclass(frozen=True)
class Splits:
    """Two validation sets of sample ids (seed 1's validation 1 and 2); the rest is the pool."""

    num_samples: int
    epoch_validation: SampleIds
    round_validation: SampleIds

    @cached_property
    def validation_ids(self) -> SampleIds:
        """Both, sorted."""
        return np.union1d(self.epoch_validation, self.round_validation).astype(np.int64)

    @cached_property
    def hash(self) -> str:
        """Identity of the split, as 16 hexadecimal digits."""
        digest = hashlib.sha256(str(self.num_samples).encode())
        for ids in (self.epoch_validation, self.round_validation):
            digest.update(b"|" + np.ascontiguousarray(ids, "<i8").tobytes())
        return digest.hexdigest()[:16]


def make_splits(labels: Labels, data: DataConfig, seed: int) -> Splits:
    """Draw the validation sets of one seed; the same whatever model or strategy follows.

    Raises:
        ConfigError: a validation share is asked for, but labels are unknown or the classes too small for it.
    """
    shares = {"data.epoch_validation": data.epoch_validation, "data.round_validation": data.round_validation}
    asked = {name: share for name, share in shares.items() if share}
    empty = np.empty(0, np.int64)
    if not asked:
        return Splits(len(labels), empty, empty)
    if (labels < 0).any():
        allowed = "the labels of the train split are not all known; use train.labeled_validation"
        raise ConfigError(Problem(name, share, allowed) for name, share in asked.items())
    rng = generator(seed, "split")
    chosen: dict[str, list[SampleIds]] = {name: [] for name in asked}
    for class_id in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == class_id))
        begin = 0
        for name, share in asked.items():
            end = begin + round(share * len(members))
            chosen[name].append(members[begin:end])
            begin = end
        if begin >= len(members):
            allowed = f"leaves no image of class {class_id} in the pool; take smaller shares"
            raise ConfigError(Problem(name, share, allowed) for name, share in asked.items())
    sets = {name: np.sort(np.concatenate(parts)).astype(np.int64) for name, parts in chosen.items()}
    return Splits(
        len(labels), sets.get("data.epoch_validation", empty), sets.get("data.round_validation", empty)
    )
