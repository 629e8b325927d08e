"""Honest accuracy without test images: a share of each query is drawn at random and never trained on.

The reserve is a random draw from the pool, made before anything is labeled, and no candidate of any strategy.
So what is answered of it is a random sample of what the classifier is for, and the share that a network gets
right has a plain interval, whatever the strategy asked. Skipped images are missing from it: the share is that
of the images that a person can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from al_core.experiment import Experiment
from al_core.pool import Pool, Status
from al_core.records import QueryItem
from al_core.results.metrics import Probabilities, wilson_interval
from al_core.splits import holdback_size
from al_core.types import INITIAL_ROUND, Labels, SampleIds


def next_to_hold_back(
    experiment: Experiment, pool: Pool, number: int, total: int, open_ids: SampleIds | tuple[()] = ()
) -> SampleIds:
    """The images of that round's query of `total` that measure and do not train, in the reserve's order.

    None of them lies ahead; what was answered ahead counts as asked, so that the next query makes up for it.
    Those in `open_ids` may still be answered in the query before.
    """
    share = experiment.config.query.holdback
    if not share:
        return np.empty(0, np.int64)
    queries = [q for q in experiment.store.queries(experiment.id) if INITIAL_ROUND < q.round < number]
    asked = np.array([item.sample_id for query in queries for item in query.items], np.int64)
    held_back = int(np.isin(asked, experiment.reserve).sum())
    ahead = np.unique(np.array([item.sample_id for query in queries for item in query.ahead], np.int64))
    answered = np.setdiff1d(ahead[pool.status[ahead] != Status.UNLABELED], asked)
    left = experiment.reserve[np.isin(experiment.reserve, np.setdiff1d(pool.reserved_ids, open_ids))]
    return left[: holdback_size(share, total, len(asked) + len(answered), held_back)]


def mixed_in(
    chosen: Sequence[QueryItem], aside: SampleIds, rng: np.random.Generator
) -> tuple[QueryItem, ...]:
    """The hold-back at random places of the query, without guesses: an answer must not lean on one."""
    total = len(chosen) + len(aside)
    places = set(rng.choice(total, len(aside), replace=False).tolist())
    rest, held = iter(chosen), iter(aside.tolist())
    return tuple(
        QueryItem(rank, next(held), None) if rank in places else replace(next(rest), rank=rank)
        for rank in range(total)
    )


def measured(probs: Probabilities, labels: Labels) -> dict[str, float]:
    """The share of held-back images that a network gets right, its 95 % interval, and of how many."""
    hits = int((probs.argmax(1) == labels).sum())
    low, high = wilson_interval(hits, len(labels))
    return {
        "holdback_accuracy": hits / len(labels), "holdback_low": low, "holdback_high": high,
        "holdback_labels": float(len(labels)),
    }  # fmt: skip
