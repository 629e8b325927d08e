"""The choices that a browser keeps: look, views, guesses. Python learns only whether guesses are hidden."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.components.v2 import component

from state import preferences
from state.web.assets import script, style

_form = component(
    "askwell_settings",
    html='<div class="host"></div>',
    css=style("settings"),
    js=script("settings"),
)


def settings_form(*, key: str) -> None:
    """Mount the form; it reads and writes the browser's own storage."""

    def take_blind() -> None:
        asked = st.session_state[key].get("blind")
        if isinstance(asked, Mapping):
            preferences.set_blind(on=asked.get("on") is True)

    _form(data={}, key=key, on_blind_change=take_blind)
