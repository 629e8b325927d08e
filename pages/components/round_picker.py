"""Which round is looked at: one slider, kept in the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.records import RoundRecord
from state import session


def round_picker(rounds: Sequence[RoundRecord], *, key: str) -> RoundRecord:
    """The chosen round; the latest where none is chosen. `rounds` holds at least one."""
    by_number = {record.number: record for record in rounds}
    chosen = session.current().round
    if len(rounds) == 1:
        return rounds[0]
    st.session_state[key] = chosen if chosen in by_number else rounds[-1].number
    number = st.select_slider(
        "Round",
        list(by_number),
        format_func=lambda n: f"{n} · {by_number[n].num_labeled} labels",
        key=key,
        on_change=_choose,
        args=(key, rounds[-1].number),
    )
    return by_number[number]


def _choose(key: str, last: int) -> None:
    number = st.session_state[key]
    session.look_at_round(None if number == last else number)
