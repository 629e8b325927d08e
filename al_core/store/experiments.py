"""Experiments in the store, and the version that grows with all that a page shows of them."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    ScalarSelect,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)

from al_core.config import ExperimentConfig
from al_core.errors import NotFound, StoreError
from al_core.records import ExperimentRecord, ExperimentStatus, JobLease, JobState
from al_core.store.class_log import withdrawn_labels
from al_core.store.engine import Database
from al_core.store.leases import hold
from al_core.store.schema import (
    epoch,
    experiment,
    item_lease,
    job,
    label_client,
    label_current,
    label_event,
    query,
    query_item,
    round_,
    seat,
)
from al_core.words import tr

# What belongs to an experiment, what refers to others first.
BELONGINGS = (
    item_lease, seat, label_current, label_client, label_event, epoch, query_item, query, round_, job,
)  # fmt: skip

config_of = functools.lru_cache(maxsize=256)(ExperimentConfig.from_json)


TOUCH = update(experiment).where(experiment.c.id == bindparam("key")).values(version=experiment.c.version + 1)


def missing(experiment_id: str) -> NotFound:
    """The error for an experiment that is not there."""
    return NotFound(
        tr(
            "there is no experiment {experiment_id!r}: it may have been deleted; choose another",
            experiment_id=experiment_id,
        )
    )


def touch(connection: Connection, experiment_id: str, now: float, **values: Any) -> None:
    """Set values and let the version grow.

    Raises:
        NotFound: no such experiment.
    """
    if not connection.execute(TOUCH, {"key": experiment_id, "updated_at": now} | values).rowcount:
        raise missing(experiment_id)


def _count(table: Any, *conditions: Any) -> ScalarSelect[int]:
    matching = (
        select(func.count()).select_from(table).where(table.c.experiment_id == experiment.c.id, *conditions)
    )
    return matching.correlate(experiment).scalar_subquery()


def records_query() -> Any:
    """Experiments with their counts of rounds and labels."""
    # A literal, so that the index on (experiment_id, value) is walked and not the table.
    given = literal_column("label_current.value >= 0")
    return select(
        experiment,
        _count(round_).label("num_rounds"),
        _count(label_current, given).label("num_labeled"),
    )


def read_record(row: Row[Any]) -> ExperimentRecord:
    """A row of `records_query`."""
    return ExperimentRecord(
        id=row.id,
        name=row.name,
        config=config_of(row.config),
        status=ExperimentStatus(row.status),
        dataset_key=row.dataset_key,
        fingerprint=row.fingerprint,
        split_hash=row.split_hash,
        stop_reason=row.stop_reason,
        parent_id=row.parent_id,
        study_id=row.study_id,
        cell=row.cell,
        ghost=row.ghost,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        num_rounds=row.num_rounds,
        num_labeled=row.num_labeled,
    )


def _counted(records: list[ExperimentRecord], withdrawn: Mapping[str, int]) -> list[ExperimentRecord]:
    """The records, without labels in their counts whose class was dropped."""
    if not withdrawn:
        return records
    return [replace(r, num_labeled=r.num_labeled - withdrawn.get(r.id, 0)) for r in records]


class Experiments:
    """The experiment methods of the store."""

    _db: Database

    def create_experiment(
        self,
        config: ExperimentConfig,
        *,
        parent_id: str | None = None,
        ghost: bool = False,
        study_id: str | None = None,
        cell: int | None = None,
        idempotency_key: str | None = None,
    ) -> ExperimentRecord:
        """A new experiment; the same idempotency key gives the one that it made before."""
        with self._db.write() as connection:
            if parent_id is not None and not _exists(connection, parent_id):
                raise missing(parent_id)
            made, _ = new_experiment(
                self._db, connection, config, idempotency_key=idempotency_key, parent_id=parent_id,
                study_id=study_id, cell=cell, ghost=ghost, status=ExperimentStatus.NEW.value,
            )  # fmt: skip
            return read_record(connection.execute(records_query().where(experiment.c.id == made)).one())

    def experiment(self, experiment_id: str) -> ExperimentRecord:
        """Raises NotFound."""
        with self._db.read() as connection:
            row = connection.execute(records_query().where(experiment.c.id == experiment_id)).one_or_none()
            if row is None:
                raise missing(experiment_id)
            return _counted([read_record(row)], withdrawn_labels(connection, experiment_id))[0]

    def experiments(
        self, *, ghosts: bool = False, cells: bool = False, of: str | None = None
    ) -> list[ExperimentRecord]:
        """Newest first; `of`: only what was made of that experiment, or of a cell of that study."""
        wanted = records_query().order_by(experiment.c.seq.desc())
        if of is not None:
            parent, its_cells = (
                experiment.c.parent_id,
                select(experiment.c.id).where(experiment.c.study_id == of),
            )
            wanted = wanted.where(or_(parent == of, parent.in_(its_cells)))
        if not cells:
            wanted = wanted.where(experiment.c.study_id.is_(None))
        if not ghosts:
            wanted = wanted.where(experiment.c.ghost.is_(False))
        with self._db.read() as connection:
            records = [read_record(row) for row in connection.execute(wanted)]
            return _counted(records, withdrawn_labels(connection))

    def ghost_of(self, experiment_id: str) -> ExperimentRecord | None:
        """The random baseline that follows this experiment."""
        wanted = records_query().where(experiment.c.parent_id == experiment_id, experiment.c.ghost.is_(True))
        with self._db.read() as connection:
            row = connection.execute(wanted.order_by(experiment.c.seq.desc()).limit(1)).one_or_none()
        return None if row is None else read_record(row)

    def update_experiment(
        self,
        experiment_id: str,
        *,
        lease: JobLease | None = None,
        status: ExperimentStatus | None = None,
        dataset_key: str | None = None,
        fingerprint: str | None = None,
        split_hash: str | None = None,
        stop_reason: str | None = None,
        config: ExperimentConfig | None = None,
        name: str | None = None,
    ) -> None:
        """Set what is given (None leaves as it is; stop_reason "" clears it)."""
        given = {
            "status": None if status is None else status.value,
            "dataset_key": dataset_key,
            "fingerprint": fingerprint,
            "split_hash": split_hash,
            "stop_reason": stop_reason,
            "config": None if config is None else config.to_json(),
            "name": name,
        }
        values: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        if stop_reason == "":
            values["stop_reason"] = None
        with self._db.write() as connection:
            if lease is not None:
                hold(self._db, connection, lease)
            touch(connection, experiment_id, self._db.now(connection), **values)

    def delete_experiment(self, experiment_id: str) -> None:
        """With everything that belongs to it, its ghost too; its artefacts stay (`al_core.removal`)."""
        with self._db.write() as connection:
            if not _exists(connection, experiment_id):
                raise missing(experiment_id)
            its_ghost = (experiment.c.parent_id == experiment_id) & experiment.c.ghost.is_(True)
            ids = list(
                connection.scalars(
                    select(experiment.c.id).where(or_(experiment.c.id == experiment_id, its_ghost))
                )
            )
            remove(self._db, connection, ids)

    def version(self, experiment_id: str) -> int:
        """Raises NotFound."""
        with self._db.read() as connection:
            found = connection.scalar(select(experiment.c.version).where(experiment.c.id == experiment_id))
        if found is None:
            raise missing(experiment_id)
        return found


def new_experiment(
    db: Database,
    connection: Connection,
    config: ExperimentConfig,
    *,
    idempotency_key: str | None,
    **values: Any,
) -> tuple[str, bool]:
    """Insert an experiment with these columns; its id, and whether it is new: a used key gives the old."""
    now = db.now(connection)
    new = db.insert(experiment).values(
        id=secrets.token_hex(6),
        name=config.name,
        config=config.to_json(),
        idempotency_key=idempotency_key,
        created_at=now,
        updated_at=now,
        version=1,
        label_rev=0,
        label_head="",
        deleting=False,
        **values,
    )
    made = connection.execute(
        new.on_conflict_do_nothing(index_elements=["idempotency_key"]).returning(experiment.c.id)
    ).scalar()
    if made is not None:
        return made, True
    same = experiment.c.idempotency_key == idempotency_key
    return connection.execute(select(experiment.c.id).where(same)).scalar_one(), False


def remove(db: Database, connection: Connection, ids: Sequence[str], *, idle: bool = False) -> None:
    """Delete experiments with all that belongs to them; `idle` refuses where a job of one still goes on.

    Raises:
        StoreError: one runs, or changed meanwhile.
    """
    # Jobs before experiments, the order in which workers lock them: no deadlock.
    states = connection.scalars(db.locked(select(job.c.state).where(job.c.experiment_id.in_(ids)))).all()
    busy = sum(JobState(state).active for state in states)
    if idle and busy:
        raise StoreError(tr("{busy} of its runs still run or wait; stop it first, then delete it", busy=busy))
    gone = experiment.c.id.in_(ids)
    connection.execute(update(experiment).where(gone).values(deleting=True))
    for table in BELONGINGS:
        connection.execute(delete(table).where(table.c.experiment_id.in_(ids)))
    connection.execute(update(experiment).where(experiment.c.parent_id.in_(ids)).values(parent_id=None))
    if connection.execute(delete(experiment).where(gone)).rowcount != len(ids):
        raise StoreError(tr("an experiment changed while it was deleted; try again"))


def _exists(connection: Connection, experiment_id: str) -> bool:
    return connection.scalar(select(experiment.c.seq).where(experiment.c.id == experiment_id)) is not None
