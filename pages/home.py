"""Home: what this is, one button that shows it, and the way back into what was begun."""

from __future__ import annotations

import numpy as np
import streamlit as st

from al_core.config import DataConfig
from al_core.data.prepare import prepared_key
from al_core.words import tr
from pages.components.picture_wall import picture_wall
from pages.components.pictures import hero, three_steps
from pages.components.session_cards import session_cards
from state import handles, session, starting

_WALL = 10


def _hero() -> None:
    words, pictures = st.columns([1.15, 1], gap="large", vertical_alignment="center")
    with words, st.container(key="hero"):
        st.title(tr("Teach a classifier with fewer labels"), anchor=False)
        st.write(
            tr(
                "Askwell trains an image classifier while you label, and asks only for the pictures "
                "that it would learn most from. Everything stays on this machine."
            )
        )
        with st.container(horizontal=True, gap="small"):
            story = st.button(
                tr("Teach it in 90 seconds"),
                type="primary",
                icon=":material/play_arrow:",
                help=tr("A session on handwritten digits: it begins with 20 labels, you give the next 20."),
                key="story",
            )
            own = st.button(tr("Use my own images"), icon=":material/folder_open:", key="own")
        st.caption(
            tr("You label 20 digits, it trains for seconds, and the curve moves. No account, no download.")
        )
        _wall()
    with pictures:
        hero(key="hero-picture")
    if story:
        tab = session.current()
        record = starting.begin(starting.story_config(), key=tab.form)
        tab.renew_form()
        session.choose(record.id)
        st.switch_page("label.py", query_params={"exp": record.id})
    if own:
        st.switch_page("setup.py")


def _wall() -> None:
    """The pictures that the story asks about, once they are prepared."""
    key = prepared_key(handles.settings(), DataConfig())
    if key is None:
        return
    dataset = handles.dataset(key)
    ids = np.linspace(0, len(dataset.train) - 1, _WALL).astype(np.int64)
    picture_wall(dataset, ids.tolist(), key="hero-wall", cell=44, captions=False, one_row=True)


session.guard()
_hero()
sessions = handles.store().experiments()
if sessions:
    st.header(tr("Your sessions"), anchor=False)
    session_cards(sessions)
st.header(tr("How it works"), anchor=False)
three_steps(key="three-steps")
