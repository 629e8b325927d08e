"""The script that every visit runs: guard, navigation, the shell, then the page.

It lies in the folder of its pages on purpose: Streamlit's own discovery of a `pages/` folder beside the
script would let a first visitor's deep link run a page without this file.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from al_core.words import noted, tr
from pages.components.loop_rail import loop_rail
from pages.components.shield import shielded
from pages.components.side_bar import side_bar
from state import session
from state.text import plain

_HERE = Path(__file__).resolve().parent
_ASSETS = _HERE.parent / "assets"
_PAGES = {
    noted("Loop"): (
        ("home", tr("Home"), ":material/home:"),
        ("setup", tr("Set up"), ":material/tune:"),
        ("label", tr("Label"), ":material/touch_app:"),
        ("train", tr("Train"), ":material/model_training:"),
    ),
    noted("Understand"): (
        ("curves", tr("Curves"), ":material/show_chart:"),
        ("compare", tr("Compare"), ":material/balance:"),
        ("runs", tr("All runs"), ":material/stacked_line_chart:"),
        ("queries", tr("Queries"), ":material/image_search:"),
        ("explore", tr("Explore"), ":material/scatter_plot:"),
        ("errors", tr("Errors"), ":material/rule:"),
    ),
    noted("Deploy"): (("predict", tr("Use it"), ":material/deployed_code:"),),
    noted("Manage"): (
        ("review", tr("Review"), ":material/rate_review:"),
        ("data", tr("Data"), ":material/database:"),
        ("settings", tr("Settings"), ":material/settings:"),
        ("help", tr("Help"), ":material/help:"),
    ),
}


def _navigation() -> st.Page:
    pages = {
        tr(section): [
            st.Page(_HERE / f"{name}.py", title=title, icon=icon, url_path=name, default=name == "home")
            for name, title, icon in entries
            if (_HERE / f"{name}.py").exists()
        ]
        for section, entries in _PAGES.items()
    }
    return st.navigation({section: entries for section, entries in pages.items() if entries}, expanded=True)


def _notices(notices: list[str]) -> None:
    with st.container():  # one place on the page, however many there are
        for notice in notices:
            st.warning(plain(notice), icon=":material/link_off:")


st.set_page_config(page_title="Askwell", page_icon=_ASSETS / "favicon.svg", layout="wide")
st.html(_ASSETS / "frame.css")
st.logo(_ASSETS / "logo.svg", icon_image=_ASSETS / "favicon.svg", size="large")
page = _navigation()
tab = session.current()
tab.runs, tab.whole = tab.runs + 1, False
run, shown = tab.runs, list[str]()
with shielded("the shell"):
    shown += session.boot().notices
    _notices(shown)
    side_bar()
    loop_rail(page.url_path or "home")
with shielded(f"the page {page.url_path or 'home'}"):
    page.run()
if tab.runs == run:  # what was cut short, or has another one beside it, has shown nothing
    del tab.notices[: len(shown)]
    tab.whole = True
