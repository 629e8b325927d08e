"""What the forecast of a session says, in words and as points of a chart."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from al_core.experiment import Experiment
from al_core.records import ExperimentRecord
from al_core.results.analysis import METRICS, Curve, Metric
from al_core.results.forecast import FARTHEST, FEWEST_ROUNDS, Forecast, forecast
from al_core.words import tr, tr_n
from state import cache, handles

_GOALS: Final = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
_DRAWN: Final = 2.0  # times the labels so far: beyond, the band fills the chart
_POINTS: Final = 40


def of(record: ExperimentRecord, metric: Metric) -> Forecast | None:
    """The forecast of a session; None where there is none."""
    return _of(record.id, record.version, metric.key)


@lru_cache(maxsize=256)
def _of(experiment_id: str, version: int, key: str) -> Forecast | None:
    del version  # only there to be part of the key
    metric = next(m for m in METRICS if m.key == key)
    return forecast(Curve.of(cache.rounds(handles.store().experiment(experiment_id)), key), metric)


def next_batch(experiment: Experiment) -> int:
    """Labels that the next round will add: what is asked, or the query size."""
    query = experiment.pending()
    return len(query.items) if query is not None else experiment.config.query.n_new


def gain_words(found: Forecast, metric: Metric, new: int) -> str:
    """'+0.8 ± 0.3 points'."""
    gain, half = found.gain(new)
    return f"{metric.signed(gain)} ± {metric.size(half)}"


def goal(found: Forecast, metric: Metric, now: float) -> float:
    """A target that is worth asking for: the next of the usual ones, or a fifth of the loss less."""
    middle = max(now, float(found.band(np.array([found.labels]))[0, 0])) if metric.share else now
    if not metric.share:
        return round(0.8 * middle, 2)
    return next((goal for goal in _GOALS if goal > middle + 0.002), _GOALS[-1])


def reach_words(found: Forecast, metric: Metric, target: float, pool: int) -> str:
    """'Labels to 95 %: about 420 (350 to 610)', or why nothing is said. `pool`: images there are at all."""
    name = f"{100 * target:g} %" if metric.share else f"{target:g}"
    reach = found.labels_to(target)
    end = f"{found.farthest:,.0f}"
    if reach.labels is not None and reach.labels <= found.labels:
        return tr("{name} is reached already.", name=name)
    if reach.low is None:
        return tr(
            "{name}: not within {end} labels. That is {times:g} times what there is, and beyond it "
            "nothing is forecast.",
            name=name,
            end=end,
            times=FARTHEST,
        )
    if reach.low > pool:
        return tr("{name}: more than the {pool:,} images that there are.", name=name, pool=pool)
    if reach.labels is None:
        return tr(
            "{name}: {round:,} labels at least; beyond {end}, {times:g} times what there is, nothing "
            "is forecast.",
            name=name,
            round=_round(max(reach.low, found.labels)),
            end=end,
            times=FARTHEST,
        )
    low = f"{_round(max(reach.low, found.labels)):,}"
    high = f"{_round(reach.high):,}" if reach.high is not None else tr("more than {end}", end=end)
    values = {"name": name, "round": _round(reach.labels), "low": low, "high": high}
    if reach.labels <= pool:
        return tr("Labels to {name}: about {round:,} ({low} to {high}).", **values)
    return tr_n(
        "Labels to {name}: about {round:,} ({low} to {high}), of {n:,} image in all.",
        "Labels to {name}: about {round:,} ({low} to {high}), of {n:,} images in all.",
        pool,
        **values,
    )


def _round(labels: float) -> int:
    """To two digits: more would claim what is not known."""
    return int(float(f"{labels:.2g}"))


def too_early(rounds: int) -> str:
    """Why there is no forecast yet."""
    return tr(
        "A forecast takes {fewest} rounds: {rounds} to go.",
        fewest=FEWEST_ROUNDS,
        rounds=FEWEST_ROUNDS - rounds,
    )


def points(found: Forecast | None, pool: int) -> dict[str, list[float]] | None:
    """The continuation as a chart draws it: places, middle and both ends of the band."""
    if found is None:
        return None
    end = min(_DRAWN * found.labels, float(pool))
    if end <= found.labels:
        return None
    places = np.linspace(found.labels, end, _POINTS)
    middle, low, high = found.band(places)
    named = {"x": places.round(1), "y": middle.round(5), "low": low.round(5), "high": high.round(5)}
    return {name: values.tolist() for name, values in named.items()}
