"""Frozen features: what a fixed network sees in each image, computed once and kept; or components of pixels.

A table holds a split's features in the order of its sample ids, float32, as a .npy under `AL_HOME/features`.
Its name is a hash of all that decides it (data, network, weights, size), so that a stale table cannot be
read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from al_core.config import ExperimentConfig
from al_core.data.dataset import Dataset, Split
from al_core.engine.device import choose
from al_core.engine.inference import Control, evaluating, no_control, run_chunks
from al_core.engine.network import ImageClassifier, Network, NetworkSpec, build_module, hash_tensors
from al_core.seeds import generator
from al_core.settings import Settings
from al_core.types import SampleIds

Progress = Callable[[str, int, int], None]

COMPONENTS = 64  # of the pixels, at most
_COMPONENT_PIXELS = 32  # side to which images are reduced for them
_COMPONENT_SAMPLE = 4000  # images that the components are found on


def no_progress(phase: str, done: int, total: int) -> None:
    """Tell nobody."""


class FeatureTables:
    """The cached features of a data set's splits under one frozen network."""

    def __init__(self, network: Network, dataset: Dataset, settings: Settings) -> None:
        self._network, self._dataset = network, dataset
        self._folder = settings.home / "features"
        state = network.module.state_dict()
        trunk = {k: v for k, v in state.items() if not k.startswith("classifier.head.")}
        self._identity = (
            f"{dataset.fingerprint}|{dataset.image_size}|{hash_tensors(trunk)}|{network.spec.image_size}"
        )
        self._identity += f"|{network.spec.model}|{network.spec.small_stem}|{network.plan.dtype}"
        self._open: dict[str, np.ndarray] = {}

    def table(
        self, split: Split, *, progress: Callable[[int, int], None] = lambda done, total: None,
        control: Control = no_control,
    ) -> np.ndarray | None:  # fmt: skip
        """Features of a whole split, computed now if they never were; None if it is not this data set's."""
        if split is not self._dataset.train and split is not self._dataset.test:
            return None
        if split.name not in self._open:
            path = self._folder / f"{_name(self._identity, split.name)}.npy"
            width = self._network.num_features

            def compute(out: np.ndarray) -> None:
                ids = np.arange(len(split))
                with evaluating(self._network.module), torch.inference_mode():
                    run_chunks(
                        self._network, split, ids, ImageClassifier.forward_features, out,
                        progress=progress, control=control,
                    )  # fmt: skip

            self._open[split.name] = kept(path, (len(split), width), compute)
        return self._open[split.name]


def frozen_features(
    config: ExperimentConfig,
    dataset: Dataset,
    settings: Settings,
    ids: SampleIds,
    *,
    progress: Progress = no_progress,
    control: Control = no_control,
) -> Float32[np.ndarray, "n D"]:
    """Features of train images that no round changes.

    `query.features` says which. auto: of the config's model where it has ImageNet weights or is frozen (then
    also a random trunk, as a control); otherwise the principal components of the pixels.
    """
    source = config.query.features
    if source == "texture":
        from al_core.engine.texture import texture_table  # noqa: PLC0415 - texture builds on tables

        return np.asarray(texture_table(dataset, settings, progress, control)[ids], np.float32)
    if source == "pixels" or (source == "auto" and not (config.model.pretrained or config.model.frozen)):
        return np.asarray(_pixel_table(dataset, settings, config.seed, progress, control)[ids], np.float32)
    frozen = config.changed(model__frozen=True)
    spec = NetworkSpec.of(frozen, dataset, 0)
    plan = choose(config.train, image_size=spec.image_size)
    network = Network(build_module(spec, plan), plan, spec)
    table = FeatureTables(network, dataset, settings).table(
        dataset.train, progress=lambda done, total: progress("features", done, total), control=control
    )
    if table is None:
        raise ValueError("a data set's train split has a table")
    return np.asarray(table[ids], np.float32)


def _pixel_table(
    dataset: Dataset, settings: Settings, seed: int, progress: Progress, control: Control
) -> np.ndarray:
    """Principal components of reduced pixels (randomised: Halko et al., 2011, arXiv:0909.4061)."""
    size = min(dataset.image_size, _COMPONENT_PIXELS)
    split, total = dataset.train, len(dataset.train)
    path = table_path(settings, f"{dataset.fingerprint}|pixels|{size}|{seed}", "train")
    width = min(COMPONENTS, 3 * size * size, total)

    def rows(ids: np.ndarray) -> np.ndarray:
        control()
        return split.read(ids, size).reshape(len(ids), -1).astype(np.float32) / 255

    def compute(out: np.ndarray) -> None:
        rng = generator(seed, "pixel components")
        sample = np.sort(rng.choice(total, min(total, _COMPONENT_SAMPLE), replace=False))
        x = np.concatenate([rows(part) for part in np.array_split(sample, -(-len(sample) // 512))])
        mean = x.mean(0)
        axes = _components(x - mean, width, rng)
        for start in range(0, total, 1024):
            ids = np.arange(start, min(start + 1024, total))
            out[start : start + len(ids)] = (rows(ids) - mean) @ axes
            progress("features", start + len(ids), total)

    return kept(path, (total, width), compute)


def _components(x: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    """The `width` leading right singular vectors of x, (P, width), each with its largest entry positive."""
    basis = x @ rng.standard_normal((x.shape[1], min(width + 10, *x.shape)), np.float32)
    for _ in range(4):  # power iterations: pixels' spectra fall slowly after the first few
        basis = x @ (x.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    axes = np.linalg.svd(basis.T @ x, full_matrices=False)[2][:width]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])
    return (axes * np.where(signs == 0, 1, signs)[:, None]).T.astype(np.float32)


def table_path(settings: Settings, identity: str, split: str) -> Path:
    """The file of the table that this identity decides."""
    return settings.home / "features" / f"{_name(identity, split)}.npy"


def _name(identity: str, split: str) -> str:
    return hashlib.sha256(f"{identity}|{split}".encode()).hexdigest()[:32]


def kept(path: Path, shape: tuple[int, int], compute: Callable[[np.ndarray], None]) -> np.ndarray:
    """The float32 array in a file, read-only; `compute` fills it where the file is not there yet.

    The name appears only once the content is complete and on the disk.
    """
    if path.exists():
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        if found.shape == shape:
            return found
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        out = np.lib.format.open_memmap(part, mode="w+", dtype=np.float32, shape=shape)
        compute(out)
        out.flush()
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r", allow_pickle=False)
