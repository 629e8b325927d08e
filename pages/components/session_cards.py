"""Recent sessions as cards: how each curve goes, and the way back in."""

from __future__ import annotations

import time

import streamlit as st

from al_core.records import ExperimentRecord
from al_core.removal import delete_run
from al_core.words import tr
from pages.components.confirm_delete import confirm_delete
from pages.components.fork_dialog import fork_button
from state import cache, handles, selectors, session
from state.text import ago, percent, plain

_SHOWN = 12
_LOST = tr("Its labels, rounds and curve go with it, and nothing brings them back. The images stay.")


def session_cards(records: list[ExperimentRecord]) -> None:
    """The newest sessions; the older ones are in the side bar's list."""
    with st.grid(3, min_column_width=260, gap="medium", key="sessions"):
        for record in records[:_SHOWN]:
            with st.container(border=True, key=f"card-{record.id}", gap="xsmall", height="stretch"):
                _card(selectors.session_card(record, cache.rounds(record)))
    if len(records) > _SHOWN:
        st.caption(tr("{shown} older sessions are in the list of the side bar.", shown=len(records) - _SHOWN))


def _card(card: selectors.SessionCard) -> None:
    st.markdown(f"**{plain(card.name)}**")
    st.caption(plain(f"{card.what}  ·  {card.status}, {ago(time.time() - card.updated_at)}"))
    round_words = tr("no round yet") if card.round is None else tr("round {round}", round=card.round)
    change = None
    if len(card.curve) > 1:
        change = tr("{points:+.1f} points", points=100 * (card.curve[-1] - card.curve[-2]))
    st.metric(
        tr("Accuracy, {round_words}, {labels}", round_words=round_words, labels=card.labels),
        percent(card.accuracy),
        delta=change,
        chart_data=[100 * value for value in card.curve] if len(card.curve) > 1 else None,
    )
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if st.button(tr("Open"), key=f"open-{card.id}", icon=":material/arrow_forward:"):
            session.choose(card.id)
            page = "curves" if card.status == "finished" else "label"
            st.switch_page(f"{page}.py", query_params={"exp": card.id})
        if card.round is not None:
            fork_button(card.id, card.round - 1, key=f"card-{card.id}", label=tr("Fork"), quiet=True)
        if st.button(tr("Delete"), key=f"delete-{card.id}", type="tertiary", help=tr("Asks first")):
            confirm_delete(tr("session"), _LOST, card.name, lambda: _delete(card.id), key=card.id)


def _delete(experiment_id: str) -> None:
    delete_run(handles.store(), handles.settings(), experiment_id)
    if session.current().experiment_id == experiment_id:
        session.choose(None)
