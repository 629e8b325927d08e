"""One answer for many images at once, as one commit, with undo."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.types import EXCLUDE, UNLABEL
from al_core.words import tr, tr_n
from state import image_maps, session
from state.text import plain

MOST = 5_000
"""Images that one click may answer: more is a filter that nobody has looked through."""
_UNDO = "answer-many-undo"


def answer_many(experiment: Experiment, ids: Sequence[int], *, key: str, redraw: Sequence[str] = ()) -> None:
    """Draw class, Label, Exclude and Take back for these images.

    `redraw` are fragments to be drawn anew in place of what would be: the one that this is in, and others
    that show what is labeled.
    """
    names = experiment.dataset.classes
    many = tr_n("{n:,} image", "{n:,} images", len(ids))
    far = len(ids) > MOST
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}-answers"):
        chosen = st.selectbox(
            tr("Class"),
            experiment.classes().open,
            index=None,
            format_func=lambda n: names[n],
            placeholder=tr("Class"),
            key=f"{key}-class",
            width=180,
        )
        st.button(
            tr("Label {many}", many=many),
            type="primary",
            icon=":material/label:",
            disabled=chosen is None or far,
            key=f"{key}-label",
            on_click=_answer,
            args=(experiment, tuple(ids), chosen, redraw),
        )
        st.button(
            tr("Exclude"),
            icon=":material/block:",
            key=f"{key}-exclude",
            help=tr("Take them out of the pool."),
            on_click=_answer,
            args=(experiment, tuple(ids), EXCLUDE, redraw),
            disabled=far,
        )
        st.button(
            tr("Remove labels"), icon=":material/label_off:", key=f"{key}-unlabel", disabled=far,
            help=tr("Their answers are withdrawn; the log keeps them."),
            on_click=_answer, args=(experiment, tuple(ids), UNLABEL, redraw),
        )  # fmt: skip
    if far:
        st.caption(tr("At most {most:,} at once: narrow the filter, or import a file of labels.", most=MOST))


def undo_answers(experiment: Experiment, *, redraw: Sequence[str] = ()) -> None:
    """What the last answer changed, and the way back."""
    owner, answered, asked = st.session_state.get(_UNDO, (None, None, 0))
    if owner != experiment.id or answered is None:
        return
    saved = len(answered.ids)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="answer-many-done"):
        words = tr(":green[:material/check:] {count:,} answers are saved.", count=saved)
        if saved < asked:
            words += " " + tr(
                "{count:,} are set aside to measure by, and stay as they are.", count=asked - saved
            )
        st.markdown(words)
        if saved:
            st.button(
                tr("Undo"), icon=":material/undo:", key="answer-many-back", on_click=_take_back,
                args=(experiment, redraw), help=plain(tr("Gives each image the answer that it had.")),
            )  # fmt: skip


def _answer(experiment: Experiment, ids: Sequence[int], value: int, redraw: Sequence[str]) -> None:
    try:
        st.session_state[_UNDO] = (experiment.id, image_maps.answer(experiment, ids, value), len(ids))
    except ALError as error:
        session.current().notices.append(str(error))
        return  # the whole page is drawn anew, with the notice
    _again(redraw)


def _take_back(experiment: Experiment, redraw: Sequence[str]) -> None:
    _, answered, _ = st.session_state.pop(_UNDO)
    give_back(experiment, answered)
    _again(redraw)


def give_back(experiment: Experiment, answered: image_maps.Answered) -> None:
    """Undo what was answered, and say of how many images it is no longer what stands."""
    if left := image_maps.take_back(experiment, answered):
        st.toast(tr("{left:,} were changed since and stay.", left=left), icon=":material/undo:")


def _again(redraw: Sequence[str]) -> None:
    if redraw:
        session.redraw(*redraw)
