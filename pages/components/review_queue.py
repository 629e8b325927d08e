"""The queue of the second look: which kinds, how many, and the card that decides."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from al_core.experiment import Experiment
from al_core.results.review import Why
from al_core.words import tr
from pages.components.loop_rail import SHELL
from pages.components.review_card import review_card, review_data
from state import person, reviewing, session

_KINDS = {
    Why.PEOPLE: tr("People disagree"),
    Why.SELF: tr("Unsteady"),
    Why.FLAG: tr("Flagged"),
    Why.UNSURE: tr("Unsure"),
    Why.MODEL: tr("Model disagrees"),
    Why.REASK: tr("Ask me again"),
}
_KIND = "review-kinds"


def second_look(experiment: Experiment) -> None:
    """Go through what deserves it, one image at a time."""
    me = person.name()
    queue = reviewing.queue(experiment, me)
    counts = Counter(case.why for case in queue)
    kinds = [why for why in Why if counts[why]]
    if not kinds:
        _empty(experiment)
        return
    chosen = st.pills(
        tr("Kinds"), kinds, selection_mode="multi", key=_KIND, persist_state="session",
        format_func=lambda why: f"{_KINDS[why]} {counts[why]}", label_visibility="collapsed",
    )  # fmt: skip
    wanted = set(chosen) or set(kinds) - ({Why.REASK} if set(kinds) != {Why.REASK} else set())
    shown = [case for case in queue if case.why in wanted][: reviewing.LONGEST]
    review_card(
        review_data(experiment.id, experiment.dataset, experiment.classes(), shown, me), key="review-card",
        on_saved=lambda: session.redraw(SHELL), on_history=_history,
    )  # fmt: skip
    st.caption(
        tr(
            "What you decide here is the label from then on, and each decision is an event of the "
            "log. “Ask me again” shows a random tenth of your own earlier labels, blind: it changes "
            "no label and measures how steady you are."
        )
    )


def _history(sample_id: int) -> None:
    st.session_state["review-image"] = sample_id
    st.session_state["review-open-image"] = True


def _empty(experiment: Experiment) -> None:
    with st.container(border=True, gap="small"):
        st.markdown(tr("**Nothing needs a second look.**"))
        st.caption(
            tr(
                "Here come images on which people disagree, that somebody flagged (F) or was unsure "
                "of (U), or where the model was sure of another class; from the second query on also "
                "a few of your own labels, asked again blind."
            )
        )
        if not experiment.record.num_labeled:
            st.page_link("label.py", label=tr("Label the first images"), icon=":material/touch_app:")
