"""Use it: give the trained model pictures of your own, and take it along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from al_core.data.roots import PICTURE_SUFFIXES
from al_core.deploy.asked import MAX_FILES, read_asked
from al_core.deploy.choosing import Choice, choose_round
from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.records import JobState, RoundRecord
from al_core.results.analysis import measured
from al_core.words import told, tr, tr_n
from pages.components.no_session import no_session
from pages.components.predicted_cards import predicted
from pages.components.shield import shielded
from pages.components.take_along import take_along
from state import cache, handles, jobs, predictions, selectors, session
from state.text import plain, sentence

_TICK = 0.6
_AUTOMATIC = -1
_TYPES: Final = [suffix[1:] for suffix in PICTURE_SUFFIXES] + ["zip"]
_FILES, _FOLDER, _REFUSED = "predict-files", "predict-folder", "predict-refused"


def _round_choice(rounds: tuple[RoundRecord, ...]) -> Choice:
    """The round that is asked for, or the one that the rule takes; said in words."""
    numbers = [_AUTOMATIC, *(record.number for record in reversed(rounds))]
    asked = session.current().round
    st.session_state["predict-round"] = asked if asked in numbers else _AUTOMATIC
    automatic = choose_round(rounds)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        number = st.selectbox(
            tr("Model of"),
            numbers,
            format_func=lambda n: (
                tr("Chosen by the rule") if n == _AUTOMATIC else tr("Round {count}", count=n)
            ),
            key="predict-round",
            on_change=_look,
            width=200,
            help=tr(
                "The rule: the best by validation accuracy; without validation images the last. Test "
                "accuracy never chooses: a model picked by it would look better on those images than "
                "it is."
            ),
        )
        choice = automatic if number == _AUTOMATIC else choose_round(rounds, number)
        st.caption(_facts(choice))
    return choice


def _facts(choice: Choice) -> str:
    record = choice.record
    shown = [
        f"{tr(metric.title)} {metric.text(record.metrics[metric.key])}" for metric in measured([record])[:2]
    ]
    why = told(choice.why)
    why = why[:1].upper() + why[1:]
    return plain(" · ".join([why, tr_n("{n:,} label", "{n:,} labels", record.num_labeled), *shown]))


def _look() -> None:
    number = st.session_state["predict-round"]
    session.look_at_round(None if number == _AUTOMATIC else number)


def _ask(experiment: Experiment, choice: Choice) -> None:
    key = f"{_FILES}-{st.session_state.setdefault(_FILES, 0)}"
    files, folder = st.columns([1.4, 1], gap="large")
    asked = (experiment.id, choice.record.number)
    with files:
        st.file_uploader(
            tr("Pictures, or a zip of them"),
            type=_TYPES,
            accept_multiple_files=True,
            key=key,
            on_change=_uploaded,
            args=(key, *asked),
            help=tr("They stay on this machine, and are removed after a day."),
        )
    with folder:
        st.text_input(
            tr("Or a folder on this machine"),
            key=_FOLDER,
            placeholder=str(handles.settings().data_roots[0] / "photos"),
            help=tr(
                "With all that is below it, up to {most:,} files. It is read where it is.", most=MAX_FILES
            ),
        )
        st.button(tr("Classify this folder"), icon=":material/folder_open:", on_click=_named, args=asked)
    if refused := st.session_state.pop(_REFUSED, None):
        st.error(sentence(refused), icon=":material/error:")


def _uploaded(key: str, experiment_id: str, number: int) -> None:
    files = [(file.name, file) for file in st.session_state[key]]
    if files:
        _try(lambda: predictions.upload(experiment_id, number, files))
        st.session_state[_FILES] += 1  # another uploader: the server lets go of the bytes


def _named(experiment_id: str, number: int) -> None:
    _try(lambda: predictions.folder(experiment_id, number, st.session_state[_FOLDER].strip()))


def _try(submit: Callable[[], str]) -> None:
    try:
        st.query_params["prediction"] = submit()
    except ALError as error:
        st.session_state[_REFUSED] = str(error)


def _answer(experiment: Experiment) -> None:
    """What became of the request that the address names."""
    token = st.query_params.get("prediction", "")
    if not token:
        st.caption(tr("Each picture gets a class, its confidence and the milliseconds that it took."))
        return
    try:
        if read_asked(handles.settings(), token).experiment != experiment.id:
            return
    except ALError as error:
        st.info(sentence(error), icon=":material/schedule:")
        return
    result = predictions.result(token)
    if result is not None:
        predicted(token, result)
        return
    job = predictions.job_of(token)
    if job is not None and job.state.active:
        st.fragment(_progress, key="predict-progress", run_every=_TICK)(job.id)
    else:
        words = job.error_text if job is not None and job.state is JobState.FAILED else None
        st.error(
            sentence(told(words or "") or tr("Stopped before the pictures were classified.")),
            icon=":material/error:",
        )
        st.button(tr("Try again"), icon=":material/refresh:", on_click=predictions.again, args=(token,))


def _progress(job_id: str) -> None:
    with shielded("classifying"):
        job = handles.store().job(job_id)
        if not job.state.active:
            st.rerun()
        done, total = job.progress.get("done", 0), job.progress.get("total", 0)
        words = selectors.doing(job)
        if job.progress.get("phase") == "predict" and total:
            words = tr("{phase}: {done:,} of {total:,}", phase=words, done=done, total=total)
        st.progress(min(1.0, done / total) if total else 0.0, text=plain(words))
        st.button(tr("Stop"), key="stop-predict", icon=":material/stop:", on_click=jobs.stop, args=(job_id,))


def _page(experiment: Experiment) -> None:
    rounds = cache.rounds(experiment.record)
    if not rounds:
        st.info(
            tr("There is no model yet. It is here after the first round."), icon=":material/hourglass_empty:"
        )
        st.page_link("train.py", label=tr("Go to Train"), icon=":material/model_training:")
        return
    choice = _round_choice(rounds)
    _ask(experiment, choice)
    _answer(experiment)
    st.divider()
    take_along(experiment, choice)


session.guard()
st.title(tr("Use it"), anchor=False)
if session.record() is None:
    no_session(tr("Your trained model classifies new pictures here, and can be taken along."))
else:
    _page(session.experiment())
