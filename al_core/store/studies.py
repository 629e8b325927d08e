"""Studies in the store: what was asked for; their cells are experiments."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Row, delete, select, update

from al_core.errors import NotFound
from al_core.records import ExperimentRecord, StudyRecord
from al_core.store.engine import Database
from al_core.store.experiments import read_record, records_query, remove
from al_core.store.schema import experiment, study
from al_core.words import tr


def _study(row: Row[Any]) -> StudyRecord:
    return StudyRecord(row.id, row.name, row.config, row.created_at)


def _missing(study_id: str) -> NotFound:
    return NotFound(
        tr("there is no study {study_id!r}: it may have been deleted; choose another", study_id=study_id)
    )


class Studies:
    """The study methods of the store."""

    _db: Database

    def create_study(self, name: str, config: str, *, idempotency_key: str | None = None) -> StudyRecord:
        """A new study; the same idempotency key gives the one that it made before."""
        with self._db.write() as connection:
            new = self._db.insert(study).values(
                id=secrets.token_hex(6), name=name, config=config, idempotency_key=idempotency_key,
                created_at=self._db.now(connection),
            )  # fmt: skip
            made = connection.execute(
                new.on_conflict_do_nothing(index_elements=["idempotency_key"]).returning(study)
            ).one_or_none()
            if made is None:
                same = select(study).where(study.c.idempotency_key == idempotency_key)
                made = connection.execute(same).one()
            return _study(made)

    def change_study(self, study_id: str, config: str, *, was: str) -> bool:
        """Replace its config, if it still is what the caller read; whether it was. Raises NotFound."""
        with self._db.write() as connection:
            same = (study.c.id == study_id) & (study.c.config == was)
            changed = connection.execute(update(study).where(same).values(config=config)).rowcount == 1
        self.study(study_id)
        return changed

    def study(self, study_id: str) -> StudyRecord:
        """Raises NotFound."""
        with self._db.read() as connection:
            row = connection.execute(select(study).where(study.c.id == study_id)).one_or_none()
        if row is None:
            raise _missing(study_id)
        return _study(row)

    def studies(self) -> list[StudyRecord]:
        """Newest first."""
        with self._db.read() as connection:
            return [_study(row) for row in connection.execute(select(study).order_by(study.c.seq.desc()))]

    def delete_study(self, study_id: str) -> None:
        """With its experiments; their artefacts stay (`al_core.removal`). Raises NotFound, StoreError."""
        with self._db.write() as connection:
            ids = list(connection.scalars(select(experiment.c.id).where(experiment.c.study_id == study_id)))
            remove(self._db, connection, ids, idle=True)
            if not connection.execute(delete(study).where(study.c.id == study_id)).rowcount:
                raise _missing(study_id)

    def study_experiments(self, study_id: str) -> list[ExperimentRecord]:
        """The cells that exist, by number."""
        wanted = records_query().where(experiment.c.study_id == study_id).order_by(experiment.c.cell)
        with self._db.read() as connection:
            return [read_record(row) for row in connection.execute(wanted)]
