"""Who sits at this browser: the person who is signed in, or the name that they typed, or nobody by name.

A typed name lies in a cookie of this browser and in the tab's session; it proves nothing, it tells people
apart who trust one another. Without one the name is empty and shown as "me".
"""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import unquote

import streamlit as st

from state import handles, session
from state.text import plain

COOKIE: Final = "askwell_name"
LONGEST: Final = 60
PACE_KEY: Final = "person:pace"


def signed_in() -> str:
    """The e-mail address of who is signed in, else ""."""
    return str(st.user.to_dict().get("email") or "")


def name() -> str:
    """In whose name this tab labels; "" for nobody in particular."""
    return signed_in() or typed()


def typed() -> str:
    """The name that was typed, in this tab or earlier in this browser."""
    tab = session.current()
    if tab.person is None:
        tab.person = _cookie()
    return tab.person


def kept() -> bool:
    """Whether the browser's cookie says what the tab does, as far as the tab can know."""
    return _cookie() == typed()


def _cookie() -> str:
    value = st.context.cookies.get(COOKIE)
    return clean(unquote(value)) if isinstance(value, str) else ""  # no browser: no cookie


def call(text: str) -> None:
    """Take a name from now on; the seat under the former one is free at once."""
    before, tab = typed(), session.current()
    tab.person = clean(text)
    if before != tab.person and tab.experiment_id is not None and not signed_in():
        handles.store().leave_seat(tab.experiment_id, before)


def shares_pace() -> bool:
    """Whether the others may see how fast this person answers; off until they say so."""
    return bool(st.session_state.get(PACE_KEY))


def clean(text: str) -> str:
    """A name as it is kept: one line, no control characters, at most 60 letters."""
    visible = "".join(
        c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", text)
    )
    return " ".join(visible.split())[:LONGEST].strip()


def shown(annotator: str) -> str:
    """A name of the log as people read it, safe in markdown."""
    return plain(annotator) if annotator else "me"
