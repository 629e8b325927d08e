"""What a person chose on the Settings page, as far as Python needs to know: the rest stays in the browser."""

from __future__ import annotations

from typing import Final

import streamlit as st

BLIND: Final = "label:blind"
"""The session_state key of the switch that hides the model's guesses."""
_COOKIE: Final = "askwell_blind"  # written by assets/settings.js


def blind() -> bool:
    """Whether guesses are hidden: as the switch stands in this tab, at first as the browser remembers."""
    if BLIND not in st.session_state:
        st.session_state[BLIND] = st.context.cookies.get(_COOKIE) == "1"
    return bool(st.session_state[BLIND])


def set_blind(*, on: bool) -> None:
    """Turn the switch of this tab; the browser has written the cookie itself."""
    st.session_state[BLIND] = on
