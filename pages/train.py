"""Train: the loss falls while you watch, the job can be held, and every earlier round can be looked at."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from al_core.experiment import Experiment
from al_core.records import JobRecord, RoundRecord
from al_core.results.analysis import METRICS, epochs_frame, measured
from al_core.results.figures.learning import epochs_figure
from al_core.results.figures.sheets import Sheet
from al_core.results.logs import attempts, run_log
from al_core.words import told, tr
from pages.components.figure_menu import figure_menu
from pages.components.forecast_panel import gain_caption
from pages.components.job_status import job_status
from pages.components.live_curve import live_curve
from pages.components.no_session import no_session
from state import cache, glossary, handles, session
from state.text import duration, plain

_KINDS = {
    "prepare": tr("Prepare"), "advance": tr("Advance"), "calibrate": tr("Calibrate"), "audit": tr("Audit"),
    "predict": tr("Predict"), "export": tr("Export"), "map": tr("Map"), "survey": tr("Survey"),
    "alike": tr("Alike"), "saliency": tr("Saliency"),
}  # fmt: skip
_LATEST = -1
_LOG_LINES = 500


def _round_choice(rounds: tuple[RoundRecord, ...]) -> int | None:
    """Which round's epochs are drawn: None follows the one that trains."""
    numbers = [_LATEST, *(record.number for record in reversed(rounds))]
    chosen = session.current().round
    st.session_state["train-round"] = chosen if chosen in numbers else _LATEST
    number = st.selectbox(
        tr("Round"),
        numbers,
        format_func=lambda number: (
            tr("The latest, live") if number == _LATEST else tr("Round {number}", number=number)
        ),
        key="train-round",
        on_change=_look,
        width=220,
    )
    return None if number == _LATEST else number


def _look() -> None:
    number = st.session_state["train-round"]
    session.look_at_round(None if number == _LATEST else number)


def _tiles(record: RoundRecord) -> None:
    shown = measured([record])
    headline = shown[0] if shown else METRICS[0]
    seconds = record.seconds
    device = str(record.manifest.get("device", tr("not recorded")))
    with st.grid(4, min_column_width=150, key="train-tiles"):
        st.metric(tr("Labels in this round"), f"{record.num_labeled:,}", border=True)
        st.metric(tr(headline.title), headline.text(record.metrics.get(headline.key)), border=True)
        st.metric(tr("Training took"), duration(seconds["train"]) if "train" in seconds else "–", border=True)
        st.metric(tr("Device"), plain(device), border=True)


def _history(found: list[JobRecord]) -> None:
    rows = [
        {
            "what": _KINDS.get(job.kind, job.kind),
            "state": tr(job.state.value),
            "begun": pd.Timestamp(job.started_at, unit="s", tz="UTC") if job.started_at else pd.NaT,
            "seconds": job.ended_at - job.started_at if job.ended_at and job.started_at else None,
            "attempts": job.attempt,
            "problem": told(job.error_text or "") or None,
        }
        for job in found
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        placeholder="",
        alt=tr("Jobs of this session, newest first."),
        column_config={
            "what": tr("Job"),
            "state": tr("State"),
            "begun": st.column_config.DatetimeColumn(tr("Begun"), format="distance"),
            "seconds": st.column_config.NumberColumn(tr("Seconds"), format="%.1f"),
            "attempts": tr("Attempts"),
            "problem": st.column_config.TextColumn(tr("Problem"), width="large"),
        },
    )


def _save(experiment: Experiment, number: int | None) -> None:
    """The epochs of the round that is looked at; of all rounds where that is the latest, live."""
    store = handles.store()

    def draw(dark: bool) -> go.Figure:
        return epochs_figure(epochs_frame(store.epochs(experiment.id)), number, dark=dark)

    if number is None:
        title = tr("Loss and accuracy by epoch")
    else:
        title = tr("Loss and accuracy by epoch, round {n}", n=number)
    figure_menu(Sheet("epochs", title, draw), key="training", note=experiment.record.name)


def _log(experiment: Experiment, found: list[JobRecord]) -> None:
    """What an attempt of a job wrote; the whole run's log as a download."""
    names = {job.id: f"{_KINDS.get(job.kind, job.kind)} {job.id} · {tr(job.state.value)}" for job in found}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = st.selectbox(
            tr("Job"), list(names), format_func=lambda key: names[key], key="log-job", width=330
        )
        parts = attempts(experiment.settings, next(job for job in found if job.id == chosen))
        numbers = [part.number for part in parts]
        number = None
        if len(parts) > 1:
            number = st.selectbox(tr("Attempt"), numbers[::-1], key=f"log-attempt-{chosen}", width=120)
        st.download_button(
            tr("Whole log"), lambda: run_log(handles.store(), experiment.settings, experiment.id),
            file_name=f"run-{experiment.id}.log", mime="text/plain", icon=":material/download:",
            on_click="ignore", key="log-download", help=tr("Every attempt of every job of this session."),
        )  # fmt: skip
    shown = next((part for part in parts if part.number == number), parts[-1] if parts else None)
    lines = [] if shown is None else shown.text.splitlines()
    text = "\n".join(lines[-_LOG_LINES:]) or tr("Nothing was written here.")
    st.code(text, language=None, wrap_lines=True, height=260)
    if len(lines) > _LOG_LINES:
        st.caption(
            tr(
                "The last {shown} of {lines:,} lines; the download has all.",
                shown=_LOG_LINES,
                lines=len(lines),
            )
        )


def _page(experiment: Experiment) -> None:
    rounds = cache.rounds(experiment.record)
    jobs = handles.store().jobs(experiment_id=experiment.id, limit=50)
    chart, panel = st.columns([2.4, 1], gap="large")
    with chart:
        number = _round_choice(rounds)
        live_curve(experiment.record, view="training", key="training", round=number, height=330)
        if rounds:
            _save(experiment, number)
    with panel:
        job_status(experiment, jobs[0] if jobs else None)
    if rounds:
        looked_at = next((r for r in rounds if r.number == number), rounds[-1])
        st.subheader(
            tr("Round {number}", number=looked_at.number), anchor=False, help=glossary.meaning("Round")
        )
        _tiles(looked_at)
        if looked_at is rounds[-1] and (shown := measured(rounds)):
            gain_caption(experiment, shown[0])
    if jobs:
        st.subheader(tr("Jobs"), anchor=False)
        _history(jobs)
        log = st.expander(tr("Run log"), icon=":material/subject:", key="run-log", on_change="rerun")
        if log.open:
            with log:
                _log(experiment, jobs)


session.guard()
st.title(tr("Train"), anchor=False)
if session.record() is None:
    no_session(tr("Training is watched here: loss and accuracy of every epoch, as they come."))
else:
    _page(session.experiment())
