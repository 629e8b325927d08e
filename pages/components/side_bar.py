"""The side bar of every page: which session, which device, and what the worker is at."""

from __future__ import annotations

import streamlit as st

from al_core.records import JobRecord
from state import handles, jobs, selectors, session
from state.text import plain

_UNNAMED = {"prepare": "A data set", "calibrate": "How fast this machine is"}


def side_bar() -> None:
    """Session switcher, device and worker, running jobs with Stop."""
    names = selectors.session_names(handles.store().experiments())
    with st.sidebar:
        if names:
            _switcher(names)
        for job in handles.store().jobs(active=True, limit=5):
            _job(job, names)
        st.caption(plain(selectors.worker_words(jobs.worker_state())))


def _switcher(names: dict[str, str]) -> None:
    chosen = session.current().experiment_id
    st.session_state["switcher"] = chosen if chosen in names else None
    st.selectbox(
        "Session",
        list(names),
        format_func=lambda experiment_id: names[experiment_id],
        key="switcher",
        placeholder="Choose a session",
        on_change=_switch,
    )


def _switch() -> None:
    session.choose(st.session_state["switcher"])


def _job(job: JobRecord, names: dict[str, str]) -> None:
    with st.container(border=True, gap="xsmall"):
        unnamed = _UNNAMED.get(job.kind, "Random baseline")
        st.text(names.get(job.experiment_id or "", unnamed))
        st.caption(plain(selectors.doing(job)))
        with st.container(horizontal=True, gap="xsmall"):
            if job.kind == "advance":
                label, act = ("Resume", jobs.resume) if job.paused else ("Pause", jobs.pause)
                icon = ":material/play_arrow:" if job.paused else ":material/pause:"
                st.button(label, key=f"pause-{job.id}", icon=icon, on_click=act, args=(job.id,))
            st.button(
                "Stop", key=f"stop-{job.id}", icon=":material/stop:", on_click=jobs.stop, args=(job.id,)
            )
