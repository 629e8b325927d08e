"""What a round's network is worth: on the test split, on validation images, and on what was held back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from al_core.experiment import TrainedView
from al_core.oracle import SOURCES
from al_core.pool import Pool
from al_core.results.metrics import Probabilities, confusion, evaluate
from al_core.types import SampleIds
from al_core.worker.holdback import measured

Predict = Callable[[str, SampleIds], Probabilities]
"""Of a split and ids in it: the network's probabilities, an output a column."""

Matrix = tuple[tuple[int, ...], ...]


def measures(
    experiment: TrainedView, pool: Pool, predict: Predict
) -> tuple[dict[str, float], Matrix | None, dict[str, np.ndarray]]:
    """Metrics, the confusion matrix of the test split and arrays to keep; these two by class id.

    Images of a class that was dropped measure nothing: there is no output for it.
    """
    dataset, classes = experiment.dataset, experiment.numbering
    metrics: dict[str, float] = {}
    matrix, arrays = None, {}
    known = np.flatnonzero(dataset.test.labels >= 0)
    if len(known):
        truth = dataset.test.labels[known]
        probs = predict("test", known)
        metrics |= {f"test_{name}": value for name, value in evaluate(probs, truth).items()}
        counts = confusion(classes.ids_of(probs.argmax(1)), classes.ids_of(truth), len(classes))
        matrix = tuple(tuple(row) for row in counts.tolist())
        arrays = {"test_ids": known, "test_probs": classes.widened(probs)}
    ids = experiment.splits.round_validation
    ids = ids[dataset.train.labels[ids] >= 0]
    if len(ids):
        found = evaluate(predict("train", ids), dataset.train.labels[ids])
        metrics |= {f"validation_{name}": value for name, value in found.items()}
    ids = pool.held_back_ids
    if len(ids):
        metrics |= measured(predict("train", ids), pool.classes[ids])
    return metrics | _wrong_labels(experiment, pool), matrix, arrays


def _wrong_labels(experiment: TrainedView, pool: Pool) -> dict[str, float]:
    """The share of wrong labels, where an oracle that errs gave them and the truth is known."""
    if experiment.config.oracle not in SOURCES or not experiment.dataset.has_truth:
        return {}
    truth = experiment.dataset.train.labels[pool.labeled_ids]
    return {"labels_wrong": float((pool.labeled_classes != truth).mean())} if len(truth) else {}


def labels_of_classes(experiment: TrainedView, pool: Pool) -> tuple[int, ...]:
    """How many labels each class id has."""
    classes = experiment.numbering
    given = classes.ids_of(pool.classes[pool.paid_ids])
    return tuple(np.bincount(given, minlength=len(classes)).tolist())
