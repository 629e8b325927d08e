"""What a round's network gets wrong on the test images: which, how surely, since when, and on what kind.

Everything is read off the probabilities that the round kept; no network is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64

from al_core.results.metrics import Probabilities, wilson_interval
from al_core.types import Labels, SampleIds
from al_core.words import tr


@dataclass(frozen=True)
class Predictions:
    """Rows of images whose class is known; `ids` are positions in the test split."""

    ids: SampleIds
    probs: Probabilities
    labels: Labels

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], labels: Labels) -> Predictions | None:
        """From a round's arrays and the test split's labels; None where the round kept none."""
        if "test_probs" not in arrays or not len(arrays["test_ids"]):
            return None
        ids = arrays["test_ids"].astype(np.int64)
        return cls(ids, arrays["test_probs"], labels[ids])

    @cached_property
    def predicted(self) -> Int64[np.ndarray, " n"]:
        """The likeliest class."""
        return self.probs.argmax(axis=1)

    @cached_property
    def confidence(self) -> Float[np.ndarray, " n"]:
        """Its probability."""
        return self.probs.max(axis=1)

    @cached_property
    def right(self) -> Bool[np.ndarray, " n"]:
        """Whether it is the true one."""
        return self.predicted == self.labels

    def rows(self, *, true: int | None = None, predicted: int | None = None) -> Int64[np.ndarray, " m"]:
        """Rows of a confusion cell (or of a whole row or column of it), the surest first."""
        wanted = np.ones(len(self.ids), bool)
        if true is not None:
            wanted &= self.labels == true
        if predicted is not None:
            wanted &= self.predicted == predicted
        rows = np.flatnonzero(wanted)
        return rows[np.argsort(-self.confidence[rows], kind="stable")]

    def mistakes(self, *, true: int | None = None, predicted: int | None = None) -> Int64[np.ndarray, " m"]:
        """Wrong rows, the surest first: there the network has learnt something false, or the truth is."""
        rows = self.rows(true=true, predicted=predicted)
        return rows[~self.right[rows]]


@dataclass(frozen=True)
class Flips:
    """What changed between two rounds, as ids: `unlearned` was right before, `learned` is right now."""

    unlearned: SampleIds
    learned: SampleIds


def flips(before: Predictions, after: Predictions) -> Flips:
    """Compare over the images that both rounds looked at."""
    _, old, new = np.intersect1d(before.ids, after.ids, assume_unique=True, return_indices=True)
    was, now = before.right[old], after.right[new]
    return Flips(after.ids[new[was & ~now]], after.ids[new[~was & now]])


def reliability(predictions: Predictions, bins: int = 10) -> pd.DataFrame:
    """One row a bin of confidence that holds images: how sure the network was, and how often right.

    Columns: low and high (the bin), images, confidence (mean), accuracy, accuracy_low and accuracy_high
    (Wilson's 95 % interval).
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, predictions.confidence, side="right") - 1, 0, bins - 1)
    rows = []
    for number in np.unique(place):
        inside = place == number
        hits, n = int(predictions.right[inside].sum()), int(inside.sum())
        rows.append(
            (
                edges[number], edges[number + 1], n, float(predictions.confidence[inside].mean()), hits / n,
                *wilson_interval(hits, n),
            )
        )  # fmt: skip
    columns = ["low", "high", "images", "confidence", "accuracy", "accuracy_low", "accuracy_high"]
    return pd.DataFrame(rows, columns=columns)


def part_words(name: str, low: float, high: float) -> str:
    """The values of a part of `slices`, as a person reads them."""
    digits = 2 if name == "aspect ratio" else 0
    first, last = f"{low:.{digits}f}", f"{high:.{digits}f}"
    return first if first == last else tr("{first} to {last}", first=first, last=last)


def slices(
    predictions: Predictions, values: Mapping[str, Float[np.ndarray, " n"]], parts: int = 4
) -> pd.DataFrame:
    """One row a property and part of the images, parts being equally large: accuracy with its interval.

    Columns: property, part (0 has the lowest values), low and high (values), images, accuracy, accuracy_low,
    accuracy_high. Images with equal values stay in one part, so that a property may have fewer parts; those
    without a value (NaN) are in none.
    """
    rows = []
    for name, column in values.items():
        known = np.flatnonzero(np.isfinite(column))
        if not len(known):
            continue
        edges = np.unique(np.quantile(column[known], np.linspace(0, 1, parts + 1)))
        place = np.clip(np.searchsorted(edges, column[known], side="right") - 1, 0, max(len(edges) - 2, 0))
        for number in np.unique(place):
            inside = known[place == number]
            hits, n = int(predictions.right[inside].sum()), len(inside)
            low, high = float(column[inside].min()), float(column[inside].max())
            rows.append((name, int(number), low, high, n, hits / n, *wilson_interval(hits, n)))
    columns = ["property", "part", "low", "high", "images", "accuracy", "accuracy_low", "accuracy_high"]
    return pd.DataFrame(rows, columns=columns)
