"""Beneath a chart with published curves: where they are from, and in what their protocols differ."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.results.anchors import Fit
from al_core.words import tr, tr_n
from state.text import plain

_ABOUT = tr(
    "Published learning curves on this data set, thin and dotted, at the same numbers of labels. "
    "What their protocol has in difference to yours is listed beneath the chart."
)


def published_toggle(key: str) -> bool:
    """Whether they are wanted."""
    return st.toggle(tr("Published results"), key=key, help=_ABOUT)


def published_notes(found: Sequence[Fit]) -> None:
    """One line a source, its differences folded away."""
    if not found:
        st.caption(
            tr("No published curve that is known here covers this data set and these numbers of labels.")
        )
        return
    for fit in found:
        count = len(fit.differences)
        words = (
            tr("the same protocol")
            if fit.same
            else tr_n("{n} difference of protocol", "{n} differences of protocol", count)
        )
        with st.expander(f"{plain(fit.anchor.title)}: {words}", key=f"published-{fit.anchor.key}"):
            st.caption(plain(f"{fit.anchor.source} ({tr(fit.anchor.runs)})."))
            st.markdown("\n".join(f"- {plain(difference)}" for difference in fit.differences))
