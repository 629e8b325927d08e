"""Studies: the same experiment for every combination of some options and seeds, paired by construction.

A study is a base config, axes (option -> values) and seeds. Its cells are all combinations; a cell is an
ordinary experiment that an oracle answers: ground truth where the base leaves it to a person. Every draw is
keyed by the seed alone, so that cells of a seed share splits, initial set, weights, order and the mistakes of
the oracle whatever their axes say.

Where options have to change together, an axis is any name and its values are bundles:
{"name": "aug + 0.001", "options": {"train.augment": true, "train.weight_decay": 0.001}}.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from pydantic import Field, ValidationError

from al_core.baselines import SIZES, TITLES, as_baseline
from al_core.check import check_config
from al_core.config import ExperimentConfig, Section, by_name, options
from al_core.errors import ConfigError, Problem
from al_core.models import MODELS
from al_core.oracle import USES, unused_answers
from al_core.query.strategies import STRATEGIES
from al_core.settings import Settings
from al_core.words import told, tr

BASELINE: Final = "query.baseline"
_REGISTRIES: Final = {"query.strategy": STRATEGIES, "query.second": STRATEGIES, "model.model": MODELS}
"""What the values of an option name, by any of their names."""
MOST_CELLS: Final = 10_000
MOST_JOBS: Final = 100_000
PRIORITY: Final = -5
"""Of a cell's job: behind a person's, before the random ghost."""

Value = bool | int | float | str | None


class Bundle(Section):
    """One value of an axis that changes several options at once; without options: the base, by a name."""

    name: str = Field(min_length=1, max_length=60)
    options: dict[str, Value] = Field(default_factory=dict)


AxisValue = Value | Bundle


class StudyConfig(Section):
    """Everything that decides a study.

    `axes` maps dotted option paths to the values that are tried, or any other name to bundles of options.
    `baselines` are run beside every combination of those axes that are not about the strategy alone.
    """

    name: str = Field("study", min_length=1, max_length=120)
    base: ExperimentConfig = ExperimentConfig()
    axes: dict[str, tuple[AxisValue, ...]] = Field({"query.strategy": ("random", "margin")})
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    baselines: tuple[Literal["full", "subset", "balanced"], ...] = ()
    most_seeds: int | None = Field(None, ge=2, le=50)
    """Seeds are added after those, one by one, until every verdict is clear or there are so many."""
    planned: int | None = Field(None, ge=1)
    """How many of the seeds were there before the first look; None: all."""

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
            given["base"] = ExperimentConfig.parse(by_name("base", given["base"]))
        try:
            study = cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(
                Problem(".".join(map(str, item["loc"])), item["input"], told(item["msg"]))
                for item in error.errors(include_url=False)
            ) from None
        if problems := study.problems():
            raise ConfigError(problems)
        return study

    def problems(self) -> list[Problem]:
        """What is wrong with axes and seeds; empty when nothing is."""
        found = []
        setters: dict[str, str] = {}
        for axis, values in self.axes.items():
            problem = _axis_problem(axis, values)
            if problem is not None:
                found.append(problem)
            for path in dict.fromkeys(path for value in values for path in _settings(axis, value)):
                if path in setters:
                    found.append(
                        Problem(f"axes.{axis}", path, tr("is set by the axis {axis} too", axis=setters[path]))
                    )
                setters[path] = axis
        found += self._oracle_problems()
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            found.append(Problem("seeds", list(self.seeds), tr("needs seeds that differ")))
        if len(set(self.baselines)) < len(self.baselines):
            found.append(Problem("baselines", list(self.baselines), tr("names one of them twice")))
        if self.base.query.baseline != "none":
            allowed = tr("must be none in a study: name it in baselines")
            found.append(Problem("base.query.baseline", self.base.query.baseline, allowed))
        if self.most_seeds is not None and not 2 <= (self.planned or len(self.seeds)) <= self.most_seeds:
            allowed = tr("two seeds are the least to begin with, and the cap is no smaller")
            found.append(Problem("most_seeds", self.most_seeds, allowed))
        count = self.num_cells
        if not found and count > MOST_CELLS:
            found.append(
                Problem(
                    "axes", count, tr("gives {count} cells; at most {most}", count=count, most=MOST_CELLS)
                )
            )
        ends = any(path.startswith("stop.") for path in setters) or not self.base.stop.is_open
        if not found and not ends:
            found.append(Problem("base.stop", None, tr("a study needs an end: set n_rounds or budget")))
        return found

    def _oracle_problems(self) -> list[Problem]:
        """No person sits in front of a study; and what only an erring oracle reads needs one."""
        tried: dict[str, list[Value]] = {}
        for axis, values in self.axes.items():
            for path, value in (pair for one in values for pair in _settings(axis, one).items()):
                tried.setdefault(path, []).append(value)
        if "human" in tried.get("oracle", ()):
            return [
                Problem("axes.oracle", "human", tr("nobody can label in a study; truth, noisy or recorded"))
            ]
        base = [] if "oracle" in self.axes else [self.base.oracle]
        oracles = [str(value) for value in [*base, *tried.get("oracle", ())]]
        read = {f"answers.{name}" for oracle in oracles for name in USES.get(oracle, ())}
        given: dict[str, object] = {
            f"axes.{path}": values
            for path, values in tried.items()
            if path.startswith("answers.") and path not in read
        }
        for name in unused_answers(self.base.answers, oracles):
            given[f"base.answers.{name}"] = getattr(self.base.answers, name)
        allowed = tr(
            "oracle={oracles} does not read it; set oracle too, or leave it out", oracles=", ".join(oracles)
        )
        return [Problem(path, value, allowed) for path, value in given.items()]

    @property
    def looks(self) -> tuple[int, int] | None:
        """Seeds at the first look and at the last that may come; None where one look was planned."""
        return None if self.most_seeds is None else (self.planned or len(self.seeds), self.most_seeds)

    def with_another_seed(self) -> Self:
        """One seed more, after the last."""
        planned = self.planned or len(self.seeds)
        return self.model_copy(update={"seeds": (*self.seeds, max(self.seeds) + 1), "planned": planned})

    def as_planned(self) -> Self:
        """What was asked for before anything was looked at."""
        first = self.seeds[: self.planned] if self.planned else self.seeds
        return self.model_copy(update={"seeds": first, "planned": None, "most_seeds": None})

    @property
    def num_cells(self) -> int:
        """Combinations and baselines, times seeds."""
        combinations = math.prod(len(values) for values in self.axes.values())
        beside = sum(
            math.prod(len(self.axes[axis]) for axis in self._axes_of(kind)) for kind in self.baselines
        )
        return (combinations + beside) * len(self.seeds)

    def arms(self) -> list[Arm]:
        """Every combination of the axes' values, in the order given, then the baselines.

        Names of strategies and models are made canonical.
        """
        found = [Arm(choices) for choices in self._combinations(list(self.axes))]
        for kind in self.baselines:
            found += [Arm({BASELINE: kind, **rest}) for rest in self._combinations(self._axes_of(kind))]
        return found

    def _combinations(self, axes: Sequence[str]) -> list[dict[str, AxisValue]]:
        return [
            {
                axis: value if isinstance(value, Bundle) else _canonical(axis, value)
                for axis, value in zip(axes, values, strict=True)
            }
            for values in itertools.product(*(self.axes[axis] for axis in axes))
        ]

    def _axes_of(self, kind: str) -> list[str]:
        """The axes that make a difference to a baseline."""
        return [
            axis
            for axis, values in self.axes.items()
            if any(not unread(kind, path) for value in values for path in _settings(axis, value))
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
        if changes.setdefault("oracle", self.base.oracle) == "human":
            changes["oracle"] = "truth"
        name = f"{self.name}: {arm.title}, seed {seed}"[:120]
        config = self.base.changed(**changes, seed=seed, name=name)
        if arm.baseline is not None:
            config = as_baseline(config, arm.baseline)
        unused = unused_answers(config.answers, (config.oracle,))  # another arm's
        return config.changed(**{f"answers__{name}": None for name in unused}) if unused else config

    def to_json(self) -> str:
        """JSON; axes and bundles keep their order, which is that of the cells."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read `to_json`'s text back."""
        return cls.parse(json.loads(text))


