"""What a strategy is, when it helps and when it hurts: from its file, folded away until it is asked for."""

from __future__ import annotations

import itertools
import re

import streamlit as st

from al_core.query.strategies import Strategy
from state.text import plain

_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")


def strategy_about(entry: Strategy) -> None:
    """An expander with the formula, the published evidence for and against, and the paper."""
    with st.expander("About this strategy", icon=":material/menu_book:", key=f"about-{entry.name}"):
        if entry.formula:
            st.code(entry.formula, language=None, wrap_lines=True)
        for head, text in (
            ("Helps", entry.helps),
            ("Hurts", entry.hurts),
            ("Deviation", entry.deviation),
            ("Paper", entry.paper),
        ):
            if text:
                st.markdown(f"**{head}:** {_linked(text)}")
        if entry.aliases:
            st.caption(f"Also called {plain(', '.join(entry.aliases))}")


def _linked(text: str) -> str:
    words, links = _ARXIV.split(text)[::2], _ARXIV.findall(text)
    pieces = [f"[arXiv {link}](https://arxiv.org/abs/{link})" for link in links]
    return "".join(plain(word) + piece for word, piece in itertools.zip_longest(words, pieces, fillvalue=""))
