"""Predictions on the stop set: kept with each round, and compared with those of the round before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from al_core.experiment import Experiment, TrainedView
from al_core.pool import Pool, Status
from al_core.records import RoundRecord
from al_core.stopping import AGREEMENT, CLASS_CHANGE, class_change, kappa, stop_set
from al_core.store.objects import Objects
from al_core.types import INITIAL_ROUND, UNKNOWN, SampleIds

_IDS, _CLASSES = "stop_ids", "stop_predictions"


def watch_predictions(
    experiment: TrainedView,
    pool: Pool,
    rounds: Sequence[RoundRecord],
    probs_of: Callable[[SampleIds], np.ndarray],
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """What this round's model says of the stop set, and how much of it is new: metrics, and arrays to keep.

    The set is drawn from what the initial set left, the same for every strategy of a seed. Its images may be
    asked for like others; what has a label no longer counts, as every later model knows it.
    """
    stop = experiment.config.stop
    initial = experiment.store.query(experiment.id, INITIAL_ROUND)
    asked = [] if initial is None else [item.sample_id for item in initial.items]
    taken = np.union1d(experiment.splits.aside_ids, np.asarray(asked, np.int64))
    free = np.setdiff1d(np.arange(len(pool.status), dtype=np.int64), taken)
    ids = stop_set(free, stop.stop_images, experiment.config.seed)
    if not len(ids):
        return {}, {}
    numbering = experiment.numbering
    classes = numbering.ids_of(probs_of(ids).argmax(1).astype(np.int64))
    arrays = {_IDS: ids, _CLASSES: classes}
    before = _stored(experiment, rounds)
    unlabeled = ~np.isin(pool.status[ids], (Status.LABELED, Status.EXCLUDED))
    if before is None or not np.array_equal(before[0], ids) or not unlabeled.any():
        return {}, arrays
    # what was said then counts as it does now; of a class that was dropped it is another than any
    was, now = numbering.fold(before[1][unlabeled]), classes[unlabeled]
    was = np.where(was == UNKNOWN, len(numbering), was)
    return {AGREEMENT: kappa(was, now), CLASS_CHANGE: class_change(was, now)}, arrays


def _stored(experiment: Experiment, rounds: Sequence[RoundRecord]) -> tuple[np.ndarray, np.ndarray] | None:
    """The stop set and its predictions of the last round, where it kept them."""
    if not rounds or "arrays" not in rounds[-1].artefacts:
        return None
    arrays = Objects(experiment.settings.objects).get_arrays(rounds[-1].artefacts["arrays"])
    return (arrays[_IDS], arrays[_CLASSES]) if _CLASSES in arrays else None
