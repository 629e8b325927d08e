"""The set-up form's draft: values by option path <-> a config, its problems and its plan. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from al_core.baselines import ONCE, planned_labels
from al_core.config import ExperimentConfig, options
from al_core.errors import ConfigError, Problem
from al_core.results.axes import SECONDS_A_LABEL
from al_core.words import tr, tr_n
from state.text import duration
from state.uploads import json_object

PATHS: Final = tuple(option.path for option in options())
MAX_FILE_BYTES: Final = 64_000


def flat(config: ExperimentConfig) -> dict[str, Any]:
    """Every option's value by its path."""
    values = config.model_dump()
    found: dict[str, Any] = {}
    for path in PATHS:
        place: Any = values
        for part in path.split("."):
            place = place[part]
        found[path] = place
    return found


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping that `ExperimentConfig.parse` reads."""
    result: dict[str, Any] = {}
    for path, value in values.items():
        *sections, leaf = path.split(".")
        place = result
        for section in sections:
            place = place.setdefault(section, {})
        place[leaf] = value
    return result


def read(values: Mapping[str, Any]) -> tuple[ExperimentConfig | None, list[Problem]]:
    """The config that these values make, or what is wrong with them."""
    try:
        return ExperimentConfig.parse(nested(values)), []
    except ConfigError as error:
        return None, list(error.problems)


def from_file(data: bytes) -> ExperimentConfig:
    """The config in an uploaded file.

    Raises:
        ConfigError: it is no JSON object, or an option in it is refused.
    """
    refused = tr("a JSON file as 'Save as file' writes it is needed")
    return ExperimentConfig.parse(json_object(data, most=MAX_FILE_BYTES, wanted=refused))


def to_file(config: ExperimentConfig) -> str:
    """The config as a file that a person can read and `from_file` reads back."""
    return json.dumps(config.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"


def of_path(problems: Iterable[Problem], path: str) -> list[Problem]:
    """The problems of one option, those of its parts included."""
    return [p for p in problems if p.option == path or p.option.startswith(path + ".")]


@dataclass(frozen=True)
class Plan:
    """What a config will cost in labels and in a person's time; None where nothing bounds it."""

    initial: int | None
    labels: int | None
    rounds: int | None
    by_hand: int | None
    words: str


def plan(config: ExperimentConfig, num_classes: int | None) -> Plan:
    """Rounds x query size = labels, and the minutes that they take a person."""
    if config.query.baseline == "full":
        return Plan(None, None, 1, 0, tr("the whole pool, labeled by the oracle and trained on once"))
    once = config.query.baseline in ONCE
    per_class = config.init.init == "per_class"
    initial = config.init.n_start
    if per_class:
        if num_classes is None:
            rounds = 1 if once else config.stop.n_rounds
            return Plan(None, config.stop.budget, rounds, None, _bounds_only(config))
        initial *= num_classes
    scheduled = config.query.size_schedule != "fixed"
    labels = planned_labels(config, initial)
    if labels is None:
        rounds = config.stop.n_rounds
        until = (
            tr("until you stop")
            if rounds is None
            else tr("{count} queries of sizes that the rounds decide", count=rounds - 1)
        )
        return Plan(
            initial,
            None,
            rounds,
            None,
            tr_n(
                "{n} label to begin with, then {until}",
                "{n} labels to begin with, then {until}",
                initial,
                until=until,
            ),
        )
    if once:
        return Plan(
            labels,
            labels,
            1,
            0,
            tr_n(
                "a random subset of {n:,} image, trained on once",
                "a random subset of {n:,} images, trained on once",
                labels,
            ),
        )
    asked = labels - initial
    rounds = 1 + -(-asked // config.query.n_new)
    by_hand = 0 if config.oracle != "human" else asked if per_class else labels
    words = tr(
        "{initial} to begin with + {rounds} × {size} = {labels:,} labels",
        initial=initial,
        rounds=rounds - 1,
        size=config.query.n_new,
        labels=labels,
    )
    if scheduled:
        rounds = config.stop.n_rounds
        words = tr_n(
            "{initial} to begin with, {n:,} label at most, in queries whose sizes the rounds decide",
            "{initial} to begin with, {n:,} labels at most, in queries whose sizes the rounds decide",
            labels,
            initial=initial,
        )
    if by_hand:
        words = tr("{plan}, about {time} of your time", plan=words, time=duration(by_hand * SECONDS_A_LABEL))
    return Plan(initial, labels, rounds, by_hand, words)


def _bounds_only(config: ExperimentConfig) -> str:
    budget = config.stop.budget
    return (
        tr_n("up to {n:,} label", "up to {n:,} labels", budget)
        if budget
        else tr_n("{n} label a round", "{n} labels a round", config.query.n_new)
    )


def problem_words(problems: Sequence[Problem]) -> str:
    """How many settings are refused, for a button's hint."""
    count = len(problems)
    return (
        ""
        if not count
        else tr("1 setting to put right")
        if count == 1
        else tr("{count} settings to put right", count=count)
    )
