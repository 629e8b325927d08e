"""Asking before something is deleted for good: its name has to be typed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from al_core.errors import ALError
from al_core.words import tr
from state.text import sentence


def confirm_delete(what: str, lost: str, name: str, delete: Callable[[], None], *, key: str) -> None:
    """Open the dialog. `what` is "session" or "study", `lost` says what goes with it."""

    @st.dialog(tr("Delete this {what}?", what=what))
    def ask() -> None:
        st.write(lost)
        st.text(tr("To go on, type its name: {name}", name=name))
        typed = st.text_input(tr("Name of the {what}", what=what), key=f"typed-{key}")
        wrong = " ".join(typed.split()) != " ".join(name.split())
        if st.button(tr("Delete for good"), type="primary", disabled=wrong, key=f"gone-{key}"):
            try:
                delete()
            except ALError as error:
                st.error(sentence(error))
                return
            st.rerun()

    ask()
