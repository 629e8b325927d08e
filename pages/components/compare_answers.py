"""Who answers in a study, and the baselines that run beside its strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from al_core.baselines import TITLES
from al_core.config import options
from al_core.oracle import USES
from al_core.words import tr
from state.text import plain

_ORACLES: Final = {
    "truth": tr("Ground truth"),
    "noisy": tr("Truth with mistakes drawn"),
    "recorded": tr("People's recorded answers"),
}
_ORACLE, _BASELINES, _ANSWER = "study-oracle", "study-baselines", "study-answers:"
_ABOUT: Final = tr(
    "Full pool: one training on everything, the ceiling. Random subset: one on as many images as a "
    "strategy gets, with the pool's proportions. Balanced by truth: each query evens out the "
    "classes. The first two are lines and points behind the curves, not strategies."
)


def fill(base: Mapping[str, Any], baselines: Sequence[str]) -> None:
    """Put a study's content into the fields; only before they are drawn, so from a callback."""
    state = st.session_state
    state[_ORACLE] = base["oracle"] if base["oracle"] in _ORACLES else "truth"
    state[_BASELINES] = list(baselines)
    for name, value in base["answers"].items():
        state[_ANSWER + name] = value


def baseline_field() -> tuple[str, ...]:
    """The baselines that are wanted."""
    chosen = st.multiselect(
        tr("Beside them"), list(TITLES), key=_BASELINES, format_func=lambda kind: tr(TITLES[kind]),
        help=_ABOUT, placeholder=tr("Baselines: the full pool ..."),
    )  # fmt: skip
    return tuple(chosen)


def answer_fields(*, tried: bool) -> dict[str, Any] | None:
    """Who answers, as options by path; None where the study tries several oracles."""
    if tried:
        return None
    oracle = st.selectbox(
        tr("Who answers"), list(_ORACLES), key=_ORACLE, format_func=lambda name: _ORACLES[name],
        help=tr("Every strategy of a seed gets the same answer to the same image. Test labels stay true."),
    )  # fmt: skip
    found: dict[str, Any] = {"oracle": oracle}
    for option in options():
        if option.section != "answers" or option.name not in USES.get(oracle, ()):
            continue
        about: dict[str, Any] = {"key": _ANSWER + option.name, "help": plain(tr(option.help))}
        if option.name == "noise_rate":
            found[option.path] = st.number_input(
                tr(option.label), 0.0, 1.0, None, 0.05, placeholder=tr("not set"), format="%g", **about
            )
        else:
            found[option.path] = st.text_input(tr(option.label), placeholder=tr("not set"), **about) or None
    return found
