"""The label log: append-only, chained, and the winning label of each sample beside it."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from al_core.errors import StoreError
from al_core.records import JobLease, LabelAck, LabelEvent, LabelOp, LabelSource
from al_core.store.columns import to_json
from al_core.store.engine import Database
from al_core.store.experiments import missing, touch
from al_core.store.leases import hold
from al_core.store.schema import experiment, label_client, label_current, label_event
from al_core.types import EXCLUDE, SKIP, UNLABEL

SOURCES = {source.value: source for source in LabelSource}
CHAINED = (
    "id", "experiment_id", "sample_id", "value", "source", "annotator",
    "round", "client", "n", "at", "milliseconds",
)  # fmt: skip
LOG_END = select(experiment.c.label_rev, experiment.c.label_head).where(
    experiment.c.id == bindparam("experiment")
)
LAST_NUMBER = select(label_client.c.last_n).where(
    label_client.c.experiment_id == bindparam("experiment"), label_client.c.client == bindparam("client")
)
EVENT = [label_event.c[name] for name in CHAINED]


def link(previous: str, row: Sequence[Any]) -> str:
    """Hash of an event and, through `previous`, of all events before it (row in CHAINED's order)."""
    return hashlib.sha256(f"{previous}{to_json(list(row))}".encode()).hexdigest()


def _integer(op: LabelOp, name: str, low: int, high: int) -> int:
    value = getattr(op, name)
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number < high:
        raise StoreError(f"label {op.n!r}: {name} {value!r} is refused; it is a whole number from {low} on")
    return number


def _checked(ops: Sequence[LabelOp]) -> list[LabelOp]:
    """The answers as plain integers.

    Raises:
        StoreError: a number is out of range, or the answers are not in the order of their numbers.
    """
    checked, last = [], 0
    for op in ops:
        n = _integer(op, "n", 1, 2**53)
        if n <= last:
            raise StoreError(
                f"label {n} comes after label {last}; answers are sent in the order of their numbers"
            )
        value = _integer(op, "value", UNLABEL, 2**31)
        if value < 0 and value not in (SKIP, EXCLUDE, UNLABEL):
            raise StoreError(f"label {n}: value {value} is neither a class nor skip, exclude or unlabel")
        spent = None if op.milliseconds is None else _integer(op, "milliseconds", 0, 2**53)
        checked.append(LabelOp(n, _integer(op, "sample_id", 0, 2**63), value, spent))
        last = n
    return checked


def _event(row: Row[Any]) -> LabelEvent:
    event_id, experiment_id, sample_id, value, source, *rest = tuple(row)
    return LabelEvent(event_id, experiment_id, sample_id, value, SOURCES[source], *rest)


class Labels:
    """The label methods of the store."""

    _db: Database

    def add_labels(
        self,
        experiment_id: str,
        ops: Sequence[LabelOp],
        *,
        client: str,
        source: LabelSource,
        round: int,
        annotator: str = "",
        lease: JobLease | None = None,
    ) -> LabelAck:
        """Commit answers in the order of their numbers; those at or below the client's last are ignored.

        Raises:
            StoreError: an answer is malformed (class ids are the caller's to check), or the write failed.
        """
        checked = _checked(ops)
        if not 0 < len(client) <= 200 or len(annotator) > 200:
            raise StoreError(f"client {client[:40]!r}: a name of 1 to 200 letters is needed")
        with self._db.write() as connection:
            if lease is not None:
                hold(self._db, connection, lease)
            rev, head = self._log_end(connection, experiment_id)
            last = self._last_number(connection, experiment_id, client)
            fresh = [op for op in checked if op.n > last]
            if not fresh:
                return LabelAck(last, rev)
            now = self._db.now(connection)
            rows = []
            for number, op in zip(self._event_ids(connection, len(fresh)), fresh, strict=True):
                row = (
                    number, experiment_id, op.sample_id, op.value, LabelSource(source).value, annotator,
                    int(round), client, op.n, now, op.milliseconds,
                )  # fmt: skip
                head = link(head, row)
                rows.append(dict(zip(CHAINED, row, strict=True)) | {"chain": head})
            connection.execute(insert(label_event), rows)
            self._set_current(connection, rows)
            self._set_last_number(connection, experiment_id, client, fresh[-1].n)
            rev = rows[-1]["id"]
            touch(connection, experiment_id, now, label_rev=rev, label_head=head)
            return LabelAck(fresh[-1].n, rev)

    def _log_end(self, connection: Connection, experiment_id: str) -> tuple[int, str]:
        columns = select(experiment.c.label_rev, experiment.c.label_head)
        end = connection.execute(
            self._db.locked(columns.where(experiment.c.id == experiment_id))
        ).one_or_none()
        if end is None:
            raise missing(experiment_id)
        return end.label_rev, end.label_head

    @staticmethod
    def _last_number(connection: Connection, experiment_id: str, client: str) -> int:
        return connection.scalar(LAST_NUMBER, {"experiment": experiment_id, "client": client}) or 0

    def _event_ids(self, connection: Connection, count: int) -> Iterable[int]:
        """The ids that come next: known before the insert, as the chain covers them."""
        if self._db.is_sqlite:
            used = "SELECT seq FROM sqlite_sequence WHERE name = 'label_event'"
            first = (connection.exec_driver_sql(used).scalar() or 0) + 1
            return range(first, first + count)
        following = func.nextval(func.pg_get_serial_sequence("label_event", "id"))
        return connection.scalars(select(following).select_from(func.generate_series(1, count))).all()

    def _set_current(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        winners = {
            row["sample_id"]: {
                "experiment_id": row["experiment_id"],
                "sample_id": row["sample_id"],
                "value": row["value"],
                "event_id": row["id"],
            }
            for row in rows
        }
        connection.execute(self._db.upsert(label_current), list(winners.values()))

    def _set_last_number(self, connection: Connection, experiment_id: str, client: str, n: int) -> None:
        row = {"experiment_id": experiment_id, "client": client, "last_n": n}
        connection.execute(self._db.upsert(label_client), row)

    def label_events(
        self, experiment_id: str, *, after: int = 0, until: int | None = None
    ) -> list[LabelEvent]:
        """Events with after < id <= until, in order."""
        wanted = select(*EVENT).where(label_event.c.experiment_id == experiment_id, label_event.c.id > after)
        if until is not None:
            wanted = wanted.where(label_event.c.id <= until)
        with self._db.read() as connection:
            return [_event(row) for row in connection.execute(wanted.order_by(label_event.c.id))]

    def current_labels(self, experiment_id: str) -> dict[int, LabelEvent]:
        """The winning event of each sample that has one (UNLABEL included)."""
        wanted = (
            select(*EVENT)
            .join(label_current, label_current.c.event_id == label_event.c.id)
            .where(label_current.c.experiment_id == experiment_id)
            .order_by(label_current.c.sample_id)
        )
        with self._db.read() as connection:
            events = [_event(row) for row in connection.execute(wanted)]
        return {event.sample_id: event for event in events}

    def label_rev(self, experiment_id: str) -> int:
        """Id of the last label event, 0 before the first. Raises NotFound."""
        with self._db.read() as connection:
            rev = connection.scalar(select(experiment.c.label_rev).where(experiment.c.id == experiment_id))
        if rev is None:
            raise missing(experiment_id)
        return rev
