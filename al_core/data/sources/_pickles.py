"""CIFAR's files are pickles: they are read by a reader that builds arrays and plain values, nothing else.

A pickle may name any function to call. This reader knows the few names that files of CIFAR use, and puts its
own harmless things behind them; any other name is refused before anything runs.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from al_core.errors import DataError
from al_core.words import tr


def _empty_array(*_: object) -> np.ndarray:
    # numpy's own would allocate whatever shape the file asks for; the state that follows brings the data
    return np.ndarray.__new__(np.ndarray, (0,), "u1")


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r}")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): "numpy.ndarray",  # only ever an argument: calling it must fail
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return _KNOWN[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}") from None


def read(data: bytes, name: str) -> dict[str, Any]:
    """The dictionary in a CIFAR file, with text keys.

    Raises:
        DataError: it is no pickle, or asks for anything but arrays and plain values.
    """
    try:
        values = _Reader(io.BytesIO(data), encoding="latin1").load()
    except Exception as error:  # damaged pickles raise nearly anything
        raise DataError(
            tr("{name} is refused: not a file of CIFAR ({error})", name=name, error=error)
        ) from error
    if not isinstance(values, dict):
        raise DataError(tr("{name} is refused: it holds no table", name=name))
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): value for key, value in values.items()
    }
