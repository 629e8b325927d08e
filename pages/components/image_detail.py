"""One image closely: the picture, all that is known of it, and its answer to be corrected."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from al_core.experiment import Experiment
from al_core.types import INITIAL_ROUND
from al_core.words import tr
from pages.components.answer_many import answer_many, undo_answers
from pages.components.browse_wall import address
from state import browsing
from state.browsing import View
from state.text import plain

_large = component(
    "askwell_large_picture",
    html='<img class="large" alt="">',
    css=".large { display: block; width: 100%; max-height: 62vh; object-fit: contain; "
    "border-radius: 8px; background: var(--st-secondary-background-color); } "
    ".pixelated { image-rendering: pixelated; aspect-ratio: 1; }",
    js="export default ({ parentElement, data }) => { const i = parentElement.querySelector('img'); "
    "i.classList.toggle('pixelated', data.pixelated); i.alt = data.alt; "
    "if (i.src !== data.src) i.src = data.src; }",
)
_WIDTH = 1024


def image_detail(
    view: View, sample_id: int, experiment: Experiment | None, step: Callable[[int], None]
) -> None:
    """Draw it; `step` is told -1 and 1 where the person pages."""
    row = browsing.rows(view, np.array([sample_id]))[0]
    picture, words = st.columns([1.35, 1], gap="medium")
    with picture:
        _large(
            data={"src": address(view, sample_id, _WIDTH), "alt": row.file,
                  "pixelated": view.dataset.pixelated},
            key="detail-picture",
        )  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            st.button(tr("Previous"), icon=":material/chevron_left:", key="detail-back", shortcut="Left",
                      on_click=step, args=(-1,))  # fmt: skip
            st.button(tr("Next"), icon=":material/chevron_right:", key="detail-on", shortcut="Right",
                      on_click=step, args=(1,))  # fmt: skip
    with words:
        st.text(row.file)
        for name, value in _facts(view, row):
            st.markdown(f"**{name}** {plain(value)}")
    if experiment is not None:
        answer_many(experiment, [sample_id], key="detail")
        undo_answers(experiment)


def _facts(view: View, row: browsing.Row) -> list[tuple[str, str]]:
    asked = row.round
    said = (
        ""
        if asked is None
        else tr("initial set")
        if asked == INITIAL_ROUND
        else tr("after round {asked}", asked=asked)
    )
    when = ""
    if row.at is not None:
        zone = datetime.UTC if st.context.timezone is None else None
        moment = datetime.datetime.fromtimestamp(row.at, zone)
        when = moment.strftime("%Y-%m-%d %H:%M")
    numbers = [
        (name.capitalize(), f"{value:.3g}")
        for name in ("margin", "entropy", "brightness", "contrast", "sharpness")
        if (value := getattr(row, name)) is not None
    ]
    sure = "" if row.confidence is None else f"{row.predicted} ({row.confidence:.1%})"
    facts = [
        (tr("Id"), str(row.id)),
        (tr("Split"), view.split.name),
        (tr("Standing"), row.status),
        (tr("Label"), row.label),
        (tr("Came from"), row.source),
        (tr("Annotator"), row.annotator),
        (tr("Asked"), said),
        (tr("When"), when),
        (tr("Predicted"), sure),
        (tr("Truth"), row.truth),
        (tr("Size"), row.size),
        *numbers,
        (tr("Marks"), ", ".join(row.marks)),
        (tr("Note"), row.note),
    ]
    return [(name, value) for name, value in facts if value]
