"""A data set: immutable images and labels in a train and a test split, class names, a fingerprint.

No torch here: the server process shows these pictures, and the engine reads the same arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Int64

from al_core.errors import DataError
from al_core.types import UNKNOWN, Images, Labels, SampleIds, SplitName


@dataclass(frozen=True)
class Augmentation:
    """Random changes that keep the class of this data set's pictures (a flip would not, for letters)."""

    crop_padding: int = 0  # pixels at image_size
    horizontal_flip: bool = False
    rotation_degrees: float = 0.0  # to either side
    contrast: float = 0.0  # factor in 1 -/+ this
    hue: float = 0.0  # share of the colour circle, to either side


@dataclass(frozen=True)
class Refusal:
    """A file that is not part of the data set, and why."""

    name: str
    split: str
    reason: str


class Split(ABC):
    """The train or the test half. Sample ids are positions in it; pixels are read on demand."""

    def __init__(self, name: SplitName, labels: Labels, image_size: int) -> None:
        self.name: SplitName = name
        self.labels = labels
        self._image_size = image_size

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, ids: SampleIds, size: int | None = None) -> Images:
        """Pixels of these ids, in their order (repeats allowed), as squares of `size`.

        Raises:
            DataError: an id is outside the split, or a picture is no longer what it was.
        """
        ids = np.asarray(ids, dtype=np.int64)
        if len(ids) and (ids.min() < 0 or ids.max() >= len(self)):
            wrong = ids[(ids < 0) | (ids >= len(self))][0]
            raise DataError(f"there is no sample {wrong} in the {self.name} split (0 to {len(self) - 1})")
        return self._read(ids, self._image_size if size is None else size)

    def encoded(self, sample_id: int, width: int | None) -> tuple[bytes, str]:
        """The whole picture for a browser, and its mime type: at most `width` wide, never enlarged.

        Raises:
            DataError: there is no such sample, or its file is no longer readable.
        """
        return self._encoded(self._checked(sample_id), width)

    def original(self, sample_id: int) -> tuple[bytes, str]:
        """The picture as it came, for an export: the file's own bytes and suffix, or a PNG of the pixels.

        Raises:
            DataError: there is no such sample, or its file is gone.
        """
        return self._original(self._checked(sample_id))

    def file_name(self, sample_id: int) -> str:
        """A name to show, never to open: "cat/0001.jpg" or "train-000017.png"."""
        return self._file_name(self._checked(sample_id))

    def _checked(self, sample_id: int) -> int:
        if not 0 <= sample_id < len(self):
            raise DataError(f"there is no sample {sample_id} in the {self.name} split (0 to {len(self) - 1})")
        return int(sample_id)

    @abstractmethod
    def _read(self, ids: SampleIds, size: int) -> Images: ...

    @abstractmethod
    def _encoded(self, sample_id: int, width: int | None) -> tuple[bytes, str]: ...

    def _original(self, sample_id: int) -> tuple[bytes, str]:
        return self._encoded(sample_id, None)[0], ".png"

    @abstractmethod
    def _file_name(self, sample_id: int) -> str: ...


@dataclass(frozen=True)
class Dataset:
    """One prepared data set. `key` names its folder; `fingerprint` names its content."""

    key: str
    source: str
    title: str
    classes: tuple[str, ...]
    fingerprint: str
    train: Split
    test: Split
    image_size: int
    pixelated: bool
    kind: Literal["memmap", "files"]
    augmentation: Augmentation
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    cases: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Train ids of kinds of pictures that a made-up data set knows of: "mislabeled", "duplicate" ..."""

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def has_truth(self) -> bool:
        """Whether the label of every train picture is known."""
        return len(self.train) > 0 and bool((self.train.labels != UNKNOWN).all())

    def split(self, name: SplitName) -> Split:
        """The split of that name."""
        return self.train if name == "train" else self.test

    def class_counts(self, split: SplitName) -> Int64[np.ndarray, " C"]:
        """How many pictures of each class are known."""
        labels = self.split(split).labels
        return np.bincount(labels[labels != UNKNOWN], minlength=self.num_classes).astype(np.int64)


@dataclass(frozen=True)
class DatasetSummary:
    """What a list of prepared data sets shows, without opening any."""

    key: str
    source: str
    title: str
    kind: Literal["memmap", "files"]
    num_classes: int
    num_train: int
    num_test: int
    image_size: int
    has_truth: bool
    num_refused: int
    fingerprint: str
    prepared_at: float
