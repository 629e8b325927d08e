"""What a strategy is, when it helps and when it hurts: from its file, folded away until it is asked for."""

from __future__ import annotations

import re

import streamlit as st

from al_core.query.strategies import Strategy
from al_core.words import tr
from state.text import plain

_ARXIV = re.compile(r"arXiv (\d{4})\\\.(\d{4,5})")  # as `plain` writes it


def strategy_about(entry: Strategy) -> None:
    """An expander with the formula, the published evidence for and against, and the paper."""
    with st.expander(tr("About this strategy"), icon=":material/menu_book:", key=f"about-{entry.name}"):
        if entry.formula:
            st.code(entry.formula, language=None, wrap_lines=True)
        for head, text in (
            (tr("Helps"), tr(entry.helps)),
            (tr("Hurts"), tr(entry.hurts)),
            (tr("Deviation"), tr(entry.deviation)),
            (tr("Paper"), entry.paper),
        ):
            if text:
                st.markdown(f"**{head}:** {_linked(text)}")
        if entry.aliases:
            st.caption(tr("Also called {names}", names=plain(", ".join(entry.aliases))))


def _linked(text: str) -> str:
    return _ARXIV.sub(r"[arXiv \1.\2](https://arxiv.org/abs/\1.\2)", plain(text))
