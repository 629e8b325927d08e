"""Epochs, rounds and queries in the store."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, bindparam, insert, select, update

from al_core.errors import StoreError
from al_core.records import (
    EpochRecord,
    ExperimentStatus,
    JobLease,
    Query,
    QueryItem,
    RoundRecord,
)
from al_core.store.columns import to_json
from al_core.store.engine import Database
from al_core.store.experiments import touch
from al_core.store.leases import hold
from al_core.store.schema import epoch, job, query, query_item, round_
from al_core.words import tr

EPOCH_TABLE = epoch  # an epoch's record is called epoch too, where it is put
EPOCH = [epoch.c[name] for name in EpochRecord.__dataclass_fields__]
ITEM = [query_item.c[name] for name in ("round", "rank", "sample_id", "score", "ahead", "guesses")]


def _round(row: RowMapping) -> RoundRecord:
    values: dict[str, Any] = dict(row)
    confusion = values["confusion"]
    values["confusion"] = None if confusion is None else tuple(tuple(line) for line in confusion)
    values["class_counts"] = tuple(values["class_counts"])
    return RoundRecord(**values)


def item_rows(asked: Query) -> list[dict[str, Any]]:
    """The items as rows. Made before the transaction: for 100,000 items it takes longer than the insert."""
    return [
        {
            "experiment_id": asked.experiment_id,
            "round": asked.round,
            "rank": int(item.rank),
            "sample_id": int(item.sample_id),
            "score": item.score,
            "guesses": to_json(item.guesses) if item.guesses else "[]",
            "ahead": place >= len(asked.items) or None,
        }
        for place, item in enumerate(asked.offered)
    ]


def _items(rows: Sequence[Row[Any]]) -> Iterator[tuple[tuple[int, bool], QueryItem]]:
    """Round, whether ahead, and item of each row; all guesses are parsed in one go: calls cost most."""
    guesses = json.loads(f"[{','.join([row[-1] for row in rows])}]")
    for row, pairs in zip(rows, guesses, strict=True):
        round, rank, sample_id, score, ahead, _ = tuple(row)
        yield (
            (round, bool(ahead)),
            QueryItem(rank, sample_id, score, tuple([(pair[0], pair[1]) for pair in pairs])),
        )


def put_query_rows(connection: Connection, asked: Query, items: list[dict[str, Any]]) -> None:
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
            tr(
                "round {round} of {experiment_id} has asked its query already; it stays",
                round=asked.round,
                experiment_id=asked.experiment_id,
            )
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
    if items:
        connection.execute(insert(query_item), items)


_ASKED = select(query.c.round).where(
    query.c.experiment_id == bindparam("experiment"), query.c.round == bindparam("round")
)


class Rounds:
    """The epoch, round and query methods of the store."""

    _db: Database

    def put_epochs(self, lease: JobLease, experiment_id: str, epochs: Sequence[EpochRecord]) -> None:
        """Insert or replace several records in one transaction: tiny epochs come faster than commits."""
        if not epochs:
            return
        rows = [
            {column.name: getattr(record, column.name) for column in EPOCH} | {"experiment_id": experiment_id}
            for record in epochs
        ]
        with self._db.write() as connection:
            hold(self._db, connection, lease)
            touch(connection, experiment_id, self._db.now(connection))
            connection.execute(self._db.upsert(EPOCH_TABLE), rows)

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
            raise StoreError(
                tr(
                    "round {number} of {experiment_id} cannot ask for {batch}",
                    number=record.number,
                    experiment_id=record.experiment_id,
                    batch=query.batch,
                )
            )
        values = {name: getattr(record, name) for name in RoundRecord.__dataclass_fields__}
        items = [] if query is None else item_rows(query)
        with self._db.write() as connection:
            hold(self._db, connection, lease)
            now = self._db.now(connection)
            reason = stop_reason or None
            touch(connection, record.experiment_id, now, status=status.value, stop_reason=reason)
            same = (round_.c.experiment_id == record.experiment_id) & (round_.c.number == record.number)
            if connection.scalar(select(round_.c.number).where(same)) is not None:
                raise StoreError(
                    tr(
                        "round {number} of {experiment_id} has been recorded already",
                        number=record.number,
                        experiment_id=record.experiment_id,
                    )
                )
            connection.execute(insert(round_), values)
            if query is not None:
                put_query_rows(connection, query, items)
            # Work came of this job: silent attempts before it no longer count against it.
            connection.execute(update(job).where(job.c.id == lease.job_id).values(lost=0))

    def put_query(self, lease: JobLease, query: Query) -> None:
        """The initial set's query (round INITIAL_ROUND); status becomes AWAITING_LABELS."""
        items = item_rows(query)
        with self._db.write() as connection:
            hold(self._db, connection, lease)
            awaiting = ExperimentStatus.AWAITING_LABELS.value
            touch(connection, query.experiment_id, self._db.now(connection), status=awaiting)
            put_query_rows(connection, query, items)

    def rounds(self, experiment_id: str) -> list[RoundRecord]:
        """By number."""
        wanted = select(round_).where(round_.c.experiment_id == experiment_id).order_by(round_.c.number)
        with self._db.read() as connection:
            return [_round(row) for row in connection.execute(wanted).mappings()]

    def artefacts(self) -> set[str]:
        """SHA-256 of every object that a round of any experiment refers to."""
        with self._db.read() as connection:
            kept = connection.scalars(select(round_.c.artefacts))
            return {sha for artefacts in kept for sha in artefacts.values()}

    def has_query(self, experiment_id: str, round: int) -> bool:
        """Whether the round has asked for something: one row is looked at."""
        with self._db.read() as connection:
            return connection.scalar(_ASKED, {"experiment": experiment_id, "round": round}) is not None

    def query(self, experiment_id: str, round: int) -> Query | None:
        """What the round asked for, or None."""
        found = self._queries(experiment_id, query.c.round == round, query_item.c.round == round)
        return found[0] if found else None

    def queries(self, experiment_id: str) -> list[Query]:
        """By round."""
        return self._queries(experiment_id)

    def _queries(self, experiment_id: str, *conditions: Any) -> list[Query]:
        heads = select(query).where(query.c.experiment_id == experiment_id, *conditions[:1])
        parts = select(*ITEM).where(query_item.c.experiment_id == experiment_id, *conditions[1:])
        with self._db.read() as connection:
            asked = connection.execute(heads.order_by(query.c.round)).all()
            rows = connection.execute(parts.order_by(query_item.c.round, query_item.c.rank)).all()
        items: dict[tuple[int, bool], list[QueryItem]] = defaultdict(list)
        for place, item in _items(rows):
            items[place].append(item)
        return [
            Query(
                q.experiment_id, q.round, q.strategy, tuple(items[q.round, False]), q.num_candidates, q.hash,
                q.at, tuple(items[q.round, True]),
            )
            for q in asked
        ]  # fmt: skip
