"""Studies as the Compare page sees them: their cells as a matrix, and what can be done to them."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache as cache_once
from functools import lru_cache
from typing import Final, Literal

from al_core.baselines import ONCE
from al_core.config import ExperimentConfig, options
from al_core.records import (
    ExperimentRecord,
    ExperimentStatus,
    JobRecord,
    JobState,
    Query,
    RoundRecord,
    StudyRecord,
)
from al_core.results.anchors import Fit, fits
from al_core.results.axes import Over, Prices
from al_core.results.comparison import CONFIDENCE
from al_core.results.looks import MOST_SEEDS
from al_core.results.study import StudyResult, study_result
from al_core.sequential import declare, grow
from al_core.study import PRIORITY, Arm, Cell, StudyConfig, Value
from al_core.study_running import begin as begin_study
from al_core.study_running import pause as pause_study
from al_core.study_running import queue
from al_core.study_running import resume as resume_study
from al_core.study_running import stop as stop_study
from al_core.words import noted, told, tr, tr_n
from state import cache, handles, jobs, selectors
from state.draft import plan
from state.text import percent, strategy_title, value_words

CellState = Literal["done", "failed", "running", "paused", "waiting", "stopped"]
_MOST_JOBS: Final = 20_000


@dataclass(frozen=True)
class CellView:
    """One cell of the matrix. `reason` came from elsewhere: show it literally."""

    number: int
    arm: str
    seed: int
    state: CellState
    words: str
    share: float  # 0..1 of its rounds
    experiment_id: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class StudyView:
    """A study as it stands."""

    record: StudyRecord
    config: StudyConfig
    arms: tuple[str, ...]
    strategies: tuple[str, ...]  # that decide the arms' looks
    cells: tuple[CellView, ...]
    stamp: tuple[int, ...]  # grows with every round that lands

    def count(self, *states: CellState) -> int:
        """Cells in these states."""
        return sum(cell.state in states for cell in self.cells)

    @property
    def active(self) -> bool:
        """Whether a cell runs, or will without anybody's doing."""
        return self.count("running", "waiting") > 0

    @property
    def share(self) -> float:
        """How far all of it is."""
        ended = sum(1.0 if c.state in ("done", "failed") else c.share for c in self.cells)
        return ended / len(self.cells)

    @property
    def words(self) -> str:
        """How far it is, in words."""
        names: tuple[tuple[CellState, str], ...] = (
            ("done", tr("done")), ("running", tr("running")), ("waiting", tr("waiting")),
            ("paused", tr("paused")), ("stopped", tr("stopped")), ("failed", tr("failed")),
        )  # fmt: skip
        parts = [f"{n} {word}" for state, word in names if (n := self.count(state))]
        return tr_n("{n} run: {states}", "{n} runs: {states}", len(self.cells), states=", ".join(parts))


def arm_title(arm: Arm) -> str:
    """An arm in a person's words: strategies by their titles, options by their labels."""
    return arm.words(_option_words, strategy_title)


def _option_words(path: str, value: Value) -> str:
    """'weight decay 0.001', 'augment on'."""
    label = next(tr(option.label) for option in options() if option.path == path)
    return f"{label[0].lower()}{label[1:]} {value_words(value)}"


def view(record: StudyRecord) -> StudyView:
    """The study as the store has it now."""
    store = handles.store()
    known = {e.cell: e for e in store.study_experiments(record.id)}
    active = {j.experiment_id: j for j in store.jobs(active=True, limit=_MOST_JOBS) if j.experiment_id}
    config = _config(record.config)
    cells = tuple(_cell(cell, known.get(cell.number), active) for cell in config.cells())
    arms = tuple(arm_title(arm) for arm in config.arms())
    strategies = tuple(arm.strategy or config.base.query.strategy for arm in config.arms())
    stamp = tuple(e.num_rounds for e in known.values())
    finished = sum(e.status is ExperimentStatus.FINISHED for e in known.values())
    beside = sum(e.num_rounds for e in store.experiments(of=record.id))  # trained once, of a cell's selection
    return StudyView(record, config, arms, strategies, cells, (*stamp, finished, beside))


@lru_cache(maxsize=16)
def _config(text: str) -> StudyConfig:
    return StudyConfig.from_json(text)


def _cell(cell: Cell, record: ExperimentRecord | None, active: Mapping[str, JobRecord]) -> CellView:
    job = None if record is None else active.get(record.id)
    rounds = 0 if record is None else record.num_rounds
    share = min(1.0, rounds / (_planned(cell.config) or max(rounds, 1)))
    make = _Maker(cell, record.id if record else None)
    if record is not None and record.status is ExperimentStatus.FINISHED:
        known = cache.rounds(record)
        return make.view("done", percent(selectors.accuracy(known[-1])) if known else tr("done"), 1.0)
    if job is None:
        if record is not None and record.status is ExperimentStatus.FAILED:
            last = handles.store().jobs(experiment_id=record.id, limit=1)
            reason = told((last[0].error_text if last else None) or "") or tr("it ended without saying why")
            return make.view("failed", tr("failed"), share, reason)
        return make.view("stopped", tr("stopped") if rounds else tr("not begun"), share)
    if job.control == "stop":
        return make.view("running", tr("stopping"), share)
    if job.control == "pause":
        return make.view(
            "paused", tr("paused, {rounds} done", rounds=rounds) if rounds else tr("paused"), share
        )
    planned = _planned(cell.config)
    if job.state is JobState.QUEUED:
        text = noted("waits, {rounds} of {planned} done") if planned else noted("waits, {rounds} done")
        words = tr(text, rounds=rounds, planned=planned) if rounds else tr("waiting")
        return make.view("waiting", words, share)
    text = noted("round {round} of {planned}") if planned else noted("round {round}")
    return make.view("running", tr(text, round=rounds + 1, planned=planned), share)