@dataclass(frozen=True)
class Arm:
    """One combination of the axes' values."""

    choices: Mapping[str, AxisValue]  # by axis

    @property
    def values(self) -> dict[str, Value]:
        """The options that it sets, by path."""
        return {
            path: value
            for axis, choice in self.choices.items()
            for path, value in _settings(axis, choice).items()
        }

    @property
    def baseline(self) -> str | None:
        """Which baseline it is, if it is one."""
        found = str(self.choices.get(BASELINE, "none"))
        return None if found == "none" else found

    @property
    def strategy(self) -> str | None:
        """The baseline, or the strategy where that is an axis."""
        found = self.baseline or self.values.get("query.strategy")
        return None if found is None else str(found)

    @property
    def title(self) -> str:
        """The choices in words: names of strategies and bundles alone, other options with theirs."""
        return self.words(lambda path, value: f"{path.rpartition('.')[2]} {value}")

    def words(self, option: Callable[[str, Value], str], strategy: Callable[[str], str] = str) -> str:
        """The choices in words of one's own."""
        parts = [
            choice.name
            if isinstance(choice, Bundle)
            else TITLES[str(choice)]
            if axis == BASELINE
            else strategy(str(choice))
            if axis == "query.strategy"
            else option(axis, choice)
            for axis, choice in self.choices.items()
            if not ((axis == BASELINE and choice == "none") or (axis == "query.strategy" and self.baseline))
        ]
        return ", ".join(parts) or "base"


