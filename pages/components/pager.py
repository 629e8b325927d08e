"""Pages of pictures: which one is shown, and the numbers to turn them by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Pager:
    """Page `number` of `pages`, from 1 on; `part` is its place in what is paged."""

    key: str
    number: int
    pages: int
    part: slice

    def draw(self) -> None:
        """The numbers, where there is more than one page."""
        if self.pages < 2:
            return
        # Streamlit warns of a value that is written beside a default, so none is written: the widget's
        # own value counts, and one beyond the last page gives way to its default.
        stale = st.session_state.get(self.key, 1) != self.number
        default = self.number if stale else 1
        st.pagination(self.pages, default=default, key=self.key, persist_state="page")


def pager(key: str, count: int, size: int, *, of: object = ()) -> Pager:
    """The page of `count` things that is shown, `size` on each.

    `of` says what is paged, by its repr: other content begins on its first page by itself.
    """
    own = f"{key}-{hashlib.sha256(repr(of).encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
    pages = max(1, -(-count // size))
    number = min(max(1, int(st.session_state.get(own, 1))), pages)
    return Pager(own, number, pages, slice((number - 1) * size, number * size))
