"""The filters of the Data page: what must hold of an image to be shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from al_core.pool import Status
from al_core.records import Mark
from al_core.standing import SOURCES
from al_core.types import INITIAL_ROUND
from al_core.words import tr
from state.browsing import Filter, View
from state.standings import STATUSES

KEYS = (
    "data-text", "data-status", "data-given", "data-predicted", "data-truth", "data-source", "data-by",
    "data-round", "data-marks", "data-confidence", "data-disagrees", "data-side",
)  # fmt: skip


def browse_filters(view: View) -> Filter:
    """Draw them; the usual ones in a row, the rest behind a button."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="data-filters"):
        text = st.text_input(
            tr("File name holds"), key="data-text", placeholder=tr("any"), width=165, persist_state="session"
        )  # fmt: skip
        statuses = _statuses(view)
        given = _classes(view, tr("Label"), "data-given") if view.standing is not None else []
        predicted = _classes(view, tr("Predicted"), "data-predicted") if view.predicted is not None else []
        truth = _classes(view, tr("Truth"), "data-truth") if view.standing is None else []
        rest = _more(view) if view.standing is not None else Filter()
        side = _side(view)
    if view.standing is not None:
        truth = st.session_state.get("data-truth", [])
    return Filter(
        text.strip(), tuple(statuses), tuple(given), tuple(predicted), tuple(truth), rest.sources,
        rest.annotators, rest.rounds, rest.marks, rest.confidence, rest.disagrees, side,
    )  # fmt: skip


def clear_filters() -> None:
    """Back to all images."""
    for key in KEYS:
        st.session_state.pop(key, None)


def _statuses(view: View) -> Sequence[int]:
    if view.status is None:
        return []
    return st.multiselect(
        tr("Standing"), view.statuses, format_func=lambda s: tr(STATUSES[Status(s)]), key="data-status",
        placeholder=tr("any"), width=165, persist_state="session",
    )  # fmt: skip


def _classes(view: View, label: str, key: str) -> Sequence[int]:
    names = view.dataset.classes
    return st.multiselect(
        label, range(len(names)), format_func=lambda n: names[n], key=key, placeholder=tr("any"), width=165,
        persist_state="session",
    )  # fmt: skip


def _more(view: View) -> Filter:
    found = view.standing
    if found is None:
        return Filter()
    hidden = ("data-truth", "data-source", "data-by", "data-round", "data-marks", "data-disagrees")
    on = sum(bool(st.session_state.get(key)) for key in hidden)
    on += st.session_state.get("data-confidence", (0.0, 1.0)) != (0.0, 1.0)
    with st.popover(
        tr("More filters ({count})", count=on) if on else tr("More filters"), icon=":material/filter_list:"
    ):
        names = [source.value for place, source in enumerate(SOURCES) if place in found.sources]
        sources = _pills(tr("Came from"), names, "data-source")
        people = [name for name in found.names if name]
        annotators = st.multiselect(
            tr("Annotator"), people, key="data-by", placeholder=tr("any"), persist_state="session"
        ) if people else []  # fmt: skip
        rounds = st.multiselect(
            tr("Asked"),
            view.rounds,
            key="data-round",
            placeholder=tr("any"),
            persist_state="session",
            format_func=lambda n: (
                tr("initial set") if n == INITIAL_ROUND else tr("after round {count}", count=n)
            ),
        )
        marks = _pills(tr("Marks"), [mark.value for mark in found.marks], "data-marks")
        if view.knows_truth:
            _classes(view, tr("Truth"), "data-truth")
        confidence, disagrees = (0.0, 1.0), False
        if view.predicted is not None:
            confidence = st.slider(
                tr("Confidence"), 0.0, 1.0, (0.0, 1.0), 0.01, key="data-confidence", persist_state="session"
            )  # fmt: skip
            disagrees = st.toggle(
                tr("Label is not the prediction"), key="data-disagrees", persist_state="session"
            )  # fmt: skip
    return Filter(
        sources=tuple(sources), annotators=tuple(annotators), rounds=tuple(rounds),
        marks=tuple(Mark(mark) for mark in marks), confidence=(confidence[0], confidence[1]),
        disagrees=disagrees,
    )  # fmt: skip


def _side(view: View) -> tuple[int, int] | None:
    """The shorter side, where pictures came in several sizes; None asks nothing, also of unknown ones."""
    if view.shapes is None:
        return None
    sides = view.shapes["shorter side"]
    known = sides[np.isfinite(sides)].astype(int)
    low, high = (int(known.min()), int(known.max())) if len(known) else (0, 0)
    if low == high:
        return None
    held = st.session_state.get("data-side")
    if held is not None and not low <= held[0] <= held[1] <= high:
        st.session_state.pop("data-side")  # of another data set
    chosen = st.slider(
        tr("Shorter side (px)"), low, high, (low, high), key="data-side", width=190, persist_state="session"
    )  # fmt: skip
    return None if chosen == (low, high) else (chosen[0], chosen[1])


def _pills(label: str, values: list[str], key: str) -> list[str]:
    if not values:
        st.session_state.pop(key, None)
        return []
    return st.pills(label, values, selection_mode="multi", key=key, persist_state="session")
