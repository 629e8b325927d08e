"""Presets of model and training as cards: what each is good for, and what it changes."""

from __future__ import annotations

import streamlit as st

from al_core.config import ExperimentConfig, options
from al_core.presets import PRESETS, Preset
from pages.components import config_form
from pages.components.choice_cards import Choice, choice_cards
from state import draft
from state.text import plain

_OWN = "own"
_GROUP = "Preset"
_SHOWN = 3  # changes on a card; all of them are below


def preset_cards(config: ExperimentConfig) -> None:
    """Draw the cards; the chosen one is whichever the present values are."""
    chosen = next((preset for preset in PRESETS if _is(config, preset)), None)
    own = Choice(
        _OWN,
        "Own settings",
        "Model and training as you set them here; chosen anew, the defaults.",
        group=_GROUP,
    )
    cards = [*(_card(preset) for preset in PRESETS), own]
    choice_cards("Preset", cards, chosen.name if chosen else _OWN, _choose, key="choose-preset")
    if chosen is not None:
        st.caption(f"{plain(chosen.title)} sets {plain(', '.join(_changes(chosen)))}")


def _is(config: ExperimentConfig, preset: Preset) -> bool:
    values = draft.flat(config)
    return all(values[path] == value for path, value in preset.overrides.items())


def _card(preset: Preset) -> Choice:
    changes = _changes(preset)
    more = len(changes) - _SHOWN
    facts = (*changes[:_SHOWN], *((f"{more} more",) if more > 0 else ()))
    return Choice(preset.name, preset.title, preset.description, facts, group=_GROUP)


def _changes(preset: Preset) -> list[str]:
    """What differs from the defaults, in the form's words; the model comes first."""
    defaults = draft.flat(ExperimentConfig())
    labels = {option.path: option.label for option in options()}
    changed = {path: value for path, value in preset.overrides.items() if value != defaults[path]}
    order = sorted(changed, key=lambda path: path.partition(".")[0] != "model")
    return [f"{labels[path]}: {_value(changed[path])}" for path in order]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "not set" if value is None else str(value)


def _choose(name: str) -> None:
    defaults = draft.flat(ExperimentConfig())
    paths = {path for preset in PRESETS for path in preset.overrides}
    chosen = next((preset.overrides for preset in PRESETS if preset.name == name), None)
    if chosen is None:
        chosen = {path: defaults[path] for path in paths if path.partition(".")[0] in ("model", "train")}
    for path, value in chosen.items():
        config_form.put(path, value)
    if "query.strategy" in chosen:
        config_form.put("query.options", {})
