"""Many file names in two flat arrays, so that opening a data set of a million files reads none of them.

Names keep the very bytes of the file system: what is not UTF-8 travels as surrogate escapes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Int64, UInt8


class Names:
    """Names by position: `blob` holds their bytes end to end, `ends` where each one ends."""

    def __init__(self, blob: UInt8[np.ndarray, " b"], ends: Int64[np.ndarray, " n"]) -> None:
        self.blob, self.ends = blob, ends

    @classmethod
    def pack(cls, names: Iterable[str]) -> Names:
        """Lay names end to end."""
        encoded = [os.fsencode(name) for name in names]
        ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, position: int) -> str:
        start = int(self.ends[position - 1]) if position else 0
        return os.fsdecode(self.blob[start : int(self.ends[position])].tobytes())

    def __iter__(self) -> Iterator[str]:
        return (self[position] for position in range(len(self)))


def display(name: str) -> str:
    """A name as valid Unicode: bytes that are not UTF-8 are written in hexadecimal."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
