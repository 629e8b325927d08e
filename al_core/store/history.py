"""Reading the label log as it stands: who said what of which image, when and how."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select

from al_core.class_effects import Effects
from al_core.records import LabelEvent, LogEvent, Mark
from al_core.store.class_log import CLASS, read_classes
from al_core.store.engine import Database
from al_core.store.labels import EVENT, SOURCES, label_of
from al_core.store.schema import label_event

FIELDS = tuple(LogEvent.__dataclass_fields__)


class History:
    """The methods of the store that read the log."""

    _db: Database

    def opinions(self, experiment_id: str) -> list[LabelEvent]:
        """Further answers beside the labels, in order, as their classes count; UNLABEL takes one back."""
        wanted = select(*EVENT).where(
            label_event.c.experiment_id == experiment_id,
            # said twice, so that the index of the marks is walked and not the log
            label_event.c.mark.is_not(None),
            label_event.c.mark == Mark.OPINION.value,
        )
        with self._db.read() as connection:
            events = [label_of(row) for row in connection.execute(wanted.order_by(label_event.c.id))]
            effects = Effects.of(read_classes(connection, experiment_id))
        return [replace(event, value=effects.value(event.value)) for event in events] if effects else events

    def log(
        self,
        experiment_id: str,
        *,
        sample_id: int | None = None,
        annotator: str | None = None,
        kind: str | None = None,
        round: int | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[LogEvent]:
        """Events that fit, newest first; `kind` is "answer" or a mark's name. Class changes are no part."""
        columns = [label_event.c[name] for name in FIELDS]
        of_image = label_event.c.mark.is_(None) | (label_event.c.mark != CLASS)
        wanted = select(*columns).where(label_event.c.experiment_id == experiment_id, of_image)
        if sample_id is not None:
            wanted = wanted.where(label_event.c.sample_id == sample_id)
        if annotator is not None:
            wanted = wanted.where(label_event.c.annotator == annotator)
        if kind is not None:
            wanted = wanted.where(
                label_event.c.mark.is_(None) if kind == "answer" else label_event.c.mark == kind
            )
        if round is not None:
            wanted = wanted.where(label_event.c.round == round)
        if before is not None:
            wanted = wanted.where(label_event.c.id < before)
        with self._db.read() as connection:
            rows = connection.execute(wanted.order_by(label_event.c.id.desc()).limit(limit))
            return [_entry(row) for row in rows]

    def annotators(self, experiment_id: str) -> list[str]:
        """Every name in the log, by name."""
        wanted = select(label_event.c.annotator).where(label_event.c.experiment_id == experiment_id)
        with self._db.read() as connection:
            return sorted(connection.scalars(wanted.distinct()))


def _entry(row: Row[Any]) -> LogEvent:
    values = dict(zip(FIELDS, tuple(row), strict=True))
    values["source"] = SOURCES[row.source]
    values["mark"] = None if row.mark is None else Mark(row.mark)
    values["detail"] = None if row.detail is None else json.loads(row.detail)
    return LogEvent(**values)
