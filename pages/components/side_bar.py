"""The side bar of every page: which session, which device, and what the worker is at."""

from __future__ import annotations

import streamlit as st

from al_core.records import JobRecord, JobState
from al_core.words import tr, tr_n
from pages.components.person_name import person_name
from state import handles, jobs, selectors, session, studies
from state.text import plain

_SHOWN, _LOOKED_AT = 5, 200
_UNNAMED = {
    "prepare": tr("A data set"),
    "calibrate": tr("How fast this machine is"),
    "predict": tr("Classifying pictures"),
    "export": tr("A model to take along"),
    "audit": tr("A look for label errors"),
    "survey": tr("A look at every image"),
    "map": tr("The map of the images"),
    "alike": tr("Images like a picture"),
    "saliency": tr("What the model goes by"),
}


def side_bar() -> None:
    """Session switcher, who labels, device and worker, running jobs with Stop."""
    names = selectors.session_names(handles.store().experiments())
    with st.sidebar:
        if names:
            _switcher(names)
            person_name()
        active = handles.store().jobs(active=True, limit=_LOOKED_AT)
        for job in [job for job in active if not studies.is_cell(job)][:_SHOWN]:
            _job(job, names)
        _study([job for job in active if studies.is_cell(job)])
        st.caption(plain(selectors.worker_words(jobs.worker_state())))


def _switcher(names: dict[str, str]) -> None:
    chosen = session.current().experiment_id
    st.session_state["switcher"] = chosen if chosen in names else None
    st.selectbox(
        tr("Session"),
        list(names),
        format_func=lambda experiment_id: names[experiment_id],
        key="switcher",
        placeholder=tr("Choose a session"),
        on_change=_switch,
    )


def _switch() -> None:
    session.choose(st.session_state["switcher"])


def _study(cells: list[JobRecord]) -> None:
    """One line for all cells of studies: each by itself would bury a person's own work."""
    if not cells:
        return
    running = sum(job.state is JobState.RUNNING and not job.paused for job in cells)
    count = f"{len(cells)}{'+' * (len(cells) >= _LOOKED_AT)}"
    with st.container(border=True, gap="xsmall", key="side-study"):
        st.page_link("compare.py", label=tr("Studies"), icon=":material/balance:")
        st.caption(
            tr_n(
                "{count} run to go, {running} running",
                "{count} runs to go, {running} running",
                len(cells),
                count=count,
                running=running,
            )
        )


def _job(job: JobRecord, names: dict[str, str]) -> None:
    with st.container(border=True, gap="xsmall"):
        unnamed = _UNNAMED.get(job.kind, "Random baseline")
        st.text(names.get(job.experiment_id or "", unnamed))
        st.caption(plain(selectors.doing(job)))
        with st.container(horizontal=True, gap="xsmall"):
            if job.kind == "advance":
                label, act = (tr("Resume"), jobs.resume) if job.paused else (tr("Pause"), jobs.pause)
                icon = ":material/play_arrow:" if job.paused else ":material/pause:"
                st.button(label, key=f"pause-{job.id}", icon=icon, on_click=act, args=(job.id,))
            st.button(
                tr("Stop"), key=f"stop-{job.id}", icon=":material/stop:", on_click=jobs.stop, args=(job.id,)
            )
