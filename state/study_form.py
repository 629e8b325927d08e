"""A study before it begins: what the form says, as axes and a config, its problems and its size in words."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from al_core.config import AnswersConfig, ExperimentConfig, Option, options
from al_core.data.sources import SOURCES
from al_core.errors import ConfigError, Problem
from al_core.models import MODELS
from al_core.query.strategies import STRATEGIES
from al_core.study import AxisValue, Bundle, StudyConfig, Value, axis_paths, check_study
from al_core.words import tr, tr_n
from state import cache, handles
from state.draft import plan
from state.text import value_words
from state.uploads import json_object

MAX_FILE_BYTES: Final = 256_000
MOST_SEEDS: Final = 50
STRATEGY: Final = "query.strategy"
_WORDS: Final = {"on": True, "off": False}
_UNSET: Final = value_words(None)


def normal(values: Mapping[str, Any]) -> dict[str, Any]:
    """A study file's content with everything that it leaves open."""
    return StudyConfig.parse(values).model_dump(mode="json")


def read_file(data: bytes) -> dict[str, Any]:
    """A study file's content, checked; `study.json` of an --out folder is one too.

    Raises:
        ConfigError: it is none, or something in it is refused.
    """
    wanted = tr("a study file is needed: JSON with name, base, axes and seeds")
    values = json_object(data, most=MAX_FILE_BYTES, wanted=wanted)
    inner = values.get("config")
    return normal(inner if isinstance(inner, dict) and "study" in values else values)


# -- axes ------------------------------------------------------------------------------------------


def axis_options() -> dict[str, Option]:
    """The options that can be an axis beside the strategies, in the order of the config."""
    known = axis_paths() - {STRATEGY}
    return {option.path: option for option in options() if option.path in known}


def offered(option: Option) -> tuple[list[str], bool]:
    """Values to choose from, in words, and whether others may be typed."""
    kinds = _kinds(option)
    empty = [_UNSET] if type(None) in typing.get_args(option.annotation) else []
    if bool in kinds:
        return [*_WORDS], False
    if typing.get_origin(kinds[0]) is typing.Literal:
        return [*typing.get_args(kinds[0]), *empty], False
    if option.path == "model.model":
        return MODELS.names(), False
    if option.path == "query.second":
        return ["", *STRATEGIES.names()], False
    if option.path == "data.dataset":
        return [source.name for source in SOURCES if source.path != "required"], True
    return [value_words(option.default), *(e for e in empty if option.default is not None)], True


def _kinds(option: Option) -> tuple[Any, ...]:
    if typing.get_origin(option.annotation) in (typing.Union, types.UnionType):
        return tuple(kind for kind in typing.get_args(option.annotation) if kind is not type(None))
    return (option.annotation,)


def value_of(option: Option, words: str) -> Value:
    """What a person's words mean for this option; what they cannot mean is left for the config to refuse."""
    kinds, text = _kinds(option), words.strip()
    if text == _UNSET:
        return None
    if bool in kinds:
        return _WORDS.get(text.lower(), text)
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text.replace(",", "") if kind is int else text)
            except ValueError:
                return text
    return text


def bundle_lines(bundles: Sequence[Bundle]) -> str:
    """Bundles as a person edits them: a line each, 'name: option=value, option=value'."""
    return "\n".join(
        bundle.name + ": " * bool(bundle.options)
        + ", ".join(f"{path}={value_words(value)}" for path, value in bundle.options.items())
        for bundle in bundles
    )  # fmt: skip


def read_bundles(text: str) -> tuple[Bundle, ...]:
    """Bundles from such lines.

    Raises:
        ConfigError: a line has another form.
    """
    known = {option.path: option for option in options()}
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, settings = line.partition(":")
        pairs = [pair.partition("=") for pair in settings.split(",") if pair.strip()]
        if not name.strip() or len(name) > 60 or any(not equals for _, equals, _ in pairs):
            allowed = tr("has the form 'name: option=value, option=value', with a name of at most 60 letters")
            raise ConfigError([Problem("bundle", line[:80], allowed)])
        values: dict[str, Value] = {}
        for path, _, words in pairs:
            option = known.get(path.strip())
            values[path.strip()] = words.strip() if option is None else value_of(option, words)
        found.append(Bundle(name=name.strip(), options=values))
    return tuple(found)


