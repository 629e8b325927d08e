"""Labels ahead: what a round may ask for where people label while it trains. Pure decisions.

A training begins with the labels that there are. Whoever labels goes on with what the last query left open
and with its images ahead, and these answers train the round after. Nobody knows how many will come before
the next query is made, so that query leaves out all that was open, answered by then or not: the same config,
seed and labels ask for the same images, whatever the pace. What stays unanswered returns to the pool then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_core.config import ExperimentConfig
from al_core.pool import Pool, Status
from al_core.records import Query, RoundRecord
from al_core.stopping import largest_size, query_size
from al_core.types import SampleIds


@dataclass(frozen=True)
class Offer:
    """How many images a round asks for and how many it offers ahead, of which; `open_ids` are left out."""

    asked: int
    ahead: int
    unlabeled_ids: SampleIds
    open_ids: SampleIds


def offer(config: ExperimentConfig, rounds: Sequence[RoundRecord], pool: Pool, before: Query | None) -> Offer:
    """What the round that ends `rounds` may ask for, after the query `before` it.

    `pool` is as the round's training saw it. The budget holds even if all that is open is answered. Where
    nothing but open images is left, or the budget has room for those alone, they are asked for themselves.
    """
    paid = len(pool.paid_ids)
    open_ids = open_images(config, pool, before)
    asked = query_size(config.query, config.stop, rounds, paid + len(open_ids))
    free = np.setdiff1d(pool.unlabeled_ids, open_ids)
    if len(open_ids) and (asked == 0 or len(free) == 0):
        again = np.intersect1d(pool.unlabeled_ids, open_ids)
        asked = query_size(config.query, config.stop, rounds, paid)
        return Offer(asked, 0, again if len(again) else pool.unlabeled_ids, open_ids[:0])
    wanted = _wanted(config, len(rounds), asked)
    if config.stop.budget is not None:
        wanted = min(wanted, config.stop.budget - paid - len(open_ids) - asked)
    return Offer(asked, max(0, wanted), free, open_ids)


def open_images(config: ExperimentConfig, pool: Pool, before: Query | None) -> SampleIds:
    """What may still be answered while the round trains, sorted. An oracle leaves nothing open."""
    if config.oracle != "human" or before is None:
        return np.empty(0, np.int64)
    offered = np.unique(np.array([item.sample_id for item in before.offered], np.int64))
    return offered[np.isin(pool.status[offered], (Status.UNLABELED, Status.RESERVED))]


def most_offered(config: ExperimentConfig) -> tuple[int, int]:
    """How many images a query asks for and how many it offers ahead, at most."""
    asked = largest_size(config.query)
    return asked, _wanted(config, 1, asked)


def _wanted(config: ExperimentConfig, num_rounds: int, asked: int) -> int:
    """Images ahead, were there no budget: none where no round comes after the next one to train them."""
    last = config.stop.n_rounds is not None and num_rounds + 1 >= config.stop.n_rounds
    if config.oracle != "human" or config.query.baseline != "none" or last:
        return 0
    return asked if config.query.ahead is None else config.query.ahead
