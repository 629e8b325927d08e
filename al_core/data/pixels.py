"""Splits whose pictures all have one small size: a memory map, read by position."""

from __future__ import annotations

import numpy as np
from PIL import Image

from al_core.data.dataset import Split
from al_core.data.images import encode, fit_square
from al_core.data.names import Names
from al_core.types import Images, Labels, SampleIds, SplitName


class MemmapSplit(Split):
    """`images` is uint8 (N, S, S, 3), usually a read-only memory map."""

    def __init__(self, name: SplitName, labels: Labels, images: Images, names: Names | None) -> None:
        super().__init__(name, labels, images.shape[1], names)
        self._images = images

    def _read(self, ids: SampleIds, size: int) -> Images:
        pixels = np.asarray(self._images[ids])
        if size == self._image_size:
            return pixels
        resized = np.empty((len(ids), size, size, 3), np.uint8)
        for row, picture in zip(resized, pixels, strict=True):
            row[:] = fit_square(Image.fromarray(picture), size)
        return resized

    def _encoded(self, sample_id: int, width: int | None) -> tuple[bytes, str]:
        picture = Image.fromarray(np.ascontiguousarray(self._images[sample_id]))
        return encode(picture, width, lossless=True)
