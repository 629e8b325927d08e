"""Which round is looked at: one slider, kept in the address and over page changes; and a fork from there."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.records import RoundRecord
from al_core.types import INITIAL_ROUND
from al_core.words import tr, tr_n
from pages.components.fork_dialog import fork_button
from state import session


def round_picker(rounds: Sequence[RoundRecord], *, key: str) -> RoundRecord:
    """The chosen round; the latest where none is chosen. `rounds` holds at least one."""
    by_number = {record.number: record for record in rounds}
    chosen = session.current().round
    number = rounds[-1].number
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key=f"{key}-bar"):
        if len(rounds) > 1:
            st.session_state[key] = chosen if chosen in by_number else number
            number = st.select_slider(
                tr("Round"),
                list(by_number),
                format_func=lambda n: tr_n(
                    "{count} · {n} label", "{count} · {n} labels", by_number[n].num_labeled, count=n
                ),
                key=key,
                on_change=_choose,
                args=(key, number),
            )
        fork_button(session.experiment().id, number, key=key, label=tr("Fork here"))
    return by_number[number]


def query_picker(asked: Sequence[int], labels: dict[int, int], *, key: str) -> int:
    """The round whose query is looked at, INITIAL_ROUND for the initial set. `labels`: those before each.

    The same slider: what it is set to, other pages show. Only the initial set is this page's own; `asked` in
    the address may name either.
    """
    chosen = session.current().round
    by_text = {str(number): number for number in asked}
    chosen = by_text.get(st.query_params.get("asked", ""), chosen)
    number = asked[-1]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key=f"{key}-bar"):
        if len(asked) > 1:
            st.session_state[key] = chosen if chosen in asked else number
            number = st.select_slider(
                tr("Asked after round"),
                list(asked),
                format_func=lambda n: (
                    tr("initial set")
                    if n == INITIAL_ROUND
                    else tr_n("{count} · {n} label", "{count} · {n} labels", labels.get(n, 0), count=n)
                ),
                key=key,
                on_change=_choose_query,
                args=(key, number),
            )
        if number != INITIAL_ROUND:
            fork_button(session.experiment().id, number, key=key, label=tr("Fork here"))
    return number


def _choose(key: str, last: int) -> None:
    number = st.session_state[key]
    session.look_at_round(None if number == last else number)


def _choose_query(key: str, last: int) -> None:
    number = st.session_state[key]
    if number == INITIAL_ROUND:
        st.query_params["asked"] = str(number)
        return
    st.query_params.pop("asked", None)
    session.look_at_round(None if number == last else number)
