"""Waiting for a job that a page asked for: its progress, and the page anew once it has ended."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from al_core.records import JobRecord
from state import selectors

_LOOK_AGAIN = 0.7  # seconds


@st.fragment(run_every=_LOOK_AGAIN)
def job_wait(find: Callable[[], JobRecord | None]) -> None:
    """Draw the progress of the job that `find` gives, again and again."""
    job = find()
    if job is None or not job.state.active:
        st.rerun()
    total = job.progress.get("total") or 1
    st.progress(min(1.0, (job.progress.get("done") or 0) / total), f"{selectors.doing(job)}.")
