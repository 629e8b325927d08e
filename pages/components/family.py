"""Which sessions this one hangs together with: the parent that it was forked from, and the forks of both."""

from __future__ import annotations

import streamlit as st

from al_core.experiment import Experiment
from al_core.forking import relatives
from al_core.words import tr
from state import forks, handles
from state.text import plain, strategy_title

_SHOWN = 6


def family_line(experiment: Experiment) -> None:
    """Say where the session comes from, and offer the way to its relatives; nothing where it has none."""
    found = relatives(handles.store(), experiment.record)
    came = forks.origin_of(experiment.record)
    if came is None and not found:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="family"):
        if came is not None:
            at = (
                tr("after its initial set")
                if came.round is None
                else tr("after round {round}", round=came.round)
            )
            there = any(other.id == came.id for other in found)
            gone = "" if there else " " + tr("(deleted since)")
            st.markdown(
                tr(
                    ":material/call_split: Forked from **{name}**{gone} {at}.",
                    name=plain(came.name),
                    gone=gone,
                    at=at,
                )
            )
        else:
            st.markdown(tr(":material/call_split: Forks of this session:"))
        for other in reversed(found[-_SHOWN:]):
            st.page_link(
                "curves.py", label=f"{other.name[:48]} · {strategy_title(other.config.query.chooser)}",
                query_params={"exp": other.id},
            )  # fmt: skip
