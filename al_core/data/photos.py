"""Splits of photos of mixed sizes: files read where they are, decoded on demand, kept at the asked size."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from al_core.data.cache import PixelCache
from al_core.data.dataset import Split
from al_core.data.images import MAX_SIDE, encode, fit_square, open_image
from al_core.data.names import Names, display
from al_core.data.roots import resolve_inside
from al_core.errors import DataError
from al_core.types import Images, Labels, SampleIds, SplitName

_THREADS: Final = min(4, os.cpu_count() or 1)


def decode_square(
    source: str | os.PathLike[str] | bytes, size: int, *, name: str
) -> UInt8[np.ndarray, "S S 3"]:
    """A picture's middle square at `size` pixels: what models see of a photo."""
    # twice the size leaves the reduction's quality to the resampling, not to the JPEG decoder
    return fit_square(open_image(source, name=name, at_least=2 * size), size)


class FileSplit(Split):
    """`names` are paths relative to `root`; `folder` is where decoded pictures are kept."""

    def __init__(
        self, name: SplitName, labels: Labels, names: Names, root: Path, image_size: int, folder: Path
    ) -> None:
        super().__init__(name, labels, image_size)
        self._names, self._root, self._folder = names, root, folder
        self._caches: dict[int, PixelCache | None] = {}

    def _read(self, ids: SampleIds, size: int) -> Images:
        pictures = np.empty((len(ids), size, size, 3), np.uint8)
        cache = self._cache(size)
        found = np.zeros(len(ids), bool) if cache is None else cache.get(ids, pictures)
        missing = np.flatnonzero(~found)

        def fill(row: int) -> None:
            pictures[row] = self._decode(int(ids[row]), size)

        if len(missing) > 1:
            # decoders release the interpreter's lock
            with ThreadPoolExecutor(_THREADS) as pool:
                for _ in pool.map(fill, missing.tolist()):
                    pass
        elif len(missing):
            fill(int(missing[0]))
        if cache is not None and len(missing):
            cache.put(ids[missing], pictures[missing])
        return pictures

    def _cache(self, size: int) -> PixelCache | None:
        if size not in self._caches:
            self._caches[size] = PixelCache.open(self._folder, self.name, len(self), size)
        return self._caches[size]

    def _path(self, sample_id: int) -> Path:
        return resolve_inside(self._root, self._names[sample_id])

    def _decode(self, sample_id: int, size: int) -> UInt8[np.ndarray, "S S 3"]:
        return decode_square(self._path(sample_id), size, name=self._file_name(sample_id))

    def _encoded(self, sample_id: int, width: int | None) -> tuple[bytes, str]:
        name = self._file_name(sample_id)
        image = open_image(self._path(sample_id), name=name, at_least=min(width or MAX_SIDE, MAX_SIDE))
        return encode(image, width, lossless=max(image.size) <= 64)

    def _original(self, sample_id: int) -> tuple[bytes, str]:
        path = self._path(sample_id)
        try:
            return path.read_bytes(), path.suffix.lower()
        except OSError as error:
            name = self._file_name(sample_id)
            raise DataError(f"{name} can no longer be read ({error.strerror}); restore the file") from error

    def _file_name(self, sample_id: int) -> str:
        return display(self._names[sample_id])
