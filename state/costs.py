"""What a query will take on this machine, for the set-up page: read, never waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from al_core.config import ExperimentConfig
from al_core.cost.calibration import Calibration
from al_core.cost.history import correction
from al_core.cost.pool import Pool
from al_core.cost.prediction import MAX_BYTES, MAX_SECONDS, cap_for, predict, sizes_of
from al_core.cost.study import run_seconds
from al_core.cost.words import cost_words, megabytes, short_seconds
from al_core.errors import ALError, StrategyError
from al_core.records import JobRecord, JobState
from al_core.store.base import Store
from al_core.study import StudyConfig
from al_core.words import told, tr, tr_n
from state import cache, handles, jobs

MEASURING_PRIORITY: Final = -20
"""Below the random baseline's: whoever waits for anything else comes first."""


@dataclass(frozen=True)
class Prediction:
    """In words; with `cap` candidates a query would stay within the limits, and `advice` says so."""

    words: str
    pending: bool = False  # it is being measured: look again soon
    unknown: bool = False  # it could be measured
    cap: int | None = None
    advice: str = ""


def prediction(config: ExperimentConfig, labeled: int | None) -> Prediction:
    """What the query with so many labels will take; asks a worker to measure what is not known yet."""
    try:
        pool = Pool.of(handles.settings(), config.data)
    except ALError as error:
        return Prediction(tr("not known: {error}", error=error))
    if pool is None:
        return Prediction(tr("known once the images are prepared"))
    calibration = Calibration.read(handles.settings())
    sizes = sizes_of(config, pool, labeled)
    try:
        cost = predict(config, pool, sizes, calibration)
    except StrategyError as error:  # a strategy of one's own need not say how its work grows
        return Prediction(tr("not known: {error}", error=error))
    if cost is None:
        return _measuring(config, pool)
    factor, rounds = correction(handles.store(), config, pool, calibration)
    words = cost_words(cost, sizes, factor=factor, rounds=rounds)
    cap = cap_for(config, pool, calibration, labeled=labeled)
    if cap is None:
        return Prediction(words)
    capped = config.changed(query__candidates=cap)
    less = predict(capped, pool, sizes_of(capped, pool, labeled), calibration)
    over = short_seconds(MAX_SECONDS) if cost.seconds > MAX_SECONDS else megabytes(MAX_BYTES)
    advice = tr("More than {time} a query.", time=over)
    if less is not None:
        advice += " " + tr_n(
            "With {n:,} candidate it takes about {time}.",
            "With {n:,} candidates it takes about {time}.",
            cap,
            time=short_seconds(less.seconds * factor),
        )
    return Prediction(words, cap=cap, advice=advice)


def study_prediction(study: StudyConfig, *, measure: bool) -> Prediction:
    """What a whole study will take; with `measure` a worker is asked for what is not known yet."""
    store, total = handles.store(), 0.0
    calibration, arms = Calibration.read(handles.settings()), 0
    for cell in study.cells():
        if cell.seed != study.seeds[0]:
            break
        config, arms = cell.config, arms + 1
        pool = Pool.of(handles.settings(), config.data)
        test = cache.num_test(config.data)
        if pool is None or test is None:
            return Prediction(tr("time known once the images are prepared"))
        seconds = run_seconds(config, pool, test, calibration)
        if seconds is None:
            return _unmeasured(config, pool, store, measure=measure)
        total += seconds
    workers = min(handles.settings().workers, study.num_cells)
    return Prediction(
        tr("about {time} here, as measured", time=short_seconds(total * len(study.seeds) / workers))
    )


def _unmeasured(config: ExperimentConfig, pool: Pool, store: Store, *, measure: bool) -> Prediction:
    spec = _spec(config, pool) | {"training": True}
    recent = [job for job in store.jobs(limit=30) if job.kind == "calibrate"]
    same = next((job for job in recent if dict(job.spec) == spec), None)
    if same is not None and same.state is JobState.FAILED:
        return Prediction(tr("time not known: {error}", error=told(same.error_text or "")))
    if same is not None and same.state.active:
        return Prediction(tr("time being measured"), pending=True)
    if not measure:
        return Prediction(tr("time not measured yet"), unknown=True)
    if not any(job.state.active for job in recent):
        _submit(spec)
    return Prediction(tr("time being measured"), pending=True)


def _measuring(config: ExperimentConfig, pool: Pool) -> Prediction:
    spec = _spec(config, pool)
    recent = [job for job in handles.store().jobs(limit=30) if job.kind == "calibrate"]
    same = next((job for job in recent if dict(job.spec) == spec), None)
    if same is not None and same.state is JobState.FAILED:
        return Prediction(tr("could not be measured: {error}", error=told(same.error_text or "")))
    if same is not None and same.state is JobState.DONE:
        # it measured for an older version of this program, or its file could not be written
        return Prediction(tr("not measured"))
    active = next((job for job in recent if job.state.active), None)
    if active is None:
        # one at a time: whoever tries out strategies would leave a queue of them behind
        _submit(spec)
    return Prediction(tr("not measured yet; being measured now"), pending=True)


def _submit(spec: dict[str, Any]) -> JobRecord:
    job = handles.store().submit_job("calibrate", spec=spec, priority=MEASURING_PRIORITY)
    jobs.ensure_worker()
    return job


def _spec(config: ExperimentConfig, pool: Pool) -> dict[str, Any]:
    """What decides the figures, and nothing else of the form: a new name is not measured again."""
    plain = ExperimentConfig().changed(
        model=config.model.model_dump(), train=config.train.model_dump(), query=config.query.model_dump()
    )
    plain = plain.changed(query__n_new=1, query__candidates=None)
    return {"config": plain.model_dump(mode="json"), "pool": dict(vars(pool))}
