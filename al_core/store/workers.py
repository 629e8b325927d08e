"""Worker processes that are alive, or were."""

from __future__ import annotations

from sqlalchemy import delete, select

from al_core.records import WorkerRecord
from al_core.store.engine import Database
from al_core.store.schema import worker as table

FIELDS = tuple(WorkerRecord.__dataclass_fields__)


class Workers:
    """The worker methods of the store."""

    _db: Database

    def put_worker(self, worker: WorkerRecord) -> None:
        """Insert or replace."""
        values = {name: getattr(worker, name) for name in FIELDS}
        with self._db.write() as connection:
            connection.execute(self._db.upsert(table), values)

    def workers(self) -> list[WorkerRecord]:
        """By id."""
        with self._db.read() as connection:
            rows = connection.execute(select(*(table.c[name] for name in FIELDS)).order_by(table.c.id))
            return [WorkerRecord(*row) for row in rows]

    def remove_worker(self, worker_id: str) -> None:
        """Forget it; one that is not there is no error."""
        with self._db.write() as connection:
            connection.execute(delete(table).where(table.c.id == worker_id))
