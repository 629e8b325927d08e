"""Colour and texture of an image without a model: local binary patterns at several scales, colours, moments.

Patterns: the rotation-invariant uniform ones of 8 neighbours (Ojala et al., PAMI 2002), at three radii, of
brightness and of two opponent colours. Colours: a histogram of 64, and mean, deviation and skewness of each
channel in each quarter of the image (Stricker & Orengo, 1995).
Histograms enter by their square roots, so that Euclidean distances between them are Hellinger's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from al_core.data.dataset import Dataset
from al_core.engine.features import Progress, kept, table_path
from al_core.engine.inference import Control
from al_core.settings import Settings

_SIZE: Final = 64  # side to which larger images are reduced
_RADII: Final = (1, 2, 4)
_BATCH: Final = 256
# The eight neighbours in a ring, on a square: no pixel has to be interpolated.
_RING: Final = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_PATTERNS: Final = 10  # 0 to 8 brighter neighbours in one run, and all that is not one run
_OPPONENTS: Final = np.array([[1, 1, 1], [1, -1, 0], [0.5, 0.5, -1]], np.float32) / 3
WIDTH: Final = len(_OPPONENTS) * len(_RADII) * _PATTERNS + 64 + 4 * 3 * 3


def texture_table(dataset: Dataset, settings: Settings, progress: Progress, control: Control) -> np.ndarray:
    """Descriptors of the whole train split, computed now if they never were."""
    size, split, total = min(dataset.image_size, _SIZE), dataset.train, len(dataset.train)

    def compute(out: np.ndarray) -> None:
        for start in range(0, total, _BATCH):
            control()
            ids = np.arange(start, min(start + _BATCH, total))
            out[ids] = describe(split.read(ids, size))
            progress("features", start + len(ids), total)

    return kept(
        table_path(settings, f"{dataset.fingerprint}|texture|{size}", "train"), (total, WIDTH), compute
    )


def describe(images: UInt8[np.ndarray, "n S S 3"]) -> Float32[np.ndarray, "n 190"]:
    """One descriptor an image; it depends on this image alone."""
    return np.concatenate([*_textures(images), _colours(images), *_moments(images)], axis=1, dtype=np.float32)


def _textures(images: np.ndarray) -> list[np.ndarray]:
    """Histograms of patterns, each with a sum of squares of 1."""
    planes = np.einsum("nhwc,oc->onhw", images.astype(np.float32), _OPPONENTS)
    n, size = len(images), images.shape[1]
    found = []
    for plane in planes:
        for radius in _RADII:
            if size <= 2 * radius:
                found.append(np.zeros((n, _PATTERNS), np.float32))
                continue
            middle = plane[:, radius : size - radius, radius : size - radius]
            # a flat region is one pattern and not noise: half a grey level is no difference
            ring = [
                plane[:, radius + radius * dy : size - radius + radius * dy,
                      radius + radius * dx : size - radius + radius * dx] >= middle + 0.5
                for dy, dx in _RING
            ]  # fmt: skip
            brighter = sum(bit.astype(np.uint8) for bit in ring)
            turns = sum((ring[i] != ring[i - 1]).astype(np.uint8) for i in range(len(ring)))
            patterns = np.where(turns <= 2, brighter, _PATTERNS - 1).reshape(n, -1)
            found.append(_shares(patterns, _PATTERNS))
    return found


def _colours(images: np.ndarray) -> np.ndarray:
    """Histogram of 4 x 4 x 4 colours."""
    levels = images >> 6
    codes = levels[..., 0] * 16 + levels[..., 1] * 4 + levels[..., 2]
    return _shares(codes.reshape(len(images), -1), 64)


def _moments(images: np.ndarray) -> list[np.ndarray]:
    """Mean, deviation and skewness of the channels in each quarter, about as large as the histograms."""
    half = max(images.shape[1] // 2, 1)
    found = []
    for rows in (slice(half), slice(-half, None)):
        for columns in (slice(half), slice(-half, None)):
            part = images[:, rows, columns].reshape(len(images), -1, 3).astype(np.float32) / 255
            mean = part.mean(axis=1)
            apart = part - mean[:, None]
            skew = np.cbrt((apart**3).mean(axis=1))
            found += [mean, np.sqrt((apart**2).mean(axis=1)), skew]
    return found


def _shares(codes: np.ndarray, num: int) -> np.ndarray:
    """Square roots of each row's shares of the codes 0..num-1."""
    n, pixels = codes.shape
    flat = codes.astype(np.int64) + num * np.arange(n)[:, None]
    counts = np.bincount(flat.ravel(), minlength=n * num).reshape(n, num)
    return np.sqrt(counts / pixels).astype(np.float32)