# -- the whole -------------------------------------------------------------------------------------


def compose(
    values: Mapping[str, Any],
    *,
    name: str,
    strategies: Sequence[str],
    axes: Mapping[str, Sequence[AxisValue]],
    seeds: Sequence[int],
    rounds: int | None,
    budget: int | None,
    size: int,
    baselines: Sequence[str] = (),
    answers: Mapping[str, Any] | None = None,
) -> tuple[StudyConfig | None, list[Problem]]:
    """A study file's content with what the form says, or what is wrong with it.

    `answers`: who answers, as options by path; None: as the values say.
    """
    try:
        base = ExperimentConfig.parse(values.get("base", {}))
        if answers is not None:
            oracle = {path.replace(".", "__"): value for path, value in answers.items()}
            base = base.changed(answers=AnswersConfig().model_dump()).changed(**oracle)
        base = base.changed(stop__n_rounds=rounds, stop__budget=budget, query__n_new=size)
        if len(strategies) == 1 and axes:  # the same for all: no axis, and no word in every arm's name
            base = base.changed(query__strategy=strategies[0])
        else:
            axes = {STRATEGY: tuple(strategies), **axes}
        rest = {key: value for key, value in values.items() if key not in ("name", "base", "axes", "seeds")}
        rest |= {"baselines": tuple(baselines), "name": name, "base": base}
        study = StudyConfig.parse({**rest, "axes": dict(axes), "seeds": tuple(seeds)})
        problems = list(_problems(study.to_json()))
    except ConfigError as error:
        return None, list(error.problems)
    for dataset in dict.fromkeys(cell.config.data for cell in _first_seed(study.to_json())):
        if cache.needs_preparing(dataset):
            problems.append(
                Problem("data.dataset", dataset.dataset, tr("prepare these images in Set up first"))
            )
    return study, problems


@lru_cache(maxsize=32)
def _problems(text: str) -> tuple[Problem, ...]:
    unreadable = {str(p): p for cell in _first_seed(text) for p in cache.unreadable(cell.config)}
    return tuple(unreadable.values()) or tuple(check_study(StudyConfig.from_json(text), handles.settings()))


@lru_cache(maxsize=32)
def _first_seed(text: str) -> tuple[Any, ...]:
    study = StudyConfig.from_json(text)
    return tuple(cell for cell in study.cells() if cell.seed == study.seeds[0])


def plan_words(study: StudyConfig) -> str:
    """'4 strategies × 5 seeds = 20 runs, about 180 labels each'."""
    cells = _first_seed(study.to_json())
    beside = sum(cell.arm.baseline is not None for cell in cells)
    arms, only = len(cells) - beside, set(study.axes) == {STRATEGY}
    plans = [plan(cell.config, cache.num_classes(cell.config.data)).labels for cell in cells[:arms]]
    labels = {number for number in plans if number is not None}
    least, most = min(labels, default=0), max(labels, default=0)
    what = (
        tr_n("{n} strategy", "{n} strategies", arms)
        if only
        else tr_n("{n} combination", "{n} combinations", arms)
    )
    seeds, runs = len(study.seeds), study.num_cells
    workers = min(handles.settings().workers, runs)
    if beside:
        what = tr_n("({what} and {n} baseline)", "({what} and {n} baselines)", beside, what=what)
    product = tr_n("{what} × {n} seed", "{what} × {n} seeds", seeds, what=what)
    words = tr_n("{product} = {n} run", "{product} = {n} runs", runs, product=product)
    if labels and least == most:
        words = tr_n("{runs}, about {n:,} label each", "{runs}, about {n:,} labels each", most, runs=words)
    elif labels:
        words = tr_n(
            "{runs}, {least:,} to {n:,} label each", "{runs}, {least:,} to {n:,} labels each", most,
            least=least, runs=words,
        )  # fmt: skip
    return tr("{runs}; {workers} at a time", runs=words, workers=workers) if workers > 1 else words
