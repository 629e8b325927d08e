"""Studies as the Compare page sees them: their cells as a matrix, and what can be done to them."""

from __future__ import annotations

import gc
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache as cache_once
from functools import lru_cache
from typing import Any, Final, Literal

from al_core.config import ExperimentConfig
from al_core.errors import ConfigError, Problem, StrategyError
from al_core.query.strategies import STRATEGIES
from al_core.records import (
    ExperimentRecord,
    ExperimentStatus,
    JobRecord,
    JobState,
    Query,
    RoundRecord,
    StudyRecord,
)
from al_core.results.study import StudyResult, study_result
from al_core.study import PRIORITY, Arm, Cell, StudyConfig, check_study, queue
from al_core.study import begin as begin_study
from state import cache, handles, jobs, selectors
from state.draft import plan
from state.text import percent

CellState = Literal["done", "failed", "running", "paused", "waiting", "stopped"]
MAX_FILE_BYTES: Final = 256_000
MOST_SEEDS: Final = 50
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
            ("done", "done"), ("running", "running"), ("waiting", "waiting"), ("paused", "paused"),
            ("stopped", "stopped"), ("failed", "failed"),
        )  # fmt: skip
        parts = [f"{n} {word}" for state, word in names if (n := self.count(state))]
        return f"{len(self.cells)} runs: {', '.join(parts)}"


def arm_title(arm: Arm) -> str:
    """An arm in a person's words: strategies by their titles."""
    parts = [
        strategy_title(str(value)) if path == "query.strategy" else f"{path.rpartition('.')[2]} {value}"
        for path, value in arm.values.items()
    ]
    return ", ".join(parts) or "base"


def strategy_title(name: str) -> str:
    """A strategy's title; its name where the registry no longer knows it."""
    try:
        return STRATEGIES.get(name).title
    except StrategyError:
        return name


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
    return StudyView(record, config, arms, strategies, cells, (*stamp, finished))


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
        return make.view("done", percent(selectors.accuracy(known[-1])) if known else "done", 1.0)
    if job is None:
        if record is not None and record.status is ExperimentStatus.FAILED:
            last = handles.store().jobs(experiment_id=record.id, limit=1)
            reason = (last[0].error_text if last else None) or "it ended without saying why"
            return make.view("failed", "failed", share, reason)
        return make.view("stopped", "stopped" if rounds else "not begun", share)
    if job.control == "stop":
        return make.view("running", "stopping", share)
    if job.control == "pause":
        return make.view("paused", f"paused, {rounds} done" if rounds else "paused", share)
    planned = _planned(cell.config)
    of = f" of {planned}" if planned else ""
    if job.state is JobState.QUEUED:
        return make.view("waiting", f"waits, {rounds}{of} done" if rounds else "waiting", share)
    return make.view("running", f"round {rounds + 1}{of}", share)


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
    study: StudyView, metric: str | None, over: Literal["labels", "seconds"] = "labels"
) -> StudyResult:
    """What was measured, arms by their titles; cached until a round lands."""
    return _result(study.record.id, study.stamp, metric, over)


@lru_cache(maxsize=32)
def _result(
    study_id: str, stamp: tuple[int, ...], metric: str | None, over: Literal["labels", "seconds"]
) -> StudyResult:
    del stamp  # only there to be part of the key
    _load_statistics()
    return study_result(handles.store(), study_id, metric, over=over, title=arm_title, rounds_of=cache.rounds)


@cache_once
def _load_statistics() -> None:
    """Import what verdicts need, once, and freeze it: Streamlit collects garbage after every run."""
    importlib.import_module("scipy.stats")
    gc.collect()
    gc.freeze()


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
        if cell.experiment_id in known:
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


def go_on(study_id: str) -> None:
    """Take a paused or stopped study up again."""
    store = handles.store()
    record = store.study(study_id)
    queue(store, record)
    for job in _jobs(study_id):
        jobs.resume(job.id)
    _work()


