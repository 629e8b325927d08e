"""Epochs, rounds and queries in the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from al_core.errors import StoreError
from al_core.records import (
    EpochRecord,
    ExperimentStatus,
    JobLease,
    Query,
    QueryItem,
    RoundRecord,
)
from al_core.store.engine import Database
from al_core.store.experiments import touch
from al_core.store.leases import hold
from al_core.store.schema import epoch, job, query, query_item, round_

EPOCH = [epoch.c[name] for name in EpochRecord.__dataclass_fields__]
EPOCH_KEY = ("experiment_id", "round", "epoch")


def _round(row: Row[Any]) -> RoundRecord:
    values = dict(row._mapping)
    confusion = values.pop("confusion")
    return RoundRecord(
        **values | {"class_counts": tuple(values["class_counts"])},
        confusion=None if confusion is None else tuple(tuple(line) for line in confusion),
    )


def _query(row: Row[Any], items: Sequence[QueryItem]) -> Query:
    return Query(
        row.experiment_id, row.round, row.strategy, tuple(items), row.num_candidates, row.hash, row.at
    )


def _item(row: Row[Any]) -> QueryItem:
    guesses = tuple((class_id, probability) for class_id, probability in row.guesses)
    return QueryItem(row.rank, row.sample_id, row.score, guesses)


def _put_query(connection: Connection, asked: Query) -> None:
    """Insert a query; the same one again changes nothing.

    Raises:
        StoreError: the round asked for something else already.
    """
    key = (query.c.experiment_id == asked.experiment_id) & (query.c.round == asked.round)
    known = connection.scalar(select(query.c.hash).where(key))
    if known == asked.hash:
        return
    if known is not None:
        raise StoreError(
            f"round {asked.round} of {asked.experiment_id} has asked its query already; it stays"
        )
    connection.execute(
        insert(query),
        {
            "experiment_id": asked.experiment_id,
            "round": asked.round,
            "strategy": asked.strategy,
            "num_candidates": int(asked.num_candidates),
            "hash": asked.hash,
            "at": asked.at,
        },
    )
    rows = [
        {
            "experiment_id": asked.experiment_id,
            "round": asked.round,
            "rank": int(item.rank),
            "sample_id": int(item.sample_id),
            "score": item.score,
            "guesses": item.guesses,
        }
        for item in asked.items
    ]
    if rows:
        connection.execute(insert(query_item), rows)


class Rounds:
    """The epoch, round and query methods of the store."""

    _db: Database

    def put_epoch(self, lease: JobLease, experiment_id: str, epoch: EpochRecord) -> None:
        """Insert or replace the record of (round, epoch)."""
        table = EPOCH[0].table
        values = {column.name: getattr(epoch, column.name) for column in EPOCH}
        new = self._db.insert(table).values(experiment_id=experiment_id, **values)
        rest = {name: value for name, value in values.items() if name not in EPOCH_KEY}
        change = new.on_conflict_do_update(index_elements=EPOCH_KEY, set_=rest)
        with self._db.write() as connection:
            hold(self._db, connection, lease)
            touch(connection, experiment_id, self._db.now(connection))
            connection.execute(change)

    def epochs(self, experiment_id: str, *, round: int | None = None) -> list[EpochRecord]:
        """By round, then epoch."""
        wanted = select(*EPOCH).where(epoch.c.experiment_id == experiment_id)
        if round is not None:
            wanted = wanted.where(epoch.c.round == round)
        with self._db.read() as connection:
            rows = connection.execute(wanted.order_by(epoch.c.round, epoch.c.epoch)).all()
        return [EpochRecord(*row) for row in rows]

    def finish_round(
        self,
        lease: JobLease,
        record: RoundRecord,
        query: Query | None,
        *,
        status: ExperimentStatus,
        stop_reason: str | None = None,
    ) -> None:
        """Round, its query and the experiment's new status, in one transaction.

        Raises:
            StoreError: the round is there already, or the query belongs to another one.
        """
        if query is not None and (query.experiment_id, query.round) != (record.experiment_id, record.number):
            raise StoreError(f"round {record.number} of {record.experiment_id} cannot ask for {query.batch}")
        values = {name: getattr(record, name) for name in RoundRecord.__dataclass_fields__}
        with self._db.write() as connection:
            hold(self._db, connection, lease)
            now = self._db.now(connection)
            reason = stop_reason or None
            touch(connection, record.experiment_id, now, status=status.value, stop_reason=reason)
            same = (round_.c.experiment_id == record.experiment_id) & (round_.c.number == record.number)
            if connection.scalar(select(round_.c.number).where(same)) is not None:
                raise StoreError(f"round {record.number} of {record.experiment_id} has been recorded already")
            connection.execute(insert(round_), values)
            if query is not None:
                _put_query(connection, query)
            # Work came of this job: silent attempts before it no longer count against it.
            connection.execute(update(job).where(job.c.id == lease.job_id).values(lost=0))

    def put_query(self, lease: JobLease, query: Query) -> None:
        """The initial set's query (round INITIAL_ROUND); status becomes AWAITING_LABELS."""
        with self._db.write() as connection:
            hold(self._db, connection, lease)
            awaiting = ExperimentStatus.AWAITING_LABELS.value
            touch(connection, query.experiment_id, self._db.now(connection), status=awaiting)
            _put_query(connection, query)

    def rounds(self, experiment_id: str) -> list[RoundRecord]:
        """By number."""
        wanted = select(round_).where(round_.c.experiment_id == experiment_id).order_by(round_.c.number)
        with self._db.read() as connection:
            return [_round(row) for row in connection.execute(wanted)]

    def query(self, experiment_id: str, round: int) -> Query | None:
        """What the round asked for, or None."""
        found = self._queries(experiment_id, query.c.round == round, query_item.c.round == round)
        return found[0] if found else None

    def queries(self, experiment_id: str) -> list[Query]:
        """By round."""
        return self._queries(experiment_id)

    def _queries(self, experiment_id: str, *conditions: Any) -> list[Query]:
        heads = select(query).where(query.c.experiment_id == experiment_id, *conditions[:1])
        parts = select(query_item).where(query_item.c.experiment_id == experiment_id, *conditions[1:])
        items: dict[int, list[QueryItem]] = defaultdict(list)
        with self._db.read() as connection:
            rows = connection.execute(heads.order_by(query.c.round)).all()
            for row in connection.execute(parts.order_by(query_item.c.round, query_item.c.rank)):
                items[row.round].append(_item(row))
        return [_query(row, items[row.round]) for row in rows]
