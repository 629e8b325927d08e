"""Active learning in three pictures, drawn in the colours of the theme."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
three_steps = st.components.v2.component(
    "askwell_three_steps",
    html=(_ASSETS / "three_steps.html").read_text("utf-8"),
    css=(_ASSETS / "three_steps.css").read_text("utf-8"),
)
