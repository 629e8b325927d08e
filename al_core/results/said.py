"""Whose word an event of the log is, and how it was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from al_core.records import REASK, LabelSource, LogEvent, Mark

UNDONE: Final = "undone"
"""`how` of an answer that takes a verdict back: the question is open again."""
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


def is_reask(event: LogEvent) -> bool:
    """Whether it answers a blind question about one's own earlier label."""
    return event.mark is Mark.OPINION and (event.detail or {}).get("how") == REASK
