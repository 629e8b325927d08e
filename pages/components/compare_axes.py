"""What a study tries beside its strategies: any option, with its values, and several options at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from al_core.errors import ConfigError, Problem
from al_core.study import AxisValue, Bundle
from al_core.words import tr
from state import study_form
from state.text import plain, value_words

_CHOSEN, _VALUES, _BUNDLES = "study-axes", "study-axis:", "study-bundles:"
_NEW = "together"
_ABOUT_BUNDLES = tr(
    "A line is one value: a name, then the options that it changes together, as in `strong: "
    "train.augment=on, train.weight_decay=0.001`. A name alone is the settings as they are."
)
_FIRST_BUNDLES = "as it is\naugmented: train.augment=on"


def fill(axes: Mapping[str, Sequence[AxisValue]]) -> None:
    """Put axes into the fields; only before they are drawn, so from a callback."""
    state = st.session_state
    for key in [key for key in state if str(key).startswith((_VALUES, _BUNDLES))]:
        del state[key]
    chosen = []
    for axis, values in axes.items():
        bundles = [value for value in values if isinstance(value, Bundle)]
        if bundles:
            chosen.append(_BUNDLES + axis)
            state[_BUNDLES + axis] = study_form.bundle_lines(bundles)
        elif axis != study_form.STRATEGY:
            chosen.append(_VALUES + axis)
            state[_VALUES + axis] = [value_words(value) for value in values]
    state[_CHOSEN] = chosen


def compare_axes(base: Mapping[str, object]) -> tuple[dict[str, tuple[AxisValue, ...]], list[Problem]]:
    """Draw the fields; gives the axes that they hold, and what is wrong with those that cannot be read.

    `base`: the settings by path, with which a new axis begins.
    """
    options = study_form.axis_options()
    held = [key for key in st.session_state.get(_CHOSEN, []) if key.startswith(_BUNDLES)]
    bundles = list(dict.fromkeys([*held, _BUNDLES + _NEW]))
    titles = {_VALUES + path: f"{tr(option.label)} ({path})" for path, option in options.items()}
    titles |= {
        key: tr("Several options together: {options}", options=key.removeprefix(_BUNDLES)) for key in bundles
    }
    chosen = st.multiselect(
        tr("Also try"), list(titles), format_func=lambda key: titles[key], key=_CHOSEN,
        placeholder=tr("Any option: data set, model, query size, augmentation ..."),
        help=tr("Every combination of these values, the strategies and the seeds is a run."),
    )  # fmt: skip
    axes: dict[str, tuple[AxisValue, ...]] = {}
    problems: list[Problem] = []
    single = [key for key in chosen if key.startswith(_VALUES)]
    if single:
        with st.grid(3, min_column_width=220, key="study-axis-values"):
            for key in single:
                path = key.removeprefix(_VALUES)
                axes[path] = _values(path, key, base)
    for key in [key for key in chosen if key.startswith(_BUNDLES)]:
        try:
            axes[key.removeprefix(_BUNDLES)] = _together(key)
        except ConfigError as error:
            problems += error.problems
    return axes, problems


def _values(path: str, key: str, base: Mapping[str, object]) -> tuple[AxisValue, ...]:
    option = study_form.axis_options()[path]
    offered, others = study_form.offered(option)
    st.session_state.setdefault(key, [value_words(base.get(path, option.default))])
    found = st.multiselect(
        tr(option.label), list(dict.fromkeys([*offered, *st.session_state[key]])), key=key,
        accept_new_options=others, help=plain(tr(option.help)),
        placeholder=tr("Type a value, then Enter") if others else tr("Choose"),
    )  # fmt: skip
    return tuple(study_form.value_of(option, words) for words in found)


def _together(key: str) -> tuple[AxisValue, ...]:
    st.session_state.setdefault(key, _FIRST_BUNDLES)
    text = st.text_area(
        tr("Several options together: {options}", options=plain(key.removeprefix(_BUNDLES))),
        key=key,
        height="content",
        help=_ABOUT_BUNDLES,
        placeholder=_FIRST_BUNDLES,
    )
    return study_form.read_bundles(text)
