"""What is being looked at, as the address bar says it: ?exp=<id>&round=<n>.

The address is typed by people and sent between them, so every part is read with a reason for its refusal and
never trusted. Labels, tokens and private text are never put there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from al_core.words import tr

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class UrlState:
    """A parsed address. `refused` says in words which parts were left out, and why."""

    experiment: str | None = None
    round: int | None = None
    refused: tuple[str, ...] = ()


def parse(params: Mapping[str, str]) -> UrlState:
    """Read the query parameters; anything that cannot be meant is refused, never raised."""
    refused: list[str] = []
    experiment = params.get("exp") or None
    if experiment is not None and not _ID.fullmatch(experiment):
        refused.append(tr("The address names a session in a way that no session is named; it was left out."))
        experiment = None
    number: int | None = None
    text = params.get("round") or None
    if text is not None:
        if _NUMBER.fullmatch(text):
            number = int(text)
        else:
            refused.append(tr("The address asks for a round that is not a number; the latest is shown."))
    return UrlState(experiment, number, tuple(refused))


def format(state: UrlState) -> dict[str, str]:
    """The query parameters of a state: `parse(format(s))` gives the same experiment and round."""
    pairs = {"exp": state.experiment, "round": None if state.round is None else str(state.round)}
    return {name: value for name, value in pairs.items() if value is not None}


def clamp(state: UrlState, num_rounds: int) -> UrlState:
    """The same state with a round that exists; a note is added where it did not."""
    if state.round is None or (num_rounds and state.round < num_rounds):
        return state
    if not num_rounds:
        return replace(state, round=None)
    note = tr(
        "There is no round {round} yet; round {last} is the latest.",
        round=state.round,
        last=num_rounds - 1,
    )
    return replace(state, round=num_rounds - 1, refused=(*state.refused, note))
