"""The side bar of every page: which session, which device, and what the worker is at."""

from __future__ import annotations

import streamlit as st

from al_core.records import ExperimentRecord, JobRecord
from state import handles, jobs, selectors, session
from state.text import plain


def side_bar() -> None:
    """Session switcher, device and worker, running jobs with Stop."""
    records = handles.store().experiments()
    with st.sidebar:
        if records:
            _switcher(records)
        for job in handles.store().jobs(active=True, limit=5):
            _job(job, {record.id: record.name for record in records})
        st.caption(plain(selectors.worker_words(jobs.worker_state())))


def _switcher(records: list[ExperimentRecord]) -> None:
    names = _distinct(records)
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


def _distinct(records: list[ExperimentRecord]) -> dict[str, str]:
    """Names by id, numbered where several are equal: the browser sends a label back, and not the id."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for record in reversed(records):
        name, number = record.name, 2
        while name in taken:
            name, number = f"{record.name} ({number})", number + 1
        taken.add(name)
        names[record.id] = name
    return {record.id: names[record.id] for record in records}


def _switch() -> None:
    session.choose(st.session_state["switcher"])


def _job(job: JobRecord, names: dict[str, str]) -> None:
    with st.container(border=True, gap="xsmall"):
        unnamed = "A data set" if job.kind == "prepare" else "Random baseline, to compare with"
        st.text(names.get(job.experiment_id or "", unnamed))
        st.caption(plain(selectors.doing(job)))
        with st.container(horizontal=True, gap="xsmall"):
            if job.kind == "advance":
                label, act = ("Resume", jobs.resume) if job.paused else ("Pause", jobs.pause)
                st.button(label, key=f"pause-{job.id}", on_click=act, args=(job.id,))
            st.button(
                "Stop", key=f"stop-{job.id}", icon=":material/stop:", on_click=jobs.stop, args=(job.id,)
            )
