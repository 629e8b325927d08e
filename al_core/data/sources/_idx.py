"""The idx format of MNIST's files (LeCun): a magic number, the shape, then bytes."""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from jaxtyping import UInt8

from al_core.errors import DataError
from al_core.words import tr

MAX_VALUES: Final = 2 * 10**9


def find(folder: Path, name: str) -> Path | None:
    """The file of that name in a folder, plain or compressed."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def read(path: Path) -> UInt8[np.ndarray, "*shape"]:
    """The bytes of an idx file as an array.

    Raises:
        DataError: it is not of this format, or holds fewer or more than it says.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return parse(file, str(path))
    except (OSError, EOFError) as error:
        raise DataError(tr("{path} cannot be read ({error})", path=path, error=error)) from error


def parse(file: BinaryIO | gzip.GzipFile, name: str) -> UInt8[np.ndarray, "*shape"]:
    """An array from an open idx file."""
    head = file.read(4)
    if len(head) != 4 or head[:3] != b"\0\0\x08" or not 1 <= head[3] <= 3:
        raise DataError(
            tr("{name} is no idx file of bytes (it begins with {head})", name=name, head=head.hex())
        )
    sizes = file.read(4 * head[3])
    if len(sizes) != 4 * head[3]:
        raise DataError(tr("{name} is truncated", name=name))
    shape = struct.unpack(f">{head[3]}I", sizes)
    count = math.prod(shape)
    if count > MAX_VALUES:
        raise DataError(
            tr("{name} claims {count} values, more than any file of MNIST's kind", name=name, count=count)
        )
    data = file.read(count + 1)
    if len(data) != count:
        if len(data) < count:
            raise DataError(tr("{name} is truncated", name=name))
        raise DataError(tr("{name} is longer than it says", name=name))
    return np.frombuffer(data, np.uint8).reshape(shape)
