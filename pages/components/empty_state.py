"""What a page says where there is nothing to show yet: what would be here, and the ways to get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from al_core.words import tr


@dataclass(frozen=True)
class Way:
    """A button to another page."""

    label: str
    icon: str
    page: str


SET_UP: Final = Way(tr("Set up a session"), ":material/tune:", "setup")
HOME: Final = Way(tr("Home"), ":material/home:", "home")


def empty_state(head: str, promise: str, *ways: Way, key: str) -> None:
    """Say what is not there and what would be; the first way is the one that most people want."""
    with st.container(border=True, gap="small", key=key):
        st.markdown(f"**{head}**")
        st.caption(promise)
        with st.container(horizontal=True):
            for place, way in enumerate(ways):
                kind = "secondary" if place else "primary"
                if st.button(way.label, icon=way.icon, type=kind, key=f"{key}-{way.page}"):
                    st.switch_page(f"{way.page}.py")
