"""What strategies are measured against, and what is none of them: these draws may look at ground truth.

Training once on the whole pool is the ceiling, once on a random part what passive labeling gives, and queries
that even out the classes what a perfect sense of balance would.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from al_core.config import AnswersConfig, ExperimentConfig, InitConfig, QueryConfig, StopConfig
from al_core.data.stratify import stratified
from al_core.seeds import generator
from al_core.types import Labels, SampleIds

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "full": "Full pool", "subset": "Random subset", "balanced": "Balanced by truth",
        "selection": "Selection",
    }
)  # fmt: skip
ONCE: Final = ("full", "subset")
"""Those that train one time, on everything that they ever get."""
SELECTION: Final = "selection"
"""No baseline of a config: one training on labels that were there, such as another run's."""


SIZES: Final = ("n_new", "size_schedule", "gain", "least_gain", "max_new", "holdback")
"""The options of a query that are not the strategy's."""
_PAIRED: Final = {*SIZES, "features"}  # init=kcenter draws the initial set by the features


def as_baseline(config: ExperimentConfig, kind: str) -> ExperimentConfig:
    """The same experiment as a baseline; what that does not look at is as by default."""
    kept = config.query.model_dump(include=set() if kind == "full" else _PAIRED)
    config = config.changed(query={**QueryConfig(strategy="random").model_dump(), "baseline": kind, **kept})
    if kind != "full":
        return config
    return config.changed(init=InitConfig(init="random").model_dump(), stop=StopConfig().model_dump())


def as_random(config: ExperimentConfig) -> ExperimentConfig:
    """The same experiment with random queries and no end of its own, answered by an oracle."""
    kept = config.query.model_dump(include={*_PAIRED, "candidates"})
    return config.changed(
        name=f"{config.name[:100]} (random)", query={**QueryConfig(strategy="random").model_dump(), **kept},
        oracle="truth" if config.oracle == "human" else config.oracle, stop=StopConfig().model_dump(),
    )  # fmt: skip


def once(config: ExperimentConfig) -> ExperimentConfig:
    """One training of these settings on labels that are known: nothing is asked for."""
    return config.changed(
        query=QueryConfig(strategy="random").model_dump(), stop=StopConfig(n_rounds=1).model_dump(),
        init=InitConfig().model_dump(), train__adversarial_copies=False, train__start="cold",
        oracle="truth", answers=AnswersConfig().model_dump(),
    )  # fmt: skip


def on_selection(config: ExperimentConfig, labels: str) -> ExperimentConfig:
    """One training on the labels of that file."""
    return once(config).changed(init=InitConfig(init="import", import_labels=labels).model_dump())


def passive_kind(baseline: str, init: str, n_rounds: int | None) -> str | None:
    """What trains once and asks for nothing, by those options: of ONCE, SELECTION, or None for all else."""
    if baseline in ONCE:
        return baseline
    return SELECTION if baseline == "none" and init == "import" and n_rounds == 1 else None


def planned_labels(config: ExperimentConfig, num_initial: int) -> int | None:
    """Labels that the stops allow in all; None where neither of them says."""
    totals = [] if config.stop.budget is None else [config.stop.budget]
    if config.stop.n_rounds is not None and config.query.size_schedule == "fixed":
        totals.append(num_initial + (config.stop.n_rounds - 1) * config.query.n_new)
    return max(num_initial, min(totals)) if totals else None


def draw_once(config: ExperimentConfig, pool_ids: SampleIds, labels: Labels, total: int) -> SampleIds:
    """All that a baseline of ONCE trains on, in the order in which it is asked.

    A subset has every class in its share of the pool, where the labels are known: a plain draw only has so on
    average, and the difference would be taken for the strategies' doing.
    """
    rng = generator(config.seed, "baseline")
    if config.query.baseline == "full" or total >= len(pool_ids):
        return rng.permutation(pool_ids)
    known = labels[pool_ids]
    if (known < 0).any():
        return rng.permutation(pool_ids)[:total]
    return rng.permutation(pool_ids[stratified(known, total, rng)])


def balanced(
    candidate_ids: SampleIds, labels: Labels, labeled_ids: SampleIds, k: int, rng: np.random.Generator
) -> SampleIds:
    """The k images after which the classes' numbers of labels are as equal as can be, by ground truth."""
    classes = np.unique(labels[candidate_ids])
    counts = np.bincount(labels[labeled_ids], minlength=int(classes.max(initial=0)) + 1)
    waiting = {int(c): rng.permutation(candidate_ids[labels[candidate_ids] == c]).tolist() for c in classes}
    # equal counts fall to classes in an order of the round's own, so that none is always served first
    heap = [(int(counts[c]), place, int(c)) for place, c in enumerate(rng.permutation(classes))]
    heapq.heapify(heap)
    picked: list[int] = []
    while heap and len(picked) < k:
        count, place, class_id = heapq.heappop(heap)
        picked.append(waiting[class_id].pop())
        if waiting[class_id]:
            heapq.heappush(heap, (count + 1, place, class_id))
    return np.array(picked, np.int64)
