"""Compare: strategies side by side over paired seeds. A verdict in words, and everything that it rests on."""

from __future__ import annotations

import streamlit as st

from al_core.records import StudyRecord
from al_core.removal import delete_study
from al_core.words import tr
from pages.components.compare_begin import compare_begin
from pages.components.compare_downloads import downloads
from pages.components.compare_matrix import compare_matrix
from pages.components.compare_picks import class_panel, overlap_panel, picture_panel
from pages.components.compare_results import compare_results, penalty_panel, summary_table
from pages.components.compare_target import target_panel
from pages.components.confirm_delete import confirm_delete
from pages.components.shield import shielded
from state import glossary, handles, session, studies

_TICK = 2.0
_LOST = tr("All its runs go with it: rounds, queries and models. Nothing brings them back. The images stay.")
_WATCHED, _DRAWN = "study-watched", "study-drawn"
_VIEWS = (
    tr("Summary"),
    tr("To a target"),
    tr("Who loses to whom"),
    tr("Overlap"),
    tr("Classes"),
    tr("Pictures"),
    tr("Take away"),
)


def _study_choice(records: list[StudyRecord]) -> StudyRecord:
    """The study that the address asks for, or the newest."""
    by_id = {record.id: record for record in records}
    asked = st.query_params.get("study", "")
    st.session_state["study-id"] = asked if asked in by_id else records[0].id
    names = _names(records)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="study-choice"):
        chosen = st.selectbox(
            tr("Study"), list(by_id), format_func=lambda key: names[key], key="study-id", on_change=_choose,
            width=420,
        )  # fmt: skip
        if st.button(tr("Delete"), type="tertiary", key="study-delete", help=tr("Asks first")):
            record = by_id[chosen]
            confirm_delete(tr("study"), _LOST, record.name, lambda: _delete(chosen), key=chosen)
    return by_id[chosen]


def _delete(study_id: str) -> None:
    delete_study(handles.store(), handles.settings(), study_id)
    st.query_params.pop("study", None)


def _names(records: list[StudyRecord]) -> dict[str, str]:
    """Equal names are numbered, oldest first: a select box tells its choice by its words."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for record in reversed(records):
        number = counts[record.name] = counts.get(record.name, 0) + 1
        names[record.id] = record.name if number == 1 else f"{record.name} ({number})"
    return names


def _choose() -> None:
    st.query_params["study"] = st.session_state["study-id"]


def _look(study_id: str) -> None:
    st.query_params["study"] = study_id
    st.rerun()


def _study(study_id: str) -> None:
    with shielded("the study"):
        study = studies.view(handles.store().study(study_id))
        running = study.active or study.count("paused") > 0
        if st.session_state.get(_DRAWN) not in (None, (study_id, running)):
            st.rerun()  # it began or ended: only the whole page can start or end the ticking
        st.session_state[_DRAWN] = (study_id, running)
        dark = st.context.theme.type == "dark"
        ended = study.count("done") == len(study.cells)
        with st.expander(study.words, icon=":material/grid_view:") if ended else st.container():
            compare_matrix(study, dark=dark)
        if not any(study.stamp):
            st.info(tr("The curves begin with the first round that is done."), icon=":material/show_chart:")
            return
        result, metric = compare_results(study, dark=dark)
        panels = (
            lambda: summary_table(result),
            lambda: target_panel(studies.result(study, metric).settled),
            lambda: penalty_panel(result, dark=dark),
            lambda: overlap_panel(study, dark=dark),
            lambda: class_panel(study, result, dark=dark),
            lambda: picture_panel(study),
            lambda: downloads(study, result),
        )
        for tab, panel in zip(st.tabs(_VIEWS, key="study-view", on_change="rerun"), panels, strict=True):
            if tab.open:
                with tab:
                    panel()


def _ended(study: studies.StudyView) -> None:
    """Say it once, to the tab that saw it run."""
    watched: set[str] = st.session_state.setdefault(_WATCHED, set())
    if study.active or study.count("paused"):
        watched.add(study.record.id)
    elif study.record.id in watched:
        watched.discard(study.record.id)
        failed = study.count("failed")
        words = tr("{failed} of its runs failed.", failed=failed) if failed else tr("Every run is done.")
        icon = ":material/error:" if failed else ":material/check_circle:"
        st.toast(tr("The study has ended. {words}", words=words), icon=icon, duration="long")


session.guard()
st.title(tr("Compare"), anchor=False, help=glossary.meaning("Random seed"))
records = handles.store().studies()
chosen = _study_choice(records) if records else None
if chosen is None:
    st.write(
        tr(
            "Which strategy earns its labels here? A study runs several of them with the same seeds, "
            "initial sets and weights, answered by ground truth, and says in words which is better "
            "and how sure that is."
        )
    )
form = f"study-form-{len(records)}"  # another one once a study has begun: closed
with st.expander(tr("Begin a study"), expanded=not records, icon=":material/add_circle:", key=form):
    begun = compare_begin()
if begun is not None:
    _look(begun)
if chosen is not None:
    found = studies.view(chosen)
    _ended(found)
    st.session_state[_DRAWN] = None
    st.fragment(_study, key="study", run_every=_TICK if found.active or found.count("paused") else None)(
        chosen.id
    )
