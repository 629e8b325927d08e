"""The script that every visit runs: guard, navigation, the shell, then the page.

It lies in the folder of its pages on purpose: Streamlit's own discovery of a `pages/` folder beside the
script would let a first visitor's deep link run a page without this file.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components.loop_rail import loop_rail
from pages.components.shield import shielded
from pages.components.side_bar import side_bar
from state import session
from state.text import plain

_HERE = Path(__file__).resolve().parent
_ASSETS = _HERE.parent / "assets"
_PAGES = {
    "Loop": (
        ("home", "Home", ":material/home:"),
        ("setup", "Set up", ":material/tune:"),
        ("label", "Label", ":material/touch_app:"),
        ("train", "Train", ":material/model_training:"),
    ),
    "Understand": (
        ("curves", "Curves", ":material/show_chart:"),
        ("compare", "Compare", ":material/balance:"),
        ("runs", "All runs", ":material/stacked_line_chart:"),
        ("queries", "Queries", ":material/image_search:"),
        ("explore", "Explore", ":material/scatter_plot:"),
        ("errors", "Errors", ":material/rule:"),
    ),
    "Deploy": (("predict", "Use it", ":material/deployed_code:"),),
    "Manage": (
        ("review", "Review", ":material/rate_review:"),
        ("data", "Data", ":material/database:"),
        ("settings", "Settings", ":material/settings:"),
        ("help", "Help", ":material/help:"),
    ),
}


def _navigation() -> st.Page:
    pages = {
        section: [
            st.Page(_HERE / f"{name}.py", title=title, icon=icon, url_path=name, default=name == "home")
            for name, title, icon in entries
            if (_HERE / f"{name}.py").exists()
        ]
        for section, entries in _PAGES.items()
    }
    return st.navigation({section: entries for section, entries in pages.items() if entries}, expanded=True)


def _notices(tab: session.Session) -> None:
    for notice in tab.notices:
        st.warning(plain(notice), icon=":material/link_off:")
    tab.notices.clear()


st.set_page_config(page_title="Askwell", page_icon=_ASSETS / "favicon.svg", layout="wide")
st.html(_ASSETS / "frame.css")
st.logo(_ASSETS / "logo.svg", icon_image=_ASSETS / "favicon.svg", size="large")
page = _navigation()
with shielded("the shell"):
    _notices(session.boot())
    side_bar()
    loop_rail(page.url_path or "home")
with shielded(f"the page {page.url_path or 'home'}"):
    page.run()
