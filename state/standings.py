"""What stands on each image, kept for each session and folded on with what is new in its log."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Int8

from al_core.class_effects import Effects
from al_core.experiment import Experiment
from al_core.pool import Pool, Status
from al_core.standing import Standing
from al_core.words import noted
from state import handles

STATUSES: Final = {
    Status.UNLABELED: noted("not labeled"),
    Status.LABELED: noted("labeled"),
    Status.QUERIED: noted("asked now"),
    Status.SKIPPED: noted("skipped"),
    Status.EXCLUDED: noted("excluded"),
    Status.VALIDATION: noted("set aside"),
    Status.RESERVED: noted("kept for the hold-back"),
    Status.HELD_BACK: noted("held back"),
    Status.THINNED: noted("thinned out"),
}
"""Where an image stands, in words that are looked up where they are shown."""
_KEPT: Final = 4
_lock = threading.Lock()
_known: OrderedDict[str, Standing] = OrderedDict()


def standing(experiment_id: str) -> Standing:
    """As of now, labels as their classes count; costs what came since the last look.

    Raises:
        NotFound: there is no such session.
    """
    store = handles.store()
    rev, _ = store.label_log(experiment_id)
    with _lock:
        found = _known.get(experiment_id, Standing())
        if found.rev > rev:  # another store's, of the same id
            found = Standing()
    if found.rev != rev:
        fresh = found.advance(store.label_events(experiment_id, after=found.rev, until=rev), rev)
        found = fresh.with_marks(store.mark_events(experiment_id, until=rev))
    with _lock:
        _known[experiment_id] = found
        _known.move_to_end(experiment_id)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found.counted(Effects.of(store.class_events(experiment_id, until=rev)))


def statuses(experiment: Experiment) -> Int8[np.ndarray, " N"]:
    """The pool's status of every image of the train split."""
    return _pool(experiment).status


def standing_and_statuses(experiment: Experiment) -> tuple[Standing, str, Int8[np.ndarray, " N"]]:
    """Both as of one moment, and what else decides the statuses: the query that waits."""
    found = standing(experiment.id)
    pending = experiment.pending()
    batch = "" if pending is None else pending.batch
    return found, batch, _fold(_Of(experiment, found), found.rev, batch).status


def _pool(experiment: Experiment) -> Pool:
    found = standing(experiment.id)
    pending = experiment.pending()
    return _fold(_Of(experiment, found), found.rev, "" if pending is None else pending.batch)


class _Of:
    """A session as a key of the cache: by its id, with the handle beside it."""

    def __init__(self, experiment: Experiment, standing: Standing) -> None:
        self.experiment, self.standing = experiment, standing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Of) and self.experiment.id == other.experiment.id

    def __hash__(self) -> int:
        return hash(self.experiment.id)


@lru_cache(maxsize=4)
def _fold(of: _Of, rev: int, batch: str) -> Pool:
    del rev, batch  # only there to be part of the key
    experiment, found = of.experiment, of.standing
    splits = experiment.splits
    return Pool.of(
        len(experiment.dataset.train), found.ids, found.values, splits.validation_ids, experiment.pending(),
        experiment.reserve, splits.thinned,
    )  # fmt: skip


def forget() -> None:
    """Drop what is kept (tests, which make stores anew)."""
    with _lock:
        _known.clear()
    _fold.cache_clear()
