"""Choosing a folder of one's own: step by step below the data roots, or a typed path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from al_core.data.roots import browse
from al_core.errors import DataError
from al_core.words import tr
from state import handles
from state.text import plain


def folder_picker(chosen: str, choose: Callable[[str], None]) -> None:
    """Ask for a folder; `choose` is called with its absolute path."""
    st.subheader(tr("My own images"), anchor=False)
    with st.container():
        if chosen:
            st.text(tr("Chosen: {chosen}", chosen=chosen))
    roots = handles.settings().data_roots
    st.caption(
        tr(
            "One folder a class (`train/cat/1.jpg`, `test/cat/2.jpg`, or without train and test), or "
            "all images in one folder and you name the classes. Folders are read where they are and "
            "never changed."
        )
    )
    _browser(roots, choose)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        typed = st.text_input(
            tr("Or type its path"),
            key="folder:typed",
            placeholder=str(roots[0] / "photos"),
            persist_state="session",
        )
        if st.button(tr("Use this path"), key="folder:use-typed", disabled=not typed.strip()):
            choose(typed.strip())
            st.rerun()


def _browser(roots: tuple[Path, ...], choose: Callable[[str], None]) -> None:
    index = 0
    if len(roots) > 1:
        index = st.selectbox(
            tr("Below"), range(len(roots)), format_func=lambda i: str(roots[i]), key="folder:root"
        )
    place = st.session_state.setdefault(f"folder:place:{index}", "")
    with st.container():
        try:
            folders = browse(handles.settings(), index, place)
        except DataError as error:
            st.error(plain(error))
            folders = []
    st.text(str(roots[index] / place) if place else str(roots[index]))
    names = {folder.relative: _described(folder.name, folder.num_images, folder.more) for folder in folders}
    picked = st.selectbox(
        tr("Folders in it"),
        list(names),
        index=None,
        format_func=lambda relative: names.get(relative, str(relative)),
        placeholder=tr("Open a folder") if names else tr("There is no folder in it"),
        key=f"folder:pick:{index}:{place}",
        disabled=not names,
    )
    with st.container(horizontal=True, gap="xsmall"):
        if st.button(tr("Up"), key="folder:up", icon=":material/arrow_upward:", disabled=not place):
            st.session_state[f"folder:place:{index}"] = place.rpartition("/")[0]
            st.rerun()
        if st.button(tr("Open"), key="folder:open", disabled=picked is None):
            st.session_state[f"folder:place:{index}"] = picked
            st.rerun()
        if st.button(tr("Use this folder"), key="folder:use", disabled=not (picked or place)):
            choose(str(roots[index] / (picked or place)))
            st.rerun()


def _described(name: str, images: int, more: bool) -> str:
    if not images:
        return name
    count = f"{images:,}+" if more else f"{images:,}"
    return tr("{name} ({count} images)", name=name, count=count)
