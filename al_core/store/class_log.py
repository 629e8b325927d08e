"""Changes of classes in the label log: rows of no image; their `mark` is "class", their value the class.

They share chain and numbering with labels, so that a round's last label event also fixes its classes.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, exists, func, select

from al_core.class_effects import Effects
from al_core.records import ClassAct, ClassChange, ClassEvent
from al_core.store.schema import experiment, label_current, label_event

CLASS: Final = "class"
NO_IMAGE: Final = -1
_COLUMNS = [label_event.c[name] for name in ("id", "value", "detail", "annotator", "round", "at")]

_ALL: Final = 2**62
_CHANGED = select(experiment.c.id).where(
    exists().where(label_event.c.experiment_id == experiment.c.id, label_event.c.sample_id == NO_IMAGE)
)
_CLASSES = (
    select(*_COLUMNS)
    .where(
        label_event.c.experiment_id == bindparam("experiment"),
        label_event.c.sample_id == NO_IMAGE,  # so that an index leads to them: no other row has it
        label_event.c.mark == CLASS,
        label_event.c.id <= bindparam("until"),
    )
    .order_by(label_event.c.id)
)


def _class_event(row: Row[Any]) -> ClassEvent:
    said = json.loads(row.detail)
    change = ClassChange(row.value, ClassAct(said.pop("act")), **said)
    return ClassEvent(row.id, change, row.annotator, row.round, row.at)


def read_classes(connection: Connection, experiment_id: str, until: int | None = None) -> list[ClassEvent]:
    """Changes of classes with id <= until, in order."""
    of = {"experiment": experiment_id, "until": _ALL if until is None else until}
    return [_class_event(row) for row in connection.execute(_CLASSES, of)]


def withdrawn_classes(connection: Connection, experiment_id: str) -> list[int]:
    """Classes whose labels count no more: retired to be asked again, and those that were merged into such."""
    effects = Effects.of(read_classes(connection, experiment_id))
    known = sorted({*effects.dropped, *effects.into})
    return [i for i in known if effects.canonical(i) in effects.dropped]


def withdrawn_labels(connection: Connection, experiment_id: str | None = None) -> dict[str, int]:
    """How many labels of each experiment count no more, as their class was dropped; only those with some."""
    changed = [experiment_id] if experiment_id is not None else connection.scalars(_CHANGED).all()
    found = {}
    for each in changed:
        gone = withdrawn_classes(connection, each)
        if not gone:
            continue
        labels = label_current.c.value.in_(gone) & (label_current.c.experiment_id == each)
        found[each] = connection.scalar(select(func.count()).select_from(label_current).where(labels)) or 0
    return found
