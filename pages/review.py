"""Review: the second look, how far people agree, the history of an image, and the log."""

from __future__ import annotations

import streamlit as st

from al_core.words import noted, tr
from pages.components.no_session import no_session
from pages.components.review_agreement import agreement, record_of_people
from pages.components.review_log import image_history, log_viewer
from pages.components.review_queue import second_look
from state import session

_VIEWS = {
    noted("Second look"): second_look,
    noted("Agreement"): agreement,
    noted("People"): record_of_people,
    noted("Image"): image_history,
    noted("Log"): log_viewer,
}
_VIEW = "review-view"


def _page() -> None:
    tab = session.guard()
    st.header(tr("Review"), anchor=False)
    if tab.experiment_id is None:
        no_session(tr("Labels that deserve a second look, how far people agree, and who said what, when."))
        return
    experiment = session.experiment()
    if experiment.record.dataset_key is None:
        text = tr("Nothing has been asked yet: the button below starts this session.")
        st.info(text, icon=":material/info:")
        return
    if st.session_state.pop("review-open-image", False):
        st.session_state[_VIEW] = "Image"
    chosen = st.segmented_control(
        tr("View"),
        list(_VIEWS),
        key=_VIEW,
        default="Second look",
        format_func=tr,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    _VIEWS[chosen or "Second look"](experiment)


_page()
