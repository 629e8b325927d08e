"""Whose word an event of the log is, and how it was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from al_core.records import REASK, LabelEvent, LabelSource, LogEvent, Mark

Event = TypeVar("Event", LabelEvent, LogEvent)

UNDONE: Final = "undone"
"""`how` of an answer that takes a verdict back: the question is open again."""
UNDOES: Final = "undoes"
"""In the detail of an event that takes another one back: that one's client and number, and by whom."""
_SAID: Final = (LabelSource.HUMAN.value, LabelSource.CORRECTION.value)


def author(event: LogEvent) -> str:
    """Who said it; "" for nobody by name, as older logs call them by their source."""
    return "" if event.annotator == event.source.value else event.annotator


def as_said(event: LogEvent) -> LogEvent:
    """An imported word as it was said where it comes from; every other event as it is.

    An export of this program says who gave an answer and how; an import keeps both beside its own name.
    """
    origin = (event.detail or {}).get("import") if event.source is LabelSource.IMPORT else None
    if not isinstance(origin, Mapping) or origin.get("source") not in _SAID:
        return event
    return replace(event, source=LabelSource(origin["source"]), annotator=str(origin.get("by", "")))


def undoing(event: LabelEvent | LogEvent, by: str) -> dict[str, Any]:
    """The detail of what takes an event back. Client and number name it, as ids are others in a fork."""
    return {UNDOES: {"client": event.client, "n": event.n, "by": by}}


def without_undone(log: Iterable[Event]) -> list[Event]:
    """The events but those that were taken back, and those that did so: as though neither had been said."""
    events = list(log)
    undone = {(said["client"], said["n"]) for event in events if (said := (event.detail or {}).get(UNDOES))}
    if not undone:
        return events
    return [
        event for event in events
        if UNDOES not in (event.detail or {}) and (event.client, event.n) not in undone
    ]  # fmt: skip


def is_reask(event: LogEvent) -> bool:
    """Whether it answers a blind question about one's own earlier label."""
    return event.mark is Mark.OPINION and (event.detail or {}).get("how") == REASK