@dataclass(frozen=True)
class _Maker:
    cell: Cell
    experiment_id: str | None

    def view(self, state: CellState, words: str, share: float, reason: str = "") -> CellView:
        title = arm_title(self.cell.arm)
        return CellView(
            self.cell.number, title, self.cell.seed, state, words, share, self.experiment_id, reason
        )


def _planned(config: ExperimentConfig) -> int | None:
    """Rounds that a cell will have at most; by budget, as the plan counts them."""
    return plan(config, cache.num_classes(config.data)).rounds


def result(
    study: StudyView,
    metric: str | None,
    over: Over = "labels",
    prices: Prices | None = None,
    ceiling: float | None = None,
) -> StudyResult:
    """What was measured, arms by their titles; cached until a round lands."""
    return _result(study.record.id, study.stamp, metric, over, prices, ceiling)


@lru_cache(maxsize=32)
def _result(
    study_id: str,
    stamp: tuple[int, ...],
    metric: str | None,
    over: Over,
    prices: Prices | None,
    ceiling: float | None,
) -> StudyResult:
    del stamp  # only there to be part of the key
    load_statistics()
    return study_result(
        handles.store(), study_id, metric, over=over, prices=prices, ceiling=ceiling, title=arm_title,
        rounds_of=cache.rounds,
    )  # fmt: skip


@cache_once
def load_statistics() -> None:
    """Import what verdicts need, once, and freeze it: Streamlit collects garbage after every run."""
    importlib.import_module("scipy.stats")
    gc.collect()
    gc.freeze()


def published(study: StudyView, result: StudyResult) -> list[Fit]:
    """Published curves that can stand behind this study's."""
    curves = [curve for arm in result.measured for curve in arm.curves.values() if len(curve.labels)]
    if not curves:
        return []
    config = study.config
    own = [c.config for c in config.cells() if c.seed == config.seeds[0] and c.arm.baseline is None]
    ends = [(float(curve.labels[0]), float(curve.labels[-1])) for curve in curves]
    return fits(own, min(low for low, _ in ends), max(high for _, high in ends))


def rounds_by_arm(study: StudyView) -> dict[str, dict[int, tuple[RoundRecord, ...]]]:
    """Every cell's rounds."""
    known = {e.id: e for e in handles.store().study_experiments(study.record.id)}
    found: dict[str, dict[int, tuple[RoundRecord, ...]]] = {arm: {} for arm in study.arms}
    for cell in study.cells:
        if cell.experiment_id in known:
            found[cell.arm][cell.seed] = cache.rounds(known[cell.experiment_id])
    return found


def queries_by_arm(study: StudyView) -> dict[str, dict[int, tuple[Query, ...]]]:
    """Every cell's queries, the initial set's too."""
    known = {e.id: e for e in handles.store().study_experiments(study.record.id)}
    found: dict[str, dict[int, tuple[Query, ...]]] = {arm: {} for arm in study.arms}
    for cell in study.cells:
        # a baseline that trains once asks for the pool, which is nothing to look at
        if cell.experiment_id in known and known[cell.experiment_id].config.query.baseline not in ONCE:
            record = known[cell.experiment_id]
            found[cell.arm][cell.seed] = _queries(record.id, record.version)
    return found


@lru_cache(maxsize=512)
def _queries(experiment_id: str, version: int) -> tuple[Query, ...]:
    del version  # as above
    return tuple(handles.store().queries(experiment_id))


def dataset_keys(study: StudyView) -> dict[str, str]:
    """The prepared data set of each arm that has one."""
    known = {e.id: e.dataset_key for e in handles.store().study_experiments(study.record.id)}
    keys = {cell.arm: known.get(cell.experiment_id or "") for cell in study.cells}
    return {arm: key for arm, key in keys.items() if key is not None}


# -- what can be done ------------------------------------------------------------------------------


def begin(config: StudyConfig, *, key: str) -> StudyRecord:
    """Begin a study and see to it that workers take its cells; the same key begins it once."""
    record = begin_study(handles.store(), config, idempotency_key=key)
    _work()
    return record


def may_add_seeds(study: StudyView, settled: StudyResult) -> bool:
    """Whether further seeds make sense: all is done, something is unclear, and there is room."""
    if study.count("done") < len(study.cells) or len(study.config.seeds) < 2 or not settled.verdicts:
        return False
    room = len(study.config.seeds) < (study.config.most_seeds or MOST_SEEDS)
    unclear = any(v.p_adjusted is None or v.p_adjusted >= 1 - CONFIDENCE for v in settled.verdicts)
    return room and unclear


def add_seeds(study_id: str, most: int) -> None:
    """Let the study go on until it is clear, with so many seeds at most."""
    declare(handles.store(), study_id, most)
    if grow(handles.store(), study_id):
        _work()


def go_on(study_id: str) -> None:
    """Take a paused or stopped study up again."""
    store = handles.store()
    resume_study(store, store.study(study_id))
    _work()


def pause(study_id: str) -> None:
    """Hold every cell between two batches; those that wait keep their place."""
    pause_study(handles.store(), study_id)


def stop(study_id: str) -> None:
    """Stop every cell; what was trained is kept, and the study can go on later."""
    stop_study(handles.store(), study_id)


def try_again(study_id: str) -> None:
    """Queue the failed cells anew, from their last checkpoints."""
    store = handles.store()
    queue(store, store.study(study_id), retry_failed=True)
    _work()


def _work() -> None:
    jobs.ensure_worker()
    jobs.ensure_study_workers()


def is_cell(job: JobRecord) -> bool:
    """Whether a job is a study's."""
    return job.kind == "advance" and job.priority == PRIORITY
