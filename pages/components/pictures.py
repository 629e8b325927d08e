"""Our own drawings, in the colours of the theme: nothing in them comes from a person or a file."""

from __future__ import annotations

from pathlib import Path

from streamlit.components.v2 import component

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
hero = component(
    "askwell_hero",
    html=(_ASSETS / "hero.html").read_text("utf-8"),
    css=(_ASSETS / "hero.css").read_text("utf-8"),
)
three_steps = component(
    "askwell_three_steps",
    html=(_ASSETS / "three_steps.html").read_text("utf-8"),
    css=(_ASSETS / "three_steps.css").read_text("utf-8"),
)
