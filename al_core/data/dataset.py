"""A data set: immutable images and labels in a train and a test split, class names, a fingerprint.

No torch here: the server process shows these pictures, and the engine reads the same arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Int64

from al_core.data.names import Names, display, numbered
from al_core.errors import DataError
from al_core.types import UNKNOWN, Images, Labels, SampleIds, Sizes, SplitName
from al_core.words import tr


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

    def __init__(self, name: SplitName, labels: Labels, image_size: int, names: Names | None = None) -> None:
        self.name: SplitName = name
        self.labels = labels
        self._image_size = image_size
        self._names = names

    @property
    def image_size(self) -> int:
        """Side of the squares that `read` gives, in pixels."""
        return self._image_size

    @property
    def has_truth(self) -> bool:
        """Whether the label of every picture is known."""
        return len(self) > 0 and bool((self.labels != UNKNOWN).all())

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, ids: SampleIds, size: int | None = None) -> Images:
        """Pixels of these ids, in their order (repeats allowed), as squares of `size`.

        Raises:
            DataError: an id is outside the split, or a picture is no longer what it was.
        """
        return self._read(self._all_checked(ids), self._image_size if size is None else size)

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

    def sizes(self, ids: SampleIds) -> Sizes:
        """Width and height of these pictures as they came, in their order; 0 where a file is gone.

        Raises:
            DataError: an id is outside the split.
        """
        return self._sizes(self._all_checked(ids))

    @property
    def kept_sizes(self) -> Sizes | None:
        """The same of all pictures, where no file need be opened for it."""
        return np.broadcast_to(np.int32(self._image_size), (len(self), 2))

    def keep_sizes(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """See to it that `kept_sizes` are there: a set that an earlier version prepared has none."""
        del progress

    @cached_property
    def names(self) -> Names:
        """The names that `file_name` shows, all of them; made at first use where they are only numbers."""
        return self._names if self._names is not None else numbered(f"{self.name}-", len(self), ".png")

    @cached_property
    def by_name(self) -> SampleIds:
        """Sample ids by name, byte by byte."""
        return self.names.order()

    def _all_checked(self, ids: SampleIds) -> SampleIds:
        ids = np.asarray(ids, dtype=np.int64)
        if len(ids) and (ids.min() < 0 or ids.max() >= len(self)):
            raise self._missing(ids[(ids < 0) | (ids >= len(self))][0])
        return ids

    def _checked(self, sample_id: int) -> int:
        if not 0 <= sample_id < len(self):
            raise self._missing(sample_id)
        return int(sample_id)

    def _missing(self, sample_id: int) -> DataError:
        return DataError(
            tr(
                "there is no sample {sample_id} in the {name} split (0 to {last})",
                sample_id=sample_id,
                name=self.name,
                last=len(self) - 1,
            )
        )

    def at(self, size: int) -> Split:
        """This split, read at another size where that finds more in the pictures; else this one."""
        del size
        return self

    @abstractmethod
    def _read(self, ids: SampleIds, size: int) -> Images: ...

    @abstractmethod
    def _encoded(self, sample_id: int, width: int | None) -> tuple[bytes, str]: ...

    def _original(self, sample_id: int) -> tuple[bytes, str]:
        return self._encoded(sample_id, None)[0], ".png"

    def _sizes(self, ids: SampleIds) -> Sizes:
        return np.full((len(ids), 2), self._image_size, np.int32)

    def _file_name(self, sample_id: int) -> str:
        return f"{self.name}-{sample_id:06d}.png" if self._names is None else display(self._names[sample_id])


class Relabeled(Split):
    """A split whose labels are told otherwise, as classes were merged or dropped. All else is the split's."""

    def __init__(self, split: Split, labels: Labels) -> None:
        super().__init__(split.name, labels, split.image_size)
        self._split = split

    @property
    def has_truth(self) -> bool:
        """Whether the data set knows every label, also those of dropped classes."""
        return self._split.has_truth

    @property
    def kept_sizes(self) -> Sizes | None:
        """As the split has them."""
        return self._split.kept_sizes

    def keep_sizes(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Of the split."""
        self._split.keep_sizes(progress)

    @cached_property
    def names(self) -> Names:
        """Of the split."""
        return self._split.names

    @cached_property
    def by_name(self) -> SampleIds:
        """Of the split, which keeps the order."""
        return self._split.by_name

    def at(self, size: int) -> Split:
        """The split at that size, with these labels."""
        return Relabeled(self._split.at(size), self.labels)

    def _read(self, ids: SampleIds, size: int) -> Images:
        return self._split.read(ids, size)

    def _encoded(self, sample_id: int, width: int | None) -> tuple[bytes, str]:
        return self._split.encoded(sample_id, width)

    def _original(self, sample_id: int) -> tuple[bytes, str]:
        return self._split.original(sample_id)

    def _sizes(self, ids: SampleIds) -> Sizes:
        return self._split.sizes(ids)

    def _file_name(self, sample_id: int) -> str:
        return self._split.file_name(sample_id)


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

    def at(self, size: int | None) -> Dataset:
        """The same, its photos read at `size` pixels; pictures without files stay: networks resize those."""
        if size is None or size == self.image_size or self.kind != "files":
            return self
        padding = max(1, round(self.augmentation.crop_padding * size / self.image_size))
        return replace(
            self, image_size=size, train=self.train.at(size), test=self.test.at(size),
            augmentation=replace(self.augmentation, crop_padding=padding),
        )  # fmt: skip

    @property
    def has_truth(self) -> bool:
        """Whether the label of every train picture is known."""
        return self.train.has_truth

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
