"""What is set aside from the train split before anything is labeled: disjoint, reproducible."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Int

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.dataset import Dataset
from al_core.errors import ConfigError, Problem
from al_core.seeds import generator
from al_core.types import Labels, SampleIds
from al_core.words import tr


@dataclass(frozen=True)
class Splits:
    """Two validation sets of sample ids (seed 1's validation 1 and 2); the rest is the pool.

    `thinned` images were taken out of the pool to give it the classes' shares that the config asks for.
    """

    num_samples: int
    epoch_validation: SampleIds
    round_validation: SampleIds
    thinned: SampleIds = field(default_factory=lambda: np.empty(0, np.int64))

    @cached_property
    def validation_ids(self) -> SampleIds:
        """Both, sorted."""
        return np.union1d(self.epoch_validation, self.round_validation).astype(np.int64)

    @cached_property
    def aside_ids(self) -> SampleIds:
        """All that is not in the pool, sorted."""
        return np.union1d(self.validation_ids, self.thinned).astype(np.int64)

    @cached_property
    def hash(self) -> str:
        """Identity of the split, as 16 hexadecimal digits."""
        digest = hashlib.sha256(str(self.num_samples).encode())
        kept = (self.epoch_validation, self.round_validation)
        for ids in kept if not len(self.thinned) else (*kept, self.thinned):
            digest.update(b"|" + np.ascontiguousarray(ids, "<i8").tobytes())
        return digest.hexdigest()[:16]


class _Known:
    """A data set as a key of caches: by its name and content, so that all handles on it share one entry."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self._identity = dataset, (dataset.key, dataset.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)


def splits_of(dataset: Dataset, config: ExperimentConfig) -> Splits:
    """The splits of an experiment, drawn once a process: a million images take a second, and every page asks.

    Raises:
        ConfigError: as `make_splits`.
    """
    return _splits(_Known(dataset), config.data.model_dump_json(), config.seed)


def reserve_of(dataset: Dataset, config: ExperimentConfig) -> SampleIds:
    """The hold-back's images in the order in which they are asked, drawn once a process; read-only."""
    return _reserve(_Known(dataset), config.data.model_dump_json(), config.query.holdback, config.seed)


@lru_cache(maxsize=8)
def _splits(known: _Known, data: str, seed: int) -> Splits:
    return make_splits(known.dataset.train.labels, DataConfig.model_validate_json(data), seed)


@lru_cache(maxsize=8)
def _reserve(known: _Known, data: str, share: float, seed: int) -> SampleIds:
    ids = draw_reserve(_splits(known, data, seed), share, seed)
    ids.setflags(write=False)
    return ids


def make_splits(labels: Labels, data: DataConfig, seed: int) -> Splits:
    """Draw the validation sets of one seed, then thin the pool; the same whatever model or strategy follows.

    Raises:
        ConfigError: a validation share or an imbalance is asked for, but labels are unknown or the classes
            too small for it.
    """
    splits = _validation(labels, data, seed)
    if data.imbalance is None:
        return splits
    if (labels < 0).any():
        allowed = tr("the labels of the train split are not all known; leave it empty")
        raise ConfigError([Problem("data.imbalance", data.imbalance, allowed)])
    thinned = _thinned(labels, splits.validation_ids, data.imbalance, seed)
    return Splits(len(labels), splits.epoch_validation, splits.round_validation, thinned)


def long_tail(counts: Int[np.ndarray, " C"], ratio: float) -> Int[np.ndarray, " C"]:
    """How many images of each class a pool keeps, so that its classes fall off by `ratio` in all.

    Exponentially, from the largest class to the smallest (Cui et al., 2019, 1901.05555), with as many images
    as the counts allow; equal classes in their own order. Ratio 1 makes them all alike.
    """
    known = np.flatnonzero(counts)
    order = known[np.argsort(-counts[known], kind="stable")]
    shares = ratio ** (-np.arange(len(order)) / max(len(order) - 1, 1))
    kept = np.zeros_like(counts)
    if len(order):
        most = (counts[order] / shares).min()
        kept[order] = np.clip(np.round(most * shares).astype(np.int64), 1, counts[order])
    return kept


def _thinned(labels: Labels, held: SampleIds, ratio: float, seed: int) -> SampleIds:
    pool = np.setdiff1d(np.arange(len(labels)), held)
    kept = long_tail(np.bincount(labels[pool]), ratio)
    rng = generator(seed, "imbalance")
    parts = [rng.permutation(pool[labels[pool] == c])[kept[c] :] for c in range(len(kept))]
    return np.sort(np.concatenate(parts)).astype(np.int64)


def _validation(labels: Labels, data: DataConfig, seed: int) -> Splits:
    shares = {"data.epoch_validation": data.epoch_validation, "data.round_validation": data.round_validation}
    asked = {name: share for name, share in shares.items() if share}
    empty = np.empty(0, np.int64)
    if not asked:
        return Splits(len(labels), empty, empty)
    if (labels < 0).any():
        allowed = tr("the labels of the train split are not all known; use train.labeled_validation")
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
            allowed = tr(
                "leaves no image of class {class_id} in the pool; take smaller shares", class_id=class_id
            )
            raise ConfigError(Problem(name, share, allowed) for name, share in asked.items())
    sets = {name: np.sort(np.concatenate(parts)).astype(np.int64) for name, parts in chosen.items()}
    return Splits(
        len(labels), sets.get("data.epoch_validation", empty), sets.get("data.round_validation", empty)
    )


def draw_reserve(splits: Splits, share: float, seed: int) -> SampleIds:
    """The images of the hold-back in the order in which they are asked: a plain random draw from the pool.

    As large a share of the pool as of each query, so that it lasts until every image is labeled.
    """
    if not share:
        return np.empty(0, np.int64)
    pool_ids = np.setdiff1d(np.arange(splits.num_samples), splits.aside_ids)
    return generator(seed, "hold-back").permutation(pool_ids)[: math.ceil(share * len(pool_ids))]


def holdback_size(share: float, k: int, asked: int, held_back: int) -> int:
    """How many of the next k images come from the reserve, after `asked` ones of which `held_back` did.

    What a small query cannot pay the next one owes; one image of each query at least is the strategy's.
    """
    owed = math.floor(share * (asked + k) + 1e-9) - held_back
    return max(0, min(owed, k - 1))


def stratified_mask(classes: Labels, share: float, rng: np.random.Generator) -> np.ndarray:
    """Mask of a stratified share; at least one of a class stays for training."""
    mask = np.zeros(len(classes), bool)
    for class_id in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == class_id))
        mask[members[: min(round(share * len(members)), len(members) - 1)]] = True
    return mask
