"""Review: the second look, how far people agree, the history of an image, and the log."""

from __future__ import annotations

import streamlit as st

from pages.components.no_session import no_session
from pages.components.review_agreement import agreement, record_of_people
from pages.components.review_log import image_history, log_viewer
from pages.components.review_queue import second_look
from state import session

_VIEWS = {
    "Second look": second_look,
    "Agreement": agreement,
    "People": record_of_people,
    "Image": image_history,
    "Log": log_viewer,
}
_VIEW = "review-view"


def _page() -> None:
    tab = session.guard()
    st.header("Review", anchor=False)
    if tab.experiment_id is None:
        no_session("Labels that deserve a second look, how far people agree, and who said what, when.")
        return
    experiment = session.experiment()
    if experiment.record.dataset_key is None:
        text = "Nothing has been asked yet: the button below starts this session."
        st.info(text, icon=":material/info:")
        return
    if st.session_state.pop("review-open-image", False):
        st.session_state[_VIEW] = "Image"
    chosen = st.segmented_control(
        "View", list(_VIEWS), key=_VIEW, default="Second look", required=True, label_visibility="collapsed",
        persist_state="session",
    )  # fmt: skip
    _VIEWS[chosen or "Second look"](experiment)


_page()
