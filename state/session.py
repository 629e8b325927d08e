"""What one browser tab holds: small interface state under a single key. The truth is in the store."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from al_core.errors import ALError, NotFound
from al_core.experiment import Experiment
from al_core.records import ExperimentRecord
from al_core.words import tr
from state import handles, urlstate

KEY = "askwell"


@dataclass
class Session:
    """One tab. `form` is the idempotency key of the set-up form, renewed once it has been used."""

    booted: bool = False
    experiment_id: str | None = None
    round: int | None = None
    rounds_then: int = 0  # how many there were when `round` was chosen
    form: str = field(default_factory=lambda: secrets.token_hex(8))
    notices: list[str] = field(default_factory=list)
    suggested_name: str | None = None  # what the set-up form calls the session until a person does
    told_story: str | None = None  # the experiment whose closing card this tab shows
    closed_stories: set[str] = field(default_factory=set)
    person: str | None = None  # the name that was typed (state/person.py); None: not read yet
    drawn: tuple[str, ...] | None = None  # the state that the page shows, as selectors.signature says it
    runs: int = 0  # runs of the whole page that were begun
    whole: bool = False  # the last of them came to its end

    def renew_form(self) -> None:
        """The next creation is another one."""
        self.form = secrets.token_hex(8)


def current() -> Session:
    """This tab's session, made at first use."""
    return st.session_state.setdefault(KEY, Session())


def boot(params: MutableMapping[str, Any] | None = None) -> Session:
    """Read the address, settle which experiment is looked at, and write the address back.

    pages/main.py calls it at the start of every run. What the address asks for wins over what the tab had;
    what does not exist becomes a notice.
    """
    session = current()
    params = st.query_params if params is None else params
    asked = urlstate.parse(params)
    session.notices.extend(asked.refused)
    record = _find(asked.experiment) if asked.experiment else None
    if asked.experiment and record is None:
        session.notices.append(tr("The session that the address names is not there (any more)."))
    if record is None and session.experiment_id:
        record = _find(session.experiment_id)
    moved = record is None or record.id != session.experiment_id
    session.experiment_id = record.id if record else None
    if asked.round is not None and record is not None:
        fitted = urlstate.clamp(urlstate.UrlState(record.id, asked.round), record.num_rounds)
        session.notices.extend(fitted.refused)
        if fitted.round != session.round:
            session.round, session.rounds_then = fitted.round, record.num_rounds
    elif moved or record is None or asked.refused or record.num_rounds != session.rounds_then:
        session.round = None  # else it goes along to a page whose address names none, until there is a newer
    _write(session, params)
    session.booted = True
    return session


def guard() -> Session:
    """The first line of every page: stops a page that was reached without pages/main.py."""
    session = current()
    if not session.booted:
        st.error(tr("This page was opened past the front door. Start at the home page."))
        st.stop()
    return session


def redraw(*fragments: str) -> None:
    """From a callback: draw these fragments alone.

    All of the page where its last run was cut short, by this very call for one: what it was to show would
    not be drawn until the next run, as one for fragments takes its place.
    """
    if current().whole:
        st.rerun(list(fragments))
    st.rerun()


def choose(experiment_id: str | None) -> None:
    """Look at another experiment from now on."""
    session = current()
    session.experiment_id, session.round = experiment_id, None
    _write(session, st.query_params)


def look_at_round(number: int | None) -> None:
    """Look at a round of the experiment (None: the latest), in the address too."""
    session = current()
    session.round = number
    found = record()
    session.rounds_then = found.num_rounds if found else 0
    _write(session, st.query_params)


def record() -> ExperimentRecord | None:
    """The experiment that is looked at, as the store has it now."""
    chosen = current().experiment_id
    return _find(chosen) if chosen else None


def experiment() -> Experiment:
    """The experiment that is looked at, opened.

    Raises:
        ALError: none is chosen, or it is gone.
    """
    chosen = current().experiment_id
    if chosen is None:
        raise ALError(tr("No session is open: choose one in the side bar, or set one up."))
    return Experiment.open(handles.store(), handles.settings(), chosen)


def opened() -> Experiment | None:
    """The experiment that is looked at, opened, or None: none is chosen, or it is gone."""
    found = record()
    return None if found is None else Experiment(handles.store(), handles.settings(), found)


def _find(experiment_id: str) -> ExperimentRecord | None:
    try:
        return handles.store().experiment(experiment_id)
    except NotFound:
        return None


def _write(session: Session, params: MutableMapping[str, Any]) -> None:
    wanted = urlstate.format(urlstate.UrlState(session.experiment_id, session.round))
    for name in ("exp", "round"):
        if name in wanted:
            if params.get(name) != wanted[name]:
                params[name] = wanted[name]
        elif name in params:
            del params[name]
