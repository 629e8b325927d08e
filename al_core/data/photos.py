"""Splits of photos of mixed sizes: files read where they are, decoded on demand, kept at the asked size."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from al_core.data.cache import PixelCache
from al_core.data.dataset import Split
from al_core.data.images import MAX_SIDE, encode, fit_square, open_image, picture_size
from al_core.data.names import Names
from al_core.data.roots import resolve_inside
from al_core.errors import DataError
from al_core.types import Images, Labels, SampleIds, Sizes, SplitName
from al_core.words import tr

_THREADS: Final = min(4, os.cpu_count() or 1)
_HEADS: Final = 1024  # files whose heads are read between two reports


def sizes_file(folder: Path, split: SplitName) -> Path:
    """Where a prepared data set keeps the sizes of a split's pictures."""
    return folder / f"{split}_sizes.npy"


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
        super().__init__(name, labels, image_size, names)
        self._paths, self._root, self._folder = names, root, folder
        self._caches: dict[int, PixelCache | None] = {}
        self._kept: Sizes | None = None

    def at(self, size: int) -> FileSplit:
        """Read from the files at that size, which are kept beside those of other sizes."""
        return FileSplit(self.name, self.labels, self._paths, self._root, size, self._folder)

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
        return resolve_inside(self._root, self._paths[sample_id])

    def _decode(self, sample_id: int, size: int) -> UInt8[np.ndarray, "S S 3"]:
        return decode_square(self._path(sample_id), size, name=self._file_name(sample_id))

    def _encoded(self, sample_id: int, width: int | None) -> tuple[bytes, str]:
        name = self._file_name(sample_id)
        image = open_image(self._path(sample_id), name=name, at_least=min(width or MAX_SIDE, MAX_SIDE))
        return encode(image, width, lossless=max(image.size) <= 64)

    @property
    def kept_sizes(self) -> Sizes | None:
        """What preparing kept; None for a set that an earlier version prepared."""
        if self._kept is None:
            try:
                kept = np.load(sizes_file(self._folder, self.name), mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError):
                return None
            self._kept = kept if kept.shape == (len(self), 2) else None
        return self._kept

    def keep_sizes(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Read them from the heads of the files, once; a file that is gone keeps 0 x 0."""
        if self.kept_sizes is not None:
            return
        sizes = np.zeros((len(self), 2), np.int32)
        for start in range(0, len(self), _HEADS):
            part = np.arange(start, min(start + _HEADS, len(self)))
            sizes[part] = self._sizes(part)
            progress(start + len(part), len(self))
        path = sizes_file(self._folder, self.name)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                np.save(file, sizes)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _sizes(self, ids: SampleIds) -> Sizes:
        kept = self.kept_sizes
        if kept is not None:
            return np.asarray(kept[ids])
        with ThreadPoolExecutor(_THREADS) as pool:
            found = list(pool.map(self._head, ids.tolist()))
        return np.array(found, np.int32).reshape(-1, 2)

    def _head(self, sample_id: int) -> tuple[int, int]:
        try:
            return picture_size(self._path(sample_id), name=self._file_name(sample_id))
        except DataError:
            return 0, 0

    def _original(self, sample_id: int) -> tuple[bytes, str]:
        path = self._path(sample_id)
        try:
            return path.read_bytes(), path.suffix.lower()
        except OSError as error:
            name = self._file_name(sample_id)
            raise DataError(
                tr(
                    "{name} can no longer be read ({reason}); restore the file",
                    name=name,
                    reason=error.strerror,
                )
            ) from error
