"""Browse: filters, sort, the grid or the table, paging, and what can be done with a selection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, cast

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from al_core.experiment import Experiment
from al_core.results.survey import SurveyRequest
from al_core.types import SampleIds
from al_core.words import tr, tr_n
from pages.components.answer_many import answer_many, undo_answers
from pages.components.browse_filters import browse_filters, clear_filters
from pages.components.browse_wall import address, browse_wall
from pages.components.image_detail import image_detail
from pages.components.job_wait import job_wait
from pages.components.loop_rail import SHELL
from pages.components.pager import pager
from state import browsing
from state.browsing import Row, Sort, View

_SIZES = (30, 60, 120, 240)
_OPEN = "data-open"
BROWSE = "data-browse"
"""The fragment that `browse_panel` is in: a page turn or a filter draws it and no more."""
_REDRAW = (BROWSE, SHELL)


def browse_panel(view: View, look: Callable[[], View], experiment: Experiment | None) -> None:
    """Draw a view; `look` gives it as of later. With a session images can be answered too."""
    wanted = browse_filters(view)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="data-order"):
        sorts = view.sorts()
        if st.session_state.get("data-sort") not in sorts:
            st.session_state["data-sort"] = sorts[0]
        sort = cast(
            Sort,
            st.selectbox(
                tr("Sort by"), sorts, format_func=tr, key="data-sort", width=170, persist_state="session"
            ),
        )
        falling = st.toggle(tr("Falling"), key="data-falling", persist_state="session")
        shape = st.segmented_control(
            tr("View"), [tr("Grid"), tr("Table")], default=tr("Grid"), required=True, key="data-shape",
            persist_state="session",
        )  # fmt: skip
        size = st.selectbox(
            tr("On a page"), _SIZES, index=1, key="data-size", width=110, persist_state="session"
        )
        if wanted.active:
            st.button(
                tr("Clear filters"),
                icon=":material/filter_alt_off:",
                key="data-clear",
                type="tertiary",
                on_click=clear_filters,
            )
    ids = browsing.find(view, wanted, sort, falling=falling)
    total = len(view.split)
    st.caption(
        tr_n("{count:,} of {n:,} image", "{count:,} of {n:,} images", total, count=len(ids))
        if len(ids) < total
        else tr_n("{n:,} image", "{n:,} images", total)
    )
    if not len(ids):
        st.info(tr("No image fits the filters."), icon=":material/filter_alt_off:")
        return
    page = pager("data-page", len(ids), size, of=(wanted, sort, falling, size, view.key[0]))
    rows = browsing.rows(view, ids[page.part])
    selected = _draw(view, rows, shape, f"{page.key}-{page.number}", sort, experiment)
    page.draw()
    if experiment is not None:
        _answers(experiment, ids, selected)
    if (opened := st.session_state.get(_OPEN)) is not None:
        _dialog(look, int(opened), experiment, ids)


def _draw(
    view: View, rows: list[Row], shape: str | None, batch: str, sort: str, experiment: Experiment | None
) -> tuple[int, ...]:
    if shape == tr("Table"):
        return _table(view, rows, batch)
    shown = {"shorter side": "size", "aspect ratio": "size"}.get(sort, sort)
    known = ("confidence", "margin", "entropy", "brightness", "contrast", "sharpness", "size")
    small = shown if shown in known else ""
    notes = browse_wall(
        view, rows, key="data-wall", batch=batch, selectable=experiment is not None,
        small=small or ("confidence" if view.predicted is not None else "id"),
    )  # fmt: skip
    if notes.opened is not None:
        st.session_state[_OPEN] = notes.opened
    return notes.selected


def _table(view: View, rows: list[Row], batch: str) -> tuple[int, ...]:
    """The table's selection is of places: it ends with the images that are in them."""
    frame = pd.DataFrame([{"image": address(view, row.id), **asdict(row)} for row in rows])
    frame["marks"] = [", ".join(marks) for marks in frame["marks"]]
    frame["at"] = pd.to_datetime(frame["at"], unit="s")
    empty = [name for name, column in frame.items() if bool((column.isna() | column.isin([""])).all())]
    number = st.column_config.NumberColumn
    event: Any = st.dataframe(
        frame.drop(columns=empty),
        hide_index=True,
        row_height=52,
        height=620,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"data-table-{batch}-{hash(tuple(row.id for row in rows))}",
        alt=tr("The images of this page, a row each."),
        column_config={
            "image": st.column_config.ImageColumn(tr("Image"), width="small"),
            "id": number(tr("Id"), format="%d", width="small"),
            "file": tr("File"),
            "status": tr("Standing"),
            "label": tr("Label"),
            "source": tr("Came from"),
            "annotator": tr("Annotator"),
            "round": number(tr("Round")),
            "at": st.column_config.DatetimeColumn(tr("When"), format="YYYY-MM-DD HH:mm"),
            "predicted": tr("Predicted"),
            "confidence": number(tr("Confidence"), format="%.3f"),
            "margin": number(tr("Margin"), format="%.3f"),
            "entropy": number(tr("Entropy"), format="%.3f"),
            "truth": tr("Truth"),
            "marks": tr("Marks"),
            "note": tr("Note"),
            "brightness": number(format="%.0f"),
            "contrast": number(format="%.0f"),
            "sharpness": number(format="%.0f"),
            "size": st.column_config.TextColumn(
                tr("Size"), help=tr("Width and height in pixels, as it came")
            ),
        },
    )
    picked = [row for row in event.selection.rows if row < len(rows)]
    if len(picked) == 1:
        st.button(tr("Open this image"), icon=":material/open_in_full:", key="data-open-row", on_click=_open,
                  args=(rows[picked[0]].id,))  # fmt: skip
    return tuple(rows[row].id for row in picked)


