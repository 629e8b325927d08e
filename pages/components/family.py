"""Which sessions this one hangs together with: the parent that it was forked from, and the forks of both."""

from __future__ import annotations

import streamlit as st

from al_core.experiment import Experiment
from al_core.forking import relatives
from al_core.words import noted, tr
from state import forks, handles
from state.text import plain, strategy_title

_SHOWN = 6
_CAME = {
    (True, True): noted(":material/call_split: Forked from **{name}** after its initial set."),
    (True, False): noted(":material/call_split: Forked from **{name}** after round {round}."),
    (False, True): noted(
        ":material/call_split: Forked from **{name}** (deleted since) after its initial set."
    ),
    (False, False): noted(
        ":material/call_split: Forked from **{name}** (deleted since) after round {round}."
    ),
}
"""By whether the parent is there, and whether it was left after its initial set."""


def family_line(experiment: Experiment) -> None:
    """Say where the session comes from, and offer the way to its relatives; nothing where it has none."""
    found = relatives(handles.store(), experiment.record)
    came = forks.origin_of(experiment.record)
    if came is None and not found:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="family"):
        if came is not None:
            there = any(other.id == came.id for other in found)
            st.markdown(tr(_CAME[there, came.round is None], name=plain(came.name), round=came.round))
        else:
            st.markdown(tr(":material/call_split: Forks of this session:"))
        for other in reversed(found[-_SHOWN:]):
            st.page_link(
                "curves.py", label=f"{other.name[:48]} · {strategy_title(other.config.query.chooser)}",
                query_params={"exp": other.id},
            )  # fmt: skip