@dataclass(frozen=True)
class Cell:
    """One experiment of a study."""

    number: int
    arm: Arm
    seed: int
    config: ExperimentConfig


def axis_paths() -> set[str]:
    """The options that an axis may change."""
    named = {option.path for option in options() if not option.is_pairs}
    return named - {"seed", "name", BASELINE}


def unread(kind: str, path: str) -> bool:
    """Whether a baseline does not look at an option: all are deaf to what strategies do, some to more."""
    section, _, name = path.partition(".")
    if section == "query":
        return kind == "full" or name not in SIZES
    return kind == "full" and section in ("init", "stop")


def _settings(axis: str, value: AxisValue) -> dict[str, Value]:
    """The options that one value of an axis sets."""
    given = value.options if isinstance(value, Bundle) else {axis: value}
    return {path: _canonical(path, one) for path, one in given.items()}


def _axis_problem(axis: str, values: Sequence[AxisValue]) -> Problem | None:
    place, known = f"axes.{axis}", axis_paths()
    names = [value.name for value in values if isinstance(value, Bundle)]
    if names and len(names) < len(values):
        return Problem(place, names, tr("mixes bundles and plain values; give every value a name"))
    if not names and axis not in known:
        allowed = ", ".join(sorted(known))
        return Problem(
            place, list(values), tr("is no option, and has no bundles; one of {allowed}", allowed=allowed)
        )
    plain = [json.dumps(_canonical(axis, value)) for value in values if not isinstance(value, Bundle)]
    seen = names or plain
    if not seen or len(set(seen)) < len(seen):
        return Problem(place, seen, tr("needs values that differ"))
    for value in values:
        unknown = sorted(value.options.keys() - known) if isinstance(value, Bundle) else []
        if unknown:
            return Problem(
                f"{place}.{unknown[0]}",
                unknown[0],
                tr("is no option; one of {known}", known=", ".join(sorted(known))),
            )
    return None


def _canonical(path: str, value: Value) -> Value:
    registry = _REGISTRIES.get(path)
    if registry is not None and isinstance(value, str) and value in registry:
        return registry.get(value).name
    return value


def check_study(study: StudyConfig, settings: Settings) -> list[Problem]:
    """What is wrong with any cell's config, each problem once."""
    found: dict[str, Problem] = {}
    for cell in study.cells():
        if cell.seed == study.seeds[0]:
            for problem in check_config(cell.config, settings=settings):
                found.setdefault(str(problem), problem)
    return list(found.values())
