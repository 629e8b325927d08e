"""What a round trains on and validates by: labeled images, what they weigh, and copies of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from al_core.engine.trainer import TrainData
from al_core.experiment import TrainedView
from al_core.pool import Pool
from al_core.seeds import generator
from al_core.splits import stratified_mask
from al_core.types import Labels, SampleIds


def training_set(
    experiment: TrainedView,
    pool: Pool,
    weights: Float[np.ndarray, " m"] | None,
    number: int,
    copies: Callable[[SampleIds, Labels], dict[str, np.ndarray]],
) -> TrainData:
    """The data of round `number`. `weights` are those of the pool's labeled images; None: all count alike.

    A share of the labels is held out of training to validate by, where the config says so.
    """
    config, labels = experiment.config, experiment.dataset.train.labels
    train_ids, validation_ids = pool.labeled_ids, experiment.splits.epoch_validation
    # a class whose labels are asked again is nothing to validate by
    validation_ids = validation_ids[labels[validation_ids] >= 0]
    share = config.train.labeled_validation
    validation_classes = labels[validation_ids]
    if share:
        held = stratified_mask(pool.labeled_classes, share, generator(config.seed, "holdout", number))
        validation_ids, validation_classes = train_ids[held], pool.labeled_classes[held]
        train_ids = train_ids[~held]
        weights = None if weights is None else weights[~held]
    if weights is not None:
        counts = weights > 0
        train_ids, weights = train_ids[counts], weights[counts]
    classes = pool.classes[train_ids]
    return TrainData(
        train_ids, classes, validation_ids, validation_classes, weights=weights, **copies(train_ids, classes)
    )
