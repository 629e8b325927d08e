"""Form fields made from `al_core.config`: each option is defined there once, with label, help and bounds."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from al_core.config import ExperimentConfig, Option, options
from al_core.errors import Problem
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.words import tr
from state import draft
from state.starting import named
from state.text import plain

_PREFIX = "option:"
_SPECIAL = frozenset(
    {"data.dataset", "model.model", "query.strategy", "query.options", "query.second_options", "name"}
)
"""Options that have a field of their own on the page."""
SIZES = ("n_new", "size_schedule", "gain", "least_gain", "max_new")
"""The options of the query that say how much is asked for; all others say what."""
_WORDS = {
    "human": tr("A person, in the browser"),
    "truth": tr("Ground truth (a simulation)"),
    "noisy": tr("Noisy truth (a simulation)"),
    "recorded": tr("Recorded answers of people"),
    "none": tr("The strategy"),
    "full": tr("The whole pool, trained once"),
    "subset": tr("A random subset, trained once"),
    "balanced": tr("Balanced by ground truth"),
    "per_class": tr("Some of each class, at random"),
    "random": tr("At random"),
    "kcenter": tr("Spread over the data (k-center)"),
    "import": tr("From a file of labels"),
    "imagenet": tr("ImageNet (large images)"),
    "small": tr("Small images"),
    "cold": tr("Fresh weights each round"),
    "warm": tr("The last round's weights"),
    "onecycle": tr("One cycle"),
    "sgd": tr("SGD with momentum"),
    "fixed": tr("Always the query size"),
    "rate": tr("By the gain that is wanted"),
}
"""Choices whose names in the config are short; all others speak for themselves."""
_BOUNDS = {"ge": tr("at least"), "gt": "above", "le": tr("at most"), "lt": "below"}


def key_of(path: str) -> str:
    """The session_state key that holds an option of the draft."""
    return _PREFIX + path


def begin(config: ExperimentConfig) -> None:
    """Fill the fields at the first visit of a tab; later visits find what was left in them."""
    if key_of("name") not in st.session_state:
        fill(config)


def suggest_name(config: ExperimentConfig, suggested: str | None) -> str:
    """Keep the name's field telling as long as nobody wrote another one; gives the present suggestion."""
    telling = named(config.changed(name=ExperimentConfig().name)).name
    if config.name in (suggested, ExperimentConfig().name):
        put("name", telling)
    return telling


def values() -> dict[str, Any]:
    """The draft: what the fields hold, the defaults where they were never shown."""
    defaults = draft.flat(ExperimentConfig())
    return {path: st.session_state.get(key_of(path), value) for path, value in defaults.items()}


def fill(config: ExperimentConfig) -> None:
    """Put a config into the fields: a preset, a file. Only before they are drawn, so from a callback."""
    for path, value in draft.flat(config).items():
        st.session_state[key_of(path)] = value
    for key in [key for key in st.session_state if str(key).startswith("strategy-option:")]:
        del st.session_state[key]


def put(path: str, value: object) -> None:
    """Put one value into the draft."""
    st.session_state[key_of(path)] = value


def field(option: Option, problems: Iterable[Problem]) -> None:
    """One option's field, and below it what is wrong with its value."""
    kind, optional = _kind(option.annotation)
    with st.container():
        _widget(option, kind, optional)
        shown_problems(draft.of_path(problems, option.path))


def shown_problems(problems: Iterable[Problem]) -> None:
    """Refusals, beside the field that they are about. One place on the page, however many there are."""
    with st.container():
        for problem in problems:
            st.markdown(f":red[:material/error: {plain(problem.allowed)}]")


def section(name: str, problems: Sequence[Problem], *, advanced: bool) -> None:
    """The fields of a section of the config, in the order in which it defines them."""
    for option in options():
        if option.section == name and option.advanced is advanced and option.path not in _SPECIAL:
            field(option, problems)


def find(path: str) -> Option:
    """The definition of an option."""
    return next(option for option in options() if option.path == path)


def strategy_options(strategy: Strategy, problems: Sequence[Problem], path: str = "query.options") -> None:
    """The fields of a strategy's own options; what they hold becomes the draft's `path`."""
    chosen: dict[str, Any] = {}
    held = st.session_state.get(key_of(path), {})
    for option in strategy.options:
        key = f"strategy-option:{path}:{strategy.name}:{option.name}"
        st.session_state.setdefault(key, held.get(option.name, option.default))
        label = option.name.replace("_", " ").capitalize()
        kwargs: dict[str, Any] = {
            "key": key,
            "help": tr(option.bounds.help) or None,
            "persist_state": "session",
        }
        with st.container():
            if option.choices:
                st.selectbox(label, option.choices, **kwargs)
            elif option.annotation is bool:
                st.checkbox(label, **kwargs)
            elif option.annotation in (int, float):
                whole = option.annotation is int
                st.number_input(label, step=1 if whole else 0.1, format="%d" if whole else "%g", **kwargs)
            else:
                st.text_input(label, **kwargs)
            shown_problems(draft.of_path(problems, f"{path}.{option.name}"))
        if st.session_state[key] != option.default:
            chosen[option.name] = st.session_state[key]
    put(path, chosen)


def _kind(annotation: Any) -> tuple[Any, bool]:
    """The type behind `X | None`, and whether empty is allowed."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        return kinds[0], True
    return annotation, False


def _choice_words(value: str) -> str:
    return _WORDS.get(value, value.capitalize())


def _strategy_words(name: str) -> str:
    return tr(STRATEGIES.get(name).title) if name else tr("None")


def _help(option: Option) -> str:
    limits = [
        f"{words} {getattr(bound, name):g}"
        for bound in option.metadata
        for name, words in _BOUNDS.items()
        if isinstance(getattr(bound, name, None), int | float)
    ]
    return plain(tr(option.help) + (f" ({', '.join(limits)})" if limits else ""))


def _widget(option: Option, kind: Any, optional: bool) -> None:
    key = key_of(option.path)
    st.session_state.setdefault(key, option.default)
    shared: dict[str, Any] = {"key": key, "help": _help(option), "persist_state": "session"}
    if option.path == "query.second":
        names = ["", *STRATEGIES.names()]
        if (held := st.session_state[key]) not in names:  # an alias, from a file
            st.session_state[key] = STRATEGIES.get(held).name if held in STRATEGIES else ""
        st.selectbox(
            tr(option.label), names, format_func=_strategy_words, on_change=put,
            args=("query.second_options", {}), **shared,
        )  # fmt: skip
    elif typing.get_origin(kind) is typing.Literal:
        st.selectbox(tr(option.label), typing.get_args(kind), format_func=_choice_words, **shared)
    elif kind is bool:
        st.checkbox(tr(option.label), **shared)
    elif kind in (int, float):
        whole = kind is int
        if optional:
            shared |= {"value": None, "placeholder": tr("not set")}
        step = 1 if whole else 1e-4 if option.name == "learning_rate" else 0.05
        st.number_input(tr(option.label), step=step, format="%d" if whole else "%g", **shared)
    else:
        st.text_input(tr(option.label), **shared, placeholder=tr("not set") if optional else None)
