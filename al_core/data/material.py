"""What a source is asked for, and what it hands over to be prepared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float64, UInt8

from al_core.config import DataConfig
from al_core.data.dataset import Augmentation, Refusal
from al_core.settings import Settings
from al_core.types import Labels, SampleIds, Sizes

Progress = Callable[[str, int, int], None]
"""Told of a phase, how much is done and how much there is; raises to cancel."""


def no_progress(phase: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Request:
    """What a source is asked for. `workspace` is an empty folder that is removed afterwards."""

    settings: Settings
    data: DataConfig
    path: Path | None
    workspace: Path
    progress: Progress = no_progress
    classes: tuple[str, ...] | None = None
    download: bool = False
    trusted: bool = False  # the path was typed by the machine's owner: it may lie outside the data roots

    def at(self, workspace: Path) -> Request:
        """The same request with another workspace."""
        return replace(self, workspace=workspace)


@dataclass(frozen=True)
class Part:
    """One split. Sample i is `images[rows[i]]`, or `images[i]` without rows; None: read from the files."""

    labels: Labels
    images: np.ndarray | None = None  # uint8 (N, S, S) grey or (N, S, S, 3)
    rows: SampleIds | None = None
    names: Sequence[str] | None = None
    sizes: Sizes | None = None  # of the pictures as they came; None: all are as they are kept

    def chunk(self, start: int, stop: int) -> UInt8[np.ndarray, "n S S 3"]:
        """Pictures `start` to `stop` in colour."""
        if self.images is None:
            raise ValueError("this part has no pixels of its own")
        place = slice(start, stop) if self.rows is None else self.rows[start:stop]
        pictures = np.asarray(self.images[place])
        if pictures.ndim == 3:
            pictures = np.repeat(pictures[..., None], 3, axis=3)
        return np.ascontiguousarray(pictures)


@dataclass(frozen=True)
class Moments:
    """Sums over pixels, by colour: enough for mean and deviation."""

    count: int = 0
    total: Float64[np.ndarray, " 3"] | None = None
    squares: Float64[np.ndarray, " 3"] | None = None

    def add(self, pictures: UInt8[np.ndarray, "n H W 3"]) -> Moments:
        """Moments with further pictures."""
        values = np.arange(256, dtype=np.float64)
        counts = np.stack([np.bincount(pictures[..., c].ravel(), minlength=256) for c in range(3)])
        return self.merge(Moments(pictures[..., 0].size, counts @ values, counts @ values**2))

    def merge(self, other: Moments) -> Moments:
        """Moments of both."""
        if self.total is None or self.squares is None:
            return other
        if other.total is None or other.squares is None:
            return self
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)

    def mean_and_std(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Of values between 0 and 1; a colour that never changes gets deviation 1 / 255."""
        if self.total is None or self.squares is None or not self.count:
            return (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
        mean = self.total / self.count
        variance = np.maximum(self.squares / self.count - mean**2, 1.0)
        m, s = (mean / 255).tolist(), (np.sqrt(variance) / 255).tolist()
        return (m[0], m[1], m[2]), (s[0], s[1], s[2])


@dataclass(frozen=True)
class Material:
    """Everything of a data set before it is written down."""

    title: str
    classes: tuple[str, ...]
    train: Part
    test: Part
    augmentation: Augmentation
    image_size: int
    pixelated: bool = True
    kind: Literal["memmap", "files"] = "memmap"
    root: Path | None = None  # files: the folder that names are relative to
    fingerprint: str | None = None  # files: over names and contents; memmap: computed when written
    moments: Moments | None = None
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    cases: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