def pause(study_id: str) -> None:
    """Hold every cell between two batches; those that wait keep their place."""
    for job in _jobs(study_id):
        jobs.pause(job.id)


def stop(study_id: str) -> None:
    """Stop every cell; what was trained is kept, and the study can go on later."""
    for job in _jobs(study_id):
        jobs.stop(job.id)


def try_again(study_id: str) -> None:
    """Queue the failed cells anew, from their last checkpoints."""
    store = handles.store()
    queue(store, store.study(study_id), retry_failed=True)
    _work()


def _jobs(study_id: str) -> list[JobRecord]:
    """The study's active jobs, the waiting ones first: a stopped cell must not make room for the next."""
    store = handles.store()
    ids = {e.id for e in store.study_experiments(study_id)}
    found = [job for job in store.jobs(active=True, limit=_MOST_JOBS) if job.experiment_id in ids]
    return sorted(found, key=lambda job: job.started_at is not None)


def _work() -> None:
    jobs.ensure_worker()
    jobs.ensure_study_workers()


# -- before it begins ------------------------------------------------------------------------------


def compose(
    values: Mapping[str, Any],
    *,
    name: str,
    strategies: Sequence[str],
    seeds: Sequence[int],
    rounds: int,
    size: int,
) -> tuple[StudyConfig | None, list[Problem]]:
    """A study file's content with what the form says, or what is wrong with it."""
    base = ExperimentConfig.parse(values.get("base", {}))
    base = base.changed(oracle="truth", stop__n_rounds=rounds, stop__budget=None, query__n_new=size)
    axes = {**values.get("axes", {}), "query.strategy": tuple(strategies)}
    try:
        study = StudyConfig.parse({"name": name, "base": base, "axes": axes, "seeds": tuple(seeds)})
    except ConfigError as error:
        return None, list(error.problems)
    problems = list(_problems(study.to_json()))
    if cache.needs_preparing(study.base.data):
        problems.append(
            Problem("data.dataset", study.base.data.dataset, "prepare these images in Set up first")
        )
    return study, problems


@lru_cache(maxsize=32)
def _problems(text: str) -> tuple[Problem, ...]:
    return tuple(check_study(StudyConfig.from_json(text), handles.settings()))


def normal(values: Mapping[str, Any]) -> dict[str, Any]:
    """A study file's content with everything that it leaves open."""
    return StudyConfig.parse(values).model_dump(mode="json")


def read_file(data: bytes) -> dict[str, Any]:
    """A study file's content, checked.

    Raises:
        ConfigError: it is none, or something in it is refused.
    """
    refused = "a study file is needed: JSON with name, base, axes and seeds"
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError([Problem("file", f"{len(data):,} bytes", refused)])
    try:
        values = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ConfigError([Problem("file", data[:40], refused)]) from None
    if not isinstance(values, dict):
        raise ConfigError([Problem("file", type(values).__name__, refused)])
    return normal(values)


def plan_words(study: StudyConfig) -> str:
    """'4 strategies × 5 seeds = 20 runs, about 180 labels each'."""
    arms = len(study.arms())
    others = len(study.axes) > 1
    labels = plan(study.base, cache.num_classes(study.base.data)).labels
    each = "" if labels is None else f", about {labels:,} labels each"
    noun = "combination" if others else "strateg"
    plural = ("s" if arms != 1 else "") if others else ("ies" if arms != 1 else "y")
    seeds, runs = len(study.seeds), study.num_cells
    workers = min(handles.settings().workers, runs)
    beside = f"; {workers} at a time" if workers > 1 else ""
    product = f"{arms} {noun}{plural} × {seeds} seed{'s' * (seeds != 1)}"
    return f"{product} = {runs} run{'s' * (runs != 1)}{each}{beside}"


def is_cell(job: JobRecord) -> bool:
    """Whether a job is a study's."""
    return job.kind == "advance" and job.priority == PRIORITY
