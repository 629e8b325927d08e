"""What a page says while no session is open."""

from __future__ import annotations

import streamlit as st


def no_session(promise: str) -> None:
    """Say what would be here, and how to get it."""
    with st.container(border=True, gap="small", key="no-session"):
        st.markdown("**No session is open.**")
        st.caption(promise)
        with st.container(horizontal=True):
            if st.button("Home", icon=":material/home:", type="primary", key="no-session-home"):
                st.switch_page("home.py")
            if st.button("Set up a session", icon=":material/tune:", key="no-session-setup"):
                st.switch_page("setup.py")
