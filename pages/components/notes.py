"""What a component of ours writes for its page: states, each with the moment of its writing (`at`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def heard(key: str, name: str, then: Callable[[Mapping[str, Any]], None]) -> Callable[[], None]:
    """A callback for a component's state `name`: calls `then` with it, once for each time it was written.

    Streamlit calls again where a page that was left leaves its state in the browser, or a run was cut short.
    """

    def callback() -> None:
        note = (st.session_state.get(key) or {}).get(name)
        last = f"{key}:{name}:at"
        if isinstance(note, Mapping) and note.get("at") != st.session_state.get(last):
            st.session_state[last] = note.get("at")
            then(note)

    return callback
