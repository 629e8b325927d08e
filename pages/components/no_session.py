"""What a page says while no session is open."""

from __future__ import annotations

from al_core.words import tr
from pages.components.empty_state import HOME, SET_UP, empty_state


def no_session(promise: str) -> None:
    """Say what would be here, and how to get it."""
    empty_state(tr("No session is open."), promise, HOME, SET_UP, key="no-session")
