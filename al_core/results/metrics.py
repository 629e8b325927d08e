"""What a round's predictions are worth, in plain numpy.

Averages over classes go over the classes that occur among the true labels: a class that the split does not
hold has no recall to average. That is scikit-learn's `labels=np.unique(y)` with `zero_division=0`. Rows whose
label is UNKNOWN are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int64

from al_core.types import Labels

Probabilities = Float[np.ndarray, "n C"]
Confusion = Int64[np.ndarray, "C C"]

ECE_BINS: Final = 15


@dataclass(frozen=True)
class ClassReport:
    """Per class, in class order. Where nothing was predicted as a class its precision is 0, as is its F1."""

    precision: Float[np.ndarray, " C"]
    recall: Float[np.ndarray, " C"]
    f1: Float[np.ndarray, " C"]
    support: Int64[np.ndarray, " C"]


def evaluate(probs: Probabilities, labels: Labels) -> dict[str, float]:
    """All summary metrics of a split by name; empty where no label is known."""
    probs, labels = _known(probs, labels)
    if len(labels) == 0:
        return {}
    table = confusion(probs.argmax(axis=1), labels, probs.shape[1])
    report = class_report(table)
    present = report.support > 0
    return {
        "accuracy": float(np.trace(table) / table.sum()),
        "macro_f1": float(report.f1[present].mean()),
        "macro_precision": float(report.precision[present].mean()),
        "weighted_precision": float(np.average(report.precision, weights=report.support)),
        "weighted_f1": float(np.average(report.f1, weights=report.support)),
        "balanced_accuracy": float(report.recall[present].mean()),  # macro recall; weighted: the accuracy
        "worst_class_accuracy": float(report.recall[present].min()),
        "loss": log_loss(probs, labels),
        "ece": calibration_error(probs, labels),
    }


def wilson_interval(hits: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927): sound for few trials and for shares near 0 and 1.

    Raises:
        ValueError: there is no trial.
    """
    if n < 1:
        raise ValueError("a share needs at least one trial")
    z, share = 1.959964, hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def confusion(predicted: Labels, labels: Labels, num_classes: int) -> Confusion:
    """How often each true class (row) was predicted as each class (column); unknown labels are left out."""
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    known = labels >= 0
    cells = labels[known].astype(np.int64) * num_classes + predicted[known]
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_report(table: Confusion) -> ClassReport:
    """Precision, recall, F1 and support of each class, from a confusion matrix."""
    hits, support, guesses = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    # a class that is neither there nor guessed has 0 hits: 0 / 1 is the zero that is wanted
    return ClassReport(
        precision=hits / np.maximum(guesses, 1),
        recall=hits / np.maximum(support, 1),
        f1=2 * hits / np.maximum(guesses + support, 1),
        support=support,
    )


def log_loss(probs: Probabilities, labels: Labels) -> float:
    """Mean negative log likelihood in nats; probability 0 counts as its type's epsilon, so it is finite."""
    probs, labels = _known(probs, labels)
    own = np.take_along_axis(probs, labels[:, None], axis=1)[:, 0]
    return float(-np.log(np.clip(own, np.finfo(own.dtype).eps, 1).astype(np.float64)).mean())


def calibration_error(probs: Probabilities, labels: Labels, bins: int = ECE_BINS) -> float:
    """Expected calibration error of the top class (Guo et al., 2017): equal bins, each closed at its top."""
    probs, labels = _known(probs, labels)
    confidence = probs.max(axis=1).astype(np.float64)
    correct = probs.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def _known(probs: Probabilities, labels: Labels) -> tuple[Probabilities, Labels]:
    probs, labels = np.asarray(probs), np.asarray(labels, np.int64)
    known = labels >= 0
    return (probs, labels) if known.all() else (probs[known], labels[known])
