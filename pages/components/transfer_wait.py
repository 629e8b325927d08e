"""Waiting for an import's or export's process: its progress, and the page anew once it has ended."""

from __future__ import annotations

import streamlit as st

from al_core.words import tr
from state import transfers
from state.text import plain
from state.transfers import Step

_LOOK_AGAIN = 0.6  # seconds


@st.fragment(run_every=_LOOK_AGAIN)
def transfer_wait(token: str, step: Step) -> None:
    """Draw the progress, again and again."""
    found = transfers.status(token, step)
    if found is None or not found.running:
        st.rerun()
    words = (
        tr("{step}: {done:,} of {total:,}", step=found.phase or step, done=found.done, total=found.total)
        if found.total
        else found.phase
    )
    st.progress(min(1.0, found.done / found.total) if found.total else 0.0, plain(words.capitalize()))
    st.button(
        tr("Stop"), icon=":material/stop:", key=f"stop-{step}", on_click=transfers.stop, args=(token, step)
    )
