"""What real rounds took, beside what was predicted for them: the correction of the next prediction."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Final

from al_core import __version__
from al_core.config import ExperimentConfig
from al_core.cost.calibration import Calibration, network_key
from al_core.cost.pool import Pool
from al_core.cost.prediction import Sizes, predict, sizes_of
from al_core.records import ExperimentRecord, RoundRecord
from al_core.store.base import Store

_ROUNDS: Final = 10  # the newest ones
_EXPERIMENTS: Final = 5
_LIMITS: Final = (0.1, 10.0)  # beyond them it was something else: a machine that slept


def correction(
    store: Store, config: ExperimentConfig, pool: Pool, calibration: Calibration
) -> tuple[float, int]:
    """Median of real to predicted seconds over the newest rounds of such experiments, and how many."""
    ratios: list[float] = []
    for record in _alike(store.experiments(), config, pool):
        rounds = store.rounds(record.id)
        for round_record in reversed(rounds[1:]):  # the first one also computes what is kept
            predicted = _predicted(store, record, round_record, pool, calibration)
            if predicted:
                ratios.append(round_record.seconds["query"] / predicted)
            if len(ratios) == _ROUNDS:
                break
    if not ratios:
        return 1.0, 0
    return min(max(median(ratios[:_ROUNDS]), _LIMITS[0]), _LIMITS[1]), len(ratios[:_ROUNDS])


def _alike(
    records: Iterable[ExperimentRecord], config: ExperimentConfig, pool: Pool
) -> Iterable[ExperimentRecord]:
    """Experiments whose queries cost the same for the same sizes; not all that ever were are looked at."""

    def kind(of: ExperimentConfig) -> tuple[object, ...]:
        query = of.query.model_dump() | {"n_new": 0, "candidates": None}
        return of.data.dataset, network_key(of, pool.image_size, pool.num_classes), str(query)

    wanted = kind(config)
    found = [record for record in records if kind(record.config) == wanted]
    return sorted(found, key=lambda record: -record.created_at)[:_EXPERIMENTS]


def _predicted(
    store: Store, record: ExperimentRecord, done: RoundRecord, pool: Pool, calibration: Calibration
) -> float | None:
    query = store.query(record.id, done.number)
    if query is None or done.manifest.get("askwell") != __version__ or "query" not in done.seconds:
        return None
    initial = sizes_of(record.config, pool).initial
    sizes = Sizes(query.num_candidates, query.num_candidates, done.num_labeled, len(query.items), initial)
    cost = predict(record.config, pool, sizes, calibration)
    return None if cost is None else cost.seconds
