"""Studies: the same experiment for every combination of some options and seeds, paired by construction.

A study is a base config, axes (option -> values) and seeds. Its cells are all combinations; a cell is an
ordinary experiment that ground truth answers. Every draw is keyed by the seed alone, so that cells of a seed
share splits, initial set, weights and order whatever their axes say.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from pydantic import Field, ValidationError

from al_core.check import check_config
from al_core.config import ExperimentConfig, Section, options
from al_core.errors import ConfigError, Problem
from al_core.query.strategies import STRATEGIES
from al_core.records import ExperimentRecord, ExperimentStatus, JobRecord, StudyRecord
from al_core.settings import Settings
from al_core.store.base import Store

MOST_CELLS: Final = 10_000
PRIORITY: Final = -5
"""Of a cell's job: behind a person's, before the random ghost."""

Value = bool | int | float | str | None


class StudyConfig(Section):
    """Everything that decides a study. `axes` maps dotted option paths to the values that are tried."""

    name: str = Field("study", min_length=1, max_length=120)
    base: ExperimentConfig = ExperimentConfig()
    axes: dict[str, tuple[Value, ...]] = Field({"query.strategy": ("random", "margin")})
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Read a study file's content; `seeds` may be a number of seeds.

        Raises:
            ConfigError: naming each refused entry, its value and what is allowed.
        """
        given = dict(values)
        if isinstance(given.get("seeds"), int):
            given["seeds"] = tuple(range(given["seeds"]))
        if "base" in given and not isinstance(given["base"], ExperimentConfig):
            given["base"] = ExperimentConfig.parse(given["base"])
        try:
            study = cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(
                Problem(".".join(map(str, item["loc"])), item["input"], item["msg"])
                for item in error.errors(include_url=False)
            ) from None
        if problems := study.problems():
            raise ConfigError(problems)
        return study

    def problems(self) -> list[Problem]:
        """What is wrong with axes and seeds; empty when nothing is."""
        known = {option.path for option in options()} - {"seed", "name", "oracle"}
        found = []
        for path, values in self.axes.items():
            if path not in known:
                found.append(
                    Problem(f"axes.{path}", list(values), f"is no option; one of {', '.join(known)}")
                )
            elif not values or len(set(values)) < len(values):
                found.append(Problem(f"axes.{path}", list(values), "needs values that differ"))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            found.append(Problem("seeds", list(self.seeds), "needs seeds that differ"))
        count = self.num_cells
        if not found and count > MOST_CELLS:
            found.append(Problem("axes", count, f"gives {count} cells; at most {MOST_CELLS}"))
        if not found and all(value is None for value in self.base.stop.model_dump().values()):
            found.append(Problem("base.stop", None, "a study needs an end: set n_rounds or budget"))
        return found

    @property
    def num_cells(self) -> int:
        """Combinations times seeds."""
        product = len(self.seeds)
        for values in self.axes.values():
            product *= len(values)
        return product

    def arms(self) -> list[Arm]:
        """Every combination of the axes' values, in the order given; names of strategies made canonical."""
        names = list(self.axes)
        return [
            Arm({name: _canonical(name, value) for name, value in zip(names, values, strict=True)})
            for values in itertools.product(*self.axes.values())
        ]

    def cells(self) -> list[Cell]:
        """All cells, seed by seed: a study that is stopped early has whole seeds.

        Raises:
            ConfigError: a combination is refused by the config itself.
        """
        arms = self.arms()
        return [
            Cell(number, arm, seed, self._config(arm, seed))
            for number, (seed, arm) in enumerate(itertools.product(self.seeds, arms))
        ]

    def _config(self, arm: Arm, seed: int) -> ExperimentConfig:
        changes = {path.replace(".", "__"): value for path, value in arm.values.items()}
        # threads are part of the result: one each, so that cells run side by side
        changes.setdefault("train__threads", self.base.train.threads or 1)
        name = f"{self.name}: {arm.title}, seed {seed}"[:120]
        return self.base.changed(**changes, seed=seed, oracle="truth", name=name)

    def to_json(self) -> str:
        """Canonical JSON."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read `to_json`'s text back."""
        return cls.parse(json.loads(text))


@dataclass(frozen=True)
class Arm:
    """One combination of the axes' values."""

    values: Mapping[str, Value]

    @property
    def strategy(self) -> str | None:
        """The strategy, where it is an axis."""
        found = self.values.get("query.strategy")
        return None if found is None else str(found)

    @property
    def title(self) -> str:
        """The values in words: the strategy's name alone, other options with theirs."""
        parts = [
            str(value) if path == "query.strategy" else f"{path.rpartition('.')[2]} {value}"
            for path, value in self.values.items()
        ]
        return ", ".join(parts) or "base"


@dataclass(frozen=True)
class Cell:
    """One experiment of a study."""

    number: int
    arm: Arm
    seed: int
    config: ExperimentConfig


def _canonical(path: str, value: Value) -> Value:
    if path == "query.strategy" and isinstance(value, str) and value in STRATEGIES:
        return STRATEGIES.get(value).name
    return value


def check_study(study: StudyConfig, settings: Settings) -> list[Problem]:
    """What is wrong with any cell's config, each problem once."""
    found: dict[str, Problem] = {}
    for cell in study.cells():
        if cell.seed == study.seeds[0]:
            for problem in check_config(cell.config, settings=settings):
                found.setdefault(str(problem), problem)
    return list(found.values())


def begin(store: Store, study: StudyConfig, *, idempotency_key: str | None = None) -> StudyRecord:
    """Create the study with all its experiments, and queue their jobs; again: what is missing."""
    record = store.create_study(study.name, study.to_json(), idempotency_key=idempotency_key)
    queue(store, record)
    return record


def queue(store: Store, record: StudyRecord, *, retry_failed: bool = False) -> list[JobRecord]:
    """Make sure that every unfinished cell has its experiment and an active job."""
    submitted = []
    known = {e.cell: e for e in store.study_experiments(record.id)}
    for cell in StudyConfig.from_json(record.config).cells():
        experiment = known.get(cell.number) or store.create_experiment(
            cell.config, study_id=record.id, cell=cell.number, idempotency_key=f"{record.id}/{cell.number}"
        )
        if experiment.status is ExperimentStatus.FINISHED:
            continue
        if experiment.status is ExperimentStatus.FAILED and not retry_failed:
            continue
        submitted.append(store.submit_job("advance", experiment_id=experiment.id, priority=PRIORITY))
    return submitted


@dataclass(frozen=True)
class Progress:
    """How far a study is: cells by state, and rounds done of those that are known to come."""

    finished: int
    failed: int
    running: int
    waiting: int
    rounds: int

    @property
    def total(self) -> int:
        """All cells."""
        return self.finished + self.failed + self.running + self.waiting

    @property
    def over(self) -> bool:
        """Whether nothing is left to run."""
        return self.running == 0 and self.waiting == 0


def progress(experiments: Sequence[ExperimentRecord], active: Mapping[str, JobRecord]) -> Progress:
    """Count cells; `active` maps experiment ids to their queued or running jobs."""
    finished = sum(e.status is ExperimentStatus.FINISHED for e in experiments)
    failed = sum(e.status is ExperimentStatus.FAILED and e.id not in active for e in experiments)
    running = sum(
        e.status is not ExperimentStatus.FINISHED and e.id in active and active[e.id].started_at is not None
        for e in experiments
    )
    waiting = len(experiments) - finished - failed - running
    return Progress(finished, failed, running, waiting, sum(e.num_rounds for e in experiments))
