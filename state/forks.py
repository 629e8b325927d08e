"""Forks as pages see them: making one, and the family's curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from al_core.config import ExperimentConfig
from al_core.forking import Origin, fork, fork_name, origin, relatives
from al_core.records import ExperimentRecord, RoundRecord
from al_core.results.figures.palette import look
from state import cache, handles, jobs

MOST_LINES = 6
"""Curves of relatives that are drawn: the newest."""


def begin(source: ExperimentRecord, number: int, config: ExperimentConfig, *, key: str) -> ExperimentRecord:
    """Fork and let the worker go on; the same key gives the same fork, so that a double click is one.

    Raises:
        ConfigError: it cannot be. Nothing has been written.
    """
    if config.name == source.config.name:
        config = config.changed(name=fork_name(config, source.name, number))
    made = fork(handles.store(), handles.settings(), source.id, number, config, idempotency_key=key)
    jobs.advance(made.id)
    return made


def origin_of(record: ExperimentRecord) -> Origin | None:
    """Where a session was forked from."""
    return origin(handles.store(), record, list(cache.rounds(record)))


def lines(record: ExperimentRecord) -> list[dict[str, Any]]:
    """The curves of the relatives, each from the round at which it leaves a line that is drawn already."""
    drawn: list[Sequence[RoundRecord]] = [cache.rounds(record)]
    found = []
    for other in relatives(handles.store(), record)[-MOST_LINES:]:
        rounds = cache.rounds(other)
        start = max(0, *(_common(rounds, line) - 1 for line in drawn))
        drawn.append(rounds)
        if len(rounds) - 1 <= start and start:
            continue  # it has trained nothing of its own yet
        style = look(other.config.query.chooser)
        found.append(
            {
                "id": other.id, "name": other.name, "light": style.light, "dark": style.dark,
                "symbol": style.symbol, "dash": style.dash,
                "points": [
                    {"n": r.number, "x": r.num_labeled, "metrics": dict(r.metrics)} for r in rounds[start:]
                ],
            }
        )  # fmt: skip
    return found


def _common(one: Sequence[RoundRecord], other: Sequence[RoundRecord]) -> int:
    """How many rounds, from the first on, are the same: copied with the time when they were made."""
    pairs = zip(one, other, strict=False)
    same = [a.at == b.at and a.num_labeled == b.num_labeled for a, b in pairs]
    return same.index(False) if False in same else len(same)
