"""The job of an experiment: what it does, how far it is, hold and stop, what failed and how to go on."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from al_core.experiment import Experiment, Step
from al_core.records import JobRecord, JobState
from al_core.words import told, tr
from pages.components.live_curve import live_curve
from pages.components.shield import shielded
from state import jobs, selectors
from state.text import plain, sentence

_LOG_TICK = 2.0
Color = Literal["red", "orange", "blue", "green", "gray"]
_BADGES: dict[JobState, tuple[str, str, Color]] = {
    JobState.QUEUED: (tr("Queued"), ":material/schedule:", "gray"),
    JobState.RUNNING: (tr("Running"), ":material/play_circle:", "green"),
    JobState.DONE: (tr("Done"), ":material/check_circle:", "blue"),
    JobState.FAILED: (tr("Failed"), ":material/error:", "red"),
    JobState.STOPPED: (tr("Stopped"), ":material/stop_circle:", "gray"),
}


def job_status(experiment: Experiment, job: JobRecord | None, *, key: str = "job") -> None:
    """Mount the panel for the experiment's newest job."""
    with st.container(border=True, gap="small", key=f"{key}-panel"):
        if job is None:
            st.markdown(tr("**No job yet**"))
            st.caption(tr("Training runs in a process of its own: it goes on when this tab is closed."))
            _next(experiment.step(), experiment.id, key)
            return
        _badge(job)
        if job.state.active:
            live_curve(experiment.record, view="job", key=f"{key}-progress")
            _controls(job, key)
        elif job.state is JobState.FAILED:
            _failure(job)
        _next(experiment.step(), experiment.id, key)
        _worker()
        _log(job, key)


def _badge(job: JobRecord) -> None:
    words, icon, color = _BADGES[job.state]
    if job.state.active and (job.paused or job.control == "pause"):
        words, icon, color = (
            tr("Paused") if job.paused else tr("Pausing"),
            ":material/pause_circle:",
            "orange",
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(words, icon=icon, color=color)
        if job.attempt > 1:
            st.caption(tr("attempt {attempt}", attempt=job.attempt))


def _controls(job: JobRecord, key: str) -> None:
    stopping = job.control == "stop"
    held = job.control == "pause"
    # Paused, and no longer asked to be: the worker has not noticed yet.
    resuming = job.paused and not held and not stopping
    with st.container(horizontal=True, gap="small"):
        st.button(
            tr("Resume") if held else tr("Resuming …") if resuming else tr("Pause"),
            icon=":material/play_arrow:" if held or resuming else ":material/pause:",
            key=f"{key}-hold",
            on_click=jobs.resume if held else jobs.pause,
            args=(job.id,),
            disabled=stopping or resuming,
        )
        st.button(
            tr("Stopping …") if stopping else tr("Stop"),
            icon=":material/stop:",
            key=f"{key}-stop",
            on_click=jobs.stop,
            args=(job.id,),
            disabled=stopping,
            help=tr(
                "Stops between two batches; what was trained is kept, and training can go on from there."
            ),
        )


def _failure(job: JobRecord) -> None:
    st.error(
        sentence(told(job.error_text or "") or tr("The job ended without saying why.")),
        icon=":material/error:",
    )
    st.caption(tr("Every label is safe. Trying again goes on from the last checkpoint."))
    if job.traceback:
        with st.expander(tr("Details for a report"), icon=":material/bug_report:"):
            st.code(job.traceback, language=None, wrap_lines=True, height=260)


def _next(step: Step, experiment_id: str, key: str) -> None:
    """The next sensible step, where it is a training."""
    words = {"train": tr("Train now"), "start": tr("Start"), "failed": tr("Try again")}.get(step.kind)
    if words is not None:
        st.button(
            words,
            type="primary",
            icon=":material/refresh:" if step.kind == "failed" else ":material/model_training:",
            key=f"{key}-next",
            on_click=_advance,
            args=(experiment_id,),
            width="stretch",
        )
    elif step.kind == "label":
        left = step.total - step.done
        st.markdown(
            tr(
                "**{left} of {total} images wait for a label.** Training begins when they have one.",
                left=left,
                total=step.total,
            )
        )
        st.page_link(
            "label.py",
            label=tr("Label them"),
            icon=":material/touch_app:",
            query_params={"exp": experiment_id},
        )


def _advance(experiment_id: str) -> None:
    jobs.advance(experiment_id)


def _worker() -> None:
    st.caption(tr("Worker: {worker}", worker=plain(selectors.worker_words(jobs.worker_state()))))


def _log(job: JobRecord, key: str) -> None:
    log = st.expander(tr("Log"), icon=":material/subject:", key=f"{key}-log", on_change="rerun")
    if log.open:
        with log:
            every = _LOG_TICK if job.state.active else None
            st.fragment(_tail, key=f"{key}-tail", run_every=every)(job.id)


def _tail(job_id: str) -> None:
    with shielded("the job's log"):
        text = jobs.log_tail(job_id)
        st.code(text or tr("Nothing has been written yet."), language=None, wrap_lines=True, height=280)
