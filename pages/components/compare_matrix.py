"""A study under way: its cells as a matrix, hold and stop for all, what failed and how to go on."""

from __future__ import annotations

import streamlit as st
from streamlit.components.v2 import component

from al_core.results.figures.palette import look, look_keys
from al_core.words import tr, tr_n
from state import studies
from state.studies import StudyView
from state.text import plain
from state.web.assets import script, style

_matrix = component(
    "askwell_cell_matrix",
    html='<div class="host" tabindex="0" role="group"></div>',
    css=style("cell_matrix"),
    js=script("cell_matrix"),
)
_FAILED_SHOWN = 5


def compare_matrix(study: StudyView, *, dark: bool) -> None:
    """Draw progress, the cells and the buttons."""
    if study.count("done") < len(study.cells):
        words, buttons = st.columns([1.6, 1], gap="medium", vertical_alignment="center")
        with words:
            st.progress(study.share, text=plain(study.words))
        with buttons:
            _controls(study)
    by_arm = {arm: [cell for cell in study.cells if cell.arm == arm] for arm in study.arms}
    rows = [
        {
            "arm": arm,
            "color": look(strategy).color(dark=dark),
            "cells": [
                {"state": c.state, "words": c.words, "share": c.share, "reason": c.reason}
                for c in by_arm[arm]
            ],
        }
        for arm, strategy in zip(study.arms, look_keys(study.strategies), strict=True)
    ]
    _matrix(data={"seeds": list(study.config.seeds), "rows": rows}, key="study-matrix")
    _failures(study)


def _controls(study: StudyView) -> None:
    key = study.record.id
    with st.container(horizontal=True, gap="small", horizontal_alignment="right"):
        if study.active:
            st.button(
                tr("Pause"), icon=":material/pause:", key="study-pause", on_click=studies.pause, args=(key,)
            )
        elif study.count("paused", "stopped"):
            st.button(
                tr("Go on"),
                icon=":material/play_arrow:",
                key="study-go-on",
                on_click=studies.go_on,
                args=(key,),
                type="primary",
            )
        if study.active or study.count("paused"):
            st.button(
                tr("Stop"), icon=":material/stop:", key="study-stop", on_click=studies.stop, args=(key,),
                help=tr("Stops every run between two batches. What was trained is kept, and it can go on."),
            )  # fmt: skip


def _failures(study: StudyView) -> None:
    failed = [cell for cell in study.cells if cell.state == "failed"]
    if not failed:
        return
    with st.container(border=True, gap="xsmall", key="study-failed"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(tr_n("**{n} run failed**", "**{n} runs failed**", len(failed)))
            st.button(
                tr("Try again"), icon=":material/refresh:", key="study-retry", on_click=studies.try_again,
                args=(study.record.id,), help=tr("Goes on from the last checkpoint of each."),
            )  # fmt: skip
        for cell in failed[:_FAILED_SHOWN]:
            st.text(tr("{arm}, seed {seed}: {reason}", arm=cell.arm, seed=cell.seed, reason=cell.reason))
        if len(failed) > _FAILED_SHOWN:
            st.caption(tr("and {more} more, in the matrix", more=len(failed) - _FAILED_SHOWN))
