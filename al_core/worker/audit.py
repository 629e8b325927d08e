"""The audit job: what would a model say of each label, had it never seen that label?

Each labeled image gets its probabilities from a logistic regression on frozen features, fitted to the other
folds. Frozen features, because a network that was trained on an image repeats its label whatever it is.
"""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from al_core.engine.features import frozen_features
from al_core.errors import TrainingError
from al_core.experiment import Experiment
from al_core.results.audit import Audit, audit_path, keep
from al_core.results.metrics import Probabilities
from al_core.seeds import generator
from al_core.types import Labels
from al_core.words import tr
from al_core.worker.control import JobControl

FOLDS = 5
LEAST_LABELS = 20


def audit(experiment: Experiment, control: JobControl) -> None:
    """Audit all labels of an experiment as they are now.

    Raises:
        TrainingError: there are too few labels, or of one class only.
    """
    rev = experiment.store.label_rev(experiment.id)
    pool = experiment.pool(until=rev)
    ids = pool.paid_ids
    given = pool.classes[ids]
    if len(ids) < LEAST_LABELS or len(np.unique(given)) < 2:
        raise TrainingError(
            tr(
                "an audit needs {least} labels of two classes at least; there are {num_labels} of "
                "{num_classes}. Label more, then ask again",
                least=LEAST_LABELS,
                num_labels=len(ids),
                num_classes=len(np.unique(given)),
            )
        )

    def progress(phase: str, done: int, total: int) -> None:
        control.progress(phase, done, total)

    features = frozen_features(
        experiment.config, experiment.dataset, experiment.settings, ids, progress=progress, control=control
    )
    probs = out_of_fold(
        features, given, len(experiment.classes(until=rev)),
        generator(experiment.config.seed, "audit"), control,
    )  # fmt: skip
    keep(audit_path(experiment.settings, experiment.id, rev), Audit(ids, probs, given))


def out_of_fold(
    features: Float[np.ndarray, "m D"], given: Labels, num_classes: int, rng: np.random.Generator,
    control: JobControl,
) -> Probabilities:  # fmt: skip
    """Probabilities of each row from a fit to the other folds; folds are spread over the classes."""
    fold = np.empty(len(given), np.int64)
    for class_id in np.unique(given):
        members = rng.permutation(np.flatnonzero(given == class_id))
        fold[members] = (np.arange(len(members)) + rng.integers(FOLDS)) % FOLDS
    probs = np.zeros((len(given), num_classes), np.float32)
    for number in range(FOLDS):
        control.progress("audit", number, FOLDS)
        control()
        held = fold == number
        known = np.unique(given[~held])
        if not held.any() or len(known) < 2:
            continue
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 200 steps rank labels well enough
            probe.fit(features[~held], given[~held])
        probs[np.ix_(held, known)] = probe.predict_proba(features[held])
    return probs
