"""Many file names in two flat arrays, so that opening a data set of a million files reads none of them.

Names keep the very bytes of the file system: what is not UTF-8 travels as surrogate escapes.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Bool, Int64, UInt8

_BLOCK = 1 << 23  # bytes that are searched at once


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

    def containing(self, text: str) -> Bool[np.ndarray, " n"]:
        """Which names hold this text, capital or small (of ASCII), composed or decomposed."""
        found = np.zeros(len(self), bool)
        for form in {unicodedata.normalize(kind, text) for kind in ("NFC", "NFD")} | {text}:
            needle = os.fsencode(form)
            if not needle:
                return np.ones(len(self), bool)
            for start in range(0, len(self.blob), _BLOCK):
                hits = start + _occurrences(self.blob[start : start + _BLOCK + len(needle) - 1], needle)
                names = np.searchsorted(self.ends, hits, side="right")
                found[names[hits + len(needle) <= self.ends[names]]] = True
        return found

    def order(self) -> Int64[np.ndarray, " n"]:
        """Positions by name, byte by byte."""
        starts = np.concatenate([[0], self.ends[:-1]]).astype(np.int64)
        lengths = self.ends - starts
        order = np.arange(len(self))
        for first in range(8 * (-(-int(lengths.max(initial=0)) // 8)) - 8, -1, -8):
            word = np.zeros(len(self), np.uint64)
            for at in range(first, first + 8):
                there = lengths > at
                word <<= np.uint64(8)
                word[there] |= self.blob[starts[there] + at]
            order = order[np.argsort(word[order], kind="stable")]
        return order

    def __iter__(self) -> Iterator[str]:
        return (self[position] for position in range(len(self)))


def _occurrences(blob: UInt8[np.ndarray, " b"], needle: bytes) -> Int64[np.ndarray, " h"]:
    """Where the needle begins in the block; the byte that is rarest there is looked for first."""
    pairs = [(place, *{byte, *(chr(byte).swapcase().encode("latin-1") if byte < 128 else b"")})
             for place, byte in enumerate(needle)]  # fmt: skip
    some = blob[:: max(1, len(blob) // 4096)]
    pairs.sort(key=lambda pair: int(np.isin(some, pair[1:]).sum()))
    last = len(blob) - len(needle)
    place, *bytes_ = pairs[0]
    mask = blob == bytes_[0]
    for byte in bytes_[1:]:
        mask |= blob == byte
    hits = np.flatnonzero(mask) - place
    hits = hits[(hits >= 0) & (hits <= last)]
    for place, *bytes_ in pairs[1:]:
        hits = hits[np.isin(blob[hits + place], bytes_)]
    return hits


def numbered(prefix: str, count: int, suffix: str) -> Names:
    """Names `prefix`000000`suffix` and so on, made without a loop over them."""
    width = np.maximum(6, np.searchsorted(10 ** np.arange(19), np.arange(count), side="right"))
    front, back = os.fsencode(prefix), os.fsencode(suffix)
    lengths = width + len(front) + len(back)
    ends = np.cumsum(lengths, dtype=np.int64)
    blob = np.empty(int(ends[-1]) if count else 0, np.uint8)
    for digits in np.unique(width):
        ids = np.flatnonzero(width == digits)
        rows = np.empty((len(ids), len(front) + digits + len(back)), np.uint8)
        rows[:, : len(front)] = np.frombuffer(front, np.uint8)
        rows[:, len(front) + digits :] = np.frombuffer(back, np.uint8)
        rest = ids.copy()
        for column in range(len(front) + digits - 1, len(front) - 1, -1):
            rows[:, column] = ord("0") + rest % 10
            rest //= 10
        first = int(ends[ids[0]]) - rows.shape[1]
        blob[first : first + rows.size] = rows.ravel()
    return Names(blob, ends)


def display(name: str) -> str:
    """A name as valid Unicode: bytes that are not UTF-8 are written in hexadecimal."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
