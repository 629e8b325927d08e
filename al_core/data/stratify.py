"""Samples drawn so that every class keeps its share."""

from __future__ import annotations

import numpy as np

from al_core.types import Labels, SampleIds


def stratified(labels: Labels, total: int, rng: np.random.Generator) -> SampleIds:
    """`total` positions, sorted, from each class in proportion (largest remainders get the odd ones)."""
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * (total / max(len(labels), 1))
    quota = np.floor(exact).astype(np.int64)
    # a stable order, so that equal remainders fall to the lower class
    order = np.argsort(quota - exact, kind="stable")
    quota[order[: total - int(quota.sum())]] += 1
    chosen = [
        rng.permutation(np.flatnonzero(labels == label))[:number]
        for label, number in zip(classes, quota, strict=True)
    ]
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
