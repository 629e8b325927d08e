"""A data set in memory whose classes a few steps tell apart, and a network that trains in them."""

from pathlib import Path

import numpy as np
import pytest

from al_core.config import ExperimentConfig
from al_core.data.dataset import Augmentation, Dataset, Split
from al_core.engine.trainer import TrainData, fit


class ArraySplit(Split):
    def __init__(self, name, images, labels):
        super().__init__(name, labels, images.shape[1])
        self.images = images

    def _read(self, ids, size):
        step = self.images.shape[1] // size
        return self.images[ids][:, ::step, ::step]

    def _encoded(self, sample_id, width):
        raise NotImplementedError

    def _file_name(self, sample_id):
        return f"{sample_id}.png"


def array_dataset(size=8, train=60, test=40, classes=3, augmentation=None, seed=0):
    """Class c is brighter in the c-th third of its columns."""
    rng = np.random.default_rng(seed)
    halves = []
    for name, n in (("train", train), ("test", test)):
        labels = rng.integers(0, classes, n).astype(np.int64)
        images = rng.integers(0, 120, (n, size, size, 3)).astype(np.uint8)
        width = size // classes
        for image, c in zip(images, labels, strict=True):
            image[:, c * width : (c + 1) * width] += 100
        halves.append(ArraySplit(name, images, labels))
    return Dataset(
        key="array", source="array", title="Array", classes=tuple("abcdefghij"[:classes]),
        fingerprint=f"f{seed}", train=halves[0], test=halves[1], image_size=size, pixelated=True,
        kind="memmap",
        augmentation=augmentation or Augmentation(crop_padding=1, horizontal_flip=True, rotation_degrees=10,
                                                  contrast=0.1, hue=0.1),
        mean=(0.3, 0.3, 0.3), std=(0.2, 0.2, 0.2),
    )  # fmt: skip


@pytest.fixture(scope="session")
def dataset():
    return array_dataset()


@pytest.fixture(scope="session")
def make_dataset():
    return array_dataset


@pytest.fixture
def config():
    """Few and small steps, in fp32 so that the same tests hold on processors without bf16."""
    return ExperimentConfig().changed(
        train__epochs=4,
        train__min_steps=8,
        train__batch_size=8,
        train__precision="fp32",
        train__threads=1,
        train__device="cpu",
    )


@pytest.fixture
def data(dataset):
    ids = np.arange(20)
    return TrainData(ids, dataset.train.labels[ids])


@pytest.fixture
def train(dataset, data, tmp_path):
    """Train on the fixture's data, with whatever differs."""

    def run(config, **options) -> object:
        options = {"round": 0, "checkpoints": Path(tmp_path / "checkpoints"), **options}
        return fit(config, options.pop("dataset", dataset), options.pop("data", data), **options)

    return run
