"""The set-up form's draft: values by option path <-> a config, its problems and its plan. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from al_core.config import ExperimentConfig, options
from al_core.errors import ConfigError, Problem
from state.starting import SECONDS_A_LABEL
from state.text import duration

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
    refused = "a JSON file as 'Save as file' writes it is needed"
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError([Problem("file", f"{len(data):,} bytes", refused)])
    try:
        values = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ConfigError([Problem("file", data[:40], refused)]) from None
    if not isinstance(values, dict):
        raise ConfigError([Problem("file", type(values).__name__, refused)])
    return ExperimentConfig.parse(values)


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
    per_class = config.init.init == "per_class"
    initial = config.init.n_start
    if per_class:
        if num_classes is None:
            return Plan(None, config.stop.budget, config.stop.n_rounds, None, _bounds_only(config))
        initial *= num_classes
    totals = [] if config.stop.budget is None else [config.stop.budget]
    if config.stop.n_rounds is not None:
        totals.append(initial + (config.stop.n_rounds - 1) * config.query.n_new)
    if not totals:
        return Plan(initial, None, None, None, f"{initial} labels to begin with, then until you stop")
    labels = max(initial, min(totals))
    asked = labels - initial
    rounds = 1 + -(-asked // config.query.n_new)
    by_hand = 0 if config.oracle == "truth" else asked if per_class else labels
    words = f"{initial} to begin with + {rounds - 1} × {config.query.n_new} = {labels:,} labels"
    if by_hand:
        words += f", about {duration(by_hand * SECONDS_A_LABEL)} of your time"
    return Plan(initial, labels, rounds, by_hand, words)


def _bounds_only(config: ExperimentConfig) -> str:
    budget = config.stop.budget
    return f"up to {budget:,} labels" if budget else f"{config.query.n_new} labels a round"


def problem_words(problems: Sequence[Problem]) -> str:
    """How many settings are refused, for a button's hint."""
    count = len(problems)
    return "" if not count else "1 setting to put right" if count == 1 else f"{count} settings to put right"
