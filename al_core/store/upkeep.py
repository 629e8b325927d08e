"""Does the store still say what was written into it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from al_core.store.engine import Database
from al_core.store.experiments import missing
from al_core.store.labels import LOG, link
from al_core.store.schema import experiment, label_client, label_current, label_event


class Upkeep:
    """The upkeep methods of the store."""

    _db: Database

    def check(self) -> list[str]:
        """Damage found, in words; empty when label log, chain of hashes and current labels agree."""
        with self._db.read() as connection:
            found = _file_damage(connection) if self._db.is_sqlite else []
            logs = connection.execute(select(experiment).order_by(experiment.c.seq)).all()
            for row in logs:
                found += _log_damage(connection, row)
        return found

    def check_log(self, experiment_id: str) -> list[str]:
        """The same of one experiment's label log alone. Raises NotFound."""
        with self._db.read() as connection:
            row = connection.execute(select(experiment).where(experiment.c.id == experiment_id)).one_or_none()
            if row is None:
                raise missing(experiment_id)
            return list(_log_damage(connection, row))

    def close(self) -> None:
        """Let go of the database; another call opens it again."""
        self._db.close()


def _file_damage(connection: Connection) -> list[str]:
    pages = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [f"the database file is damaged: {text}" for text in pages if text != "ok"] + [
        f"a row of {table} refers to a missing {parent}" for table, _, parent, _ in broken
    ]


def _log_damage(connection: Connection, log: Row[Any]) -> Iterator[str]:
    """Walk the log once, recomputing the chain and all that follows from the log."""
    place, head, rev = f"experiment {log.id}", "", 0
    current: dict[int, tuple[int, int]] = {}
    numbers: dict[str, int] = {}
    events = select(*LOG, label_event.c.chain).where(label_event.c.experiment_id == log.id)
    for *event, chain in connection.execute(events.order_by(label_event.c.id)):
        rev, _, sample_id, value, _, _, _, client, n, _, _, mark, _ = event
        expected = link(head, event)
        if chain != expected:
            yield f"{place}: label event {rev} does not fit the one before: one was changed, added or removed"
        if n <= numbers.get(client, 0):
            yield f"{place}: label event {rev} repeats number {n} of client {client}"
        head = chain
        if mark is None:
            current[sample_id] = (value, rev)
        numbers[client] = n
    if (rev, head) != (log.label_rev, log.label_head):
        yield f"{place}: the label log ends at event {rev}, but {log.label_rev} was committed last"
    yield from _differences(connection, log.id, current, numbers)


def _differences(
    connection: Connection, experiment_id: str, current: dict[int, tuple[int, int]], numbers: dict[str, int]
) -> Iterator[str]:
    kept = select(label_current).where(label_current.c.experiment_id == experiment_id)
    shown = {row.sample_id: (row.value, row.event_id) for row in connection.execute(kept)}
    for sample_id in sorted(shown.keys() | current.keys()):
        if shown.get(sample_id) != current.get(sample_id):
            yield f"experiment {experiment_id}: the current label of image {sample_id} is not the log's"
    clients = select(label_client).where(label_client.c.experiment_id == experiment_id)
    last = {row.client: row.last_n for row in connection.execute(clients)}
    for client in sorted(last.keys() | numbers.keys()):
        if last.get(client, 0) != numbers.get(client, 0):
            yield f"experiment {experiment_id}: the last number of client {client} is not the log's"
