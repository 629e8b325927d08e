"""The one control of presets on Set up: whichever the present values are, and what choosing one changes."""

from __future__ import annotations

import streamlit as st

from al_core.config import ExperimentConfig, options
from al_core.presets import PRESETS, Preset
from al_core.words import tr
from pages.components import config_form
from state import draft
from state.text import plain

_OWN, _TURN = "own", "preset-turn"


def preset_choice(config: ExperimentConfig) -> Preset | None:
    """Draw the control; gives the preset that the present values are."""
    present = next((preset for preset in PRESETS if _is(config, preset)), None)
    titles = {preset.name: tr(preset.title) for preset in PRESETS}
    if present is None:
        titles[_OWN] = tr("Own settings")
    shown = present.name if present else _OWN
    # Another field for each preset that the values are: one whose value the page sets would be taken for
    # chosen where the browser, with a request on its way, still says the old one.
    key = f"preset:{st.session_state.get(_TURN, 0)}:{shown}"
    about = (
        ""
        if present is None
        else tr(
            "{title} sets {changes}.",
            title=plain(tr(present.title)),
            changes=plain(", ".join(_changes(present))),
        )
    )
    st.selectbox(
        tr("Start from"), list(titles), list(titles).index(shown), format_func=lambda name: titles[name],
        key=key, on_change=_choose, args=(key, shown),
        help=about or tr("A preset sets model, training and plan at once; each can be changed afterwards."),
    )  # fmt: skip
    return present


def _is(config: ExperimentConfig, preset: Preset) -> bool:
    values = draft.flat(config)
    return all(values[path] == value for path, value in preset.overrides.items())


def _changes(preset: Preset) -> list[str]:
    """What differs from the defaults, in the form's words; the model comes first."""
    defaults = draft.flat(ExperimentConfig())
    labels = {option.path: tr(option.label) for option in options()}
    changed = {path: value for path, value in preset.overrides.items() if value != defaults[path]}
    order = sorted(changed, key=lambda path: path.partition(".")[0] != "model")
    return [f"{labels[path]}: {_value(changed[path])}" for path in order]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return tr("not set") if value is None else str(value)


def _choose(key: str, shown: str) -> None:
    if st.session_state[key] == shown:
        return  # an old field's value, that the browser still had: nothing was chosen
    chosen = next((p.overrides for p in PRESETS if p.name == st.session_state[key]), {})
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    for path, value in chosen.items():
        config_form.put(path, value)
    if "query.strategy" in chosen:
        config_form.put("query.options", {})
