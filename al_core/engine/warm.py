"""The weights that a warm start begins from, also where the classes are not those of the round before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from al_core.engine.network import HEAD, read_safetensors


def warm_weights(
    path: Path, before: Sequence[int], now: Sequence[int], rng: np.random.Generator
) -> Path | Mapping[str, np.ndarray]:
    """The file itself while the outputs stand for the same classes, else its weights with another last layer.

    `before` and `now` are the class ids of the outputs. An output whose class was there keeps its weights,
    one of a new class is drawn as a fresh linear layer's is, and that of a merged or dropped class goes.

    Raises:
        ModelError: the file is not there, or no file of weights.
    """
    if tuple(before) == tuple(now):
        return path
    tensors, _ = read_safetensors(path)
    state = {name: np.array(value.numpy()) for name, value in tensors.items()}
    sources = {class_id: place for place, class_id in enumerate(before)}
    kept = np.array([sources.get(class_id, -1) for class_id in now], np.int64)
    width = state[f"{HEAD}weight"].shape[1]
    bound = 1 / np.sqrt(width)
    for name in (f"{HEAD}weight", f"{HEAD}bias"):
        old = state[name]
        fresh = rng.uniform(-bound, bound, (len(now), *old.shape[1:])).astype(old.dtype)
        fresh[kept >= 0] = old[kept[kept >= 0]]
        state[name] = fresh
    return state
