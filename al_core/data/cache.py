"""Decoded photos at one size, kept on disk and filled as they are asked for, by any number of processes.

One file of records, each a checksum and the pixels; a checksum of 0 is "not there yet". A record is believed
only if its checksum fits, so that neither a race, a kill nor a power cut can make a black picture of it.
Records are written with pwrite: a full disk is an error that can be handled, not a signal that kills.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, UInt8

from al_core.types import SampleIds, SplitName

MAX_BYTES: Final = 4 * 10**9
"""Above this a split is decoded anew each time."""


def _checksum(pixels: UInt8[np.ndarray, "S S 3"]) -> int:
    return zlib.crc32(pixels.data) or 1


class PixelCache:
    """The records of one split at one size."""

    def __init__(self, path: Path, descriptor: int, count: int, size: int) -> None:
        self._descriptor, self._size = descriptor, size
        self._record = np.dtype([("checksum", "<u4"), ("pixels", "u1", (size, size, 3))])
        records = np.load(path, mmap_mode="r", allow_pickle=False)
        if records.dtype != self._record or records.shape != (count,):
            raise ValueError(f"{path} holds other pictures")
        self._records = records
        self._offset = path.stat().st_size - count * self._record.itemsize
        self._full = False

    @classmethod
    def open(cls, folder: Path, split: SplitName, count: int, size: int) -> PixelCache | None:
        """The cache of a split at a size, made if need be; None where there can be none."""
        record = 4 + size * size * 3
        if count == 0 or count * record > MAX_BYTES:
            return None
        path = folder / "cache" / f"{split}-{size}.npy"
        try:
            if not path.exists():
                _create(path, count, size)
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None  # a read-only or full disk: decoding goes on without a cache
        try:
            return cls(path, descriptor, count, size)
        except (OSError, ValueError):
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            return None

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    def get(self, ids: SampleIds, out: UInt8[np.ndarray, "n S S 3"]) -> Bool[np.ndarray, " n"]:
        """Copy what is there into `out`; says which rows that were."""
        found = np.zeros(len(ids), bool)
        for row, sample_id in enumerate(ids.tolist()):
            checksum = int(self._records["checksum"][sample_id])
            if checksum:
                out[row] = self._records["pixels"][sample_id]
                found[row] = _checksum(out[row]) == checksum
        return found

    def put(self, ids: SampleIds, pictures: UInt8[np.ndarray, "n S S 3"]) -> None:
        """Keep pictures; once the disk is full, nothing more is kept."""
        for sample_id, picture in zip(ids.tolist(), pictures, strict=True):
            if self._full:
                return
            record = _checksum(picture).to_bytes(4, "little") + picture.tobytes()
            try:
                written = os.pwrite(self._descriptor, record, self._offset + sample_id * len(record))
            except OSError:
                written = 0
            self._full = written != len(record)


def _create(path: Path, count: int, size: int) -> None:
    """Make an all-empty file in one step; it takes no room on the disk before it is filled."""
    path.parent.mkdir(exist_ok=True)
    record = np.dtype([("checksum", "<u4"), ("pixels", "u1", (size, size, 3))])
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(record), "fortran_order": False, "shape": (count,)
        }  # fmt: skip
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + count * record.itemsize)
    # two processes may both make one: the later rename wins, and the loser's records are decoded again
    Path(file.name).replace(path)