def _open(sample_id: int) -> None:
    st.session_state[_OPEN] = sample_id


def _answers(experiment: Experiment, ids: SampleIds, selected: tuple[int, ...]) -> None:
    """Of the selected images; of all that fit the filter, if the person says so."""
    every = st.toggle(
        tr("All {count:,} that fit the filters", count=len(ids)), key="data-every",
        help=tr("In place of the ones that are selected."),
    )  # fmt: skip
    chosen = ids.tolist() if every else list(selected)
    if chosen:
        answer_many(experiment, chosen, key="data-many", redraw=_REDRAW)
    else:
        st.caption(
            tr(
                "Select images by their boxes (Shift selects a row of them) to label, correct or "
                "exclude them."
            )
        )
    undo_answers(experiment, redraw=_REDRAW)


def survey_panel(view: View, experiment: Experiment, row: DeltaGenerator) -> None:
    """Columns that the worker computes, offered in `row`: predictions of every image, and its looks."""
    rounds = experiment.record.num_rounds
    wanted = [
        (
            browsing.predictions,
            SurveyRequest(experiment.id, rounds - 1),
            view.predicted is None and rounds > 0,
            tr("Predict every image"),
            tr("Class, confidence, margin and entropy by the newest round's network."),
        ),
        (
            browsing.looks,
            SurveyRequest(experiment.id, None),
            view.looks is None or view.split.kept_sizes is None,
            tr("Measure every image"),
            tr("Brightness, contrast, sharpness and size, to sort by."),
        ),
    ]
    for made, request, missing, label, about in wanted:
        job = made.job_of(request) if missing else None
        if job is not None and job.state.active:
            job_wait(partial(made.job_of, request))
        elif missing:
            row.button(label, icon=":material/query_stats:", key=f"survey-{request.round is None}",
                       help=about, on_click=made.ask, args=(request,))  # fmt: skip


def _dialog(look: Callable[[], View], opened: int, experiment: Experiment | None, ids: SampleIds) -> None:
    @st.dialog(tr("One image"), width="large", on_dismiss=_close)
    def show() -> None:
        # a dialog runs again by itself: what it shows is read anew, and not what it was opened with
        shown = int(st.session_state.get(_OPEN, opened))
        image_detail(look(), shown, experiment, lambda step: _step(ids, shown, step))

    show()


def _step(ids: SampleIds, opened: int, step: int) -> None:
    places = (ids == opened).nonzero()[0]
    place = int(places[0]) + step if len(places) else 0
    st.session_state[_OPEN] = int(ids[place % len(ids)])


def _close() -> None:
    st.session_state.pop(_OPEN, None)
