"""Who labels: the signed-in person, or a name typed once and kept in this browser."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st
from streamlit.components.v2 import component

from al_core.words import tr
from state import person
from state.text import plain
from state.web.assets import script

_keeper = component("askwell_name_keeper", js=script("name_keeper"))
_FIELD = "person:name"


def person_name() -> None:
    """A button that says in whose name one labels, with the field to change it behind it."""
    st.session_state.setdefault(_FIELD, person.typed())
    who = person.name()
    label = tr("Labeling as {who}", who=plain(who)) if who else tr("Labeling as me")
    with st.popover(label, icon=":material/person:", width="stretch", key="person"):
        if person.signed_in():
            st.caption(tr("You are signed in; what you label is kept under this address."))
        else:
            st.text_input(
                tr("Your name"),
                key=_FIELD,
                max_chars=person.LONGEST,
                placeholder=tr("me"),
                on_change=_called,
                help=tr(
                    "Kept in this browser and beside each of your labels. Where several people label "
                    "one session, each needs a name: then nobody is asked what another is asked."
                ),
            )
        st.toggle(
            tr("Show the others my pace"),
            key=person.PACE_KEY,
            persist_state="session",
            help=tr("Off: only how many images you have answered is seen."),
        )
    _keep("name-keeper")


def name_field(key: str) -> None:
    """The same field by itself, for the Settings page."""
    if person.signed_in():
        st.text_input(
            tr("Your name"), person.name(), disabled=True, help=tr("The address that you signed in with.")
        )
        return
    st.session_state[key] = person.typed()
    st.text_input(
        tr("Your name"),
        key=key,
        max_chars=person.LONGEST,
        placeholder=tr("me"),
        on_change=_called,
        args=(key,),
        help=tr("Kept in this browser and beside each of your labels."),
    )
    _keep(f"{key}-keeper")


def _keep(key: str) -> None:
    """Let the browser remember the name, where it does not yet."""
    if not person.signed_in() and not person.kept():
        _keeper(data={"cookie": person.COOKIE, "value": quote(person.typed(), safe="")}, key=key)


def _called(key: str = _FIELD) -> None:
    person.call(st.session_state[key])
    st.session_state[key] = st.session_state[_FIELD] = person.typed()
