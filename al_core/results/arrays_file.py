"""Named arrays in a file of their own, written whole or not at all: what a job leaves for a page to read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Put the arrays under that name, in place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """What `write_arrays` put there."""
    return load_file(path)
