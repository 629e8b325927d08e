"""A fork in the store: an experiment that begins with the rounds, queries and labels of another one.

Artefacts are not copied: rows name them by content. The label log is written anew, with a chain of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, literal, select, update

from al_core.config import ExperimentConfig
from al_core.errors import StoreError
from al_core.records import ExperimentRecord, ExperimentStatus, JobLease, Query, RoundRecord
from al_core.store.engine import Database
from al_core.store.experiments import missing, new_experiment, read_record, records_query, touch
from al_core.store.labels import ADDED, CHAINED, LOG, event_ids, link
from al_core.store.leases import hold
from al_core.store.rounds import item_rows, put_query_rows
from al_core.store.schema import (
    epoch,
    experiment,
    label_client,
    label_current,
    label_event,
    query,
    query_item,
    round_,
)
from al_core.words import tr

_AT_ONCE = 5000  # rows of an insert
_COPIED = {epoch: epoch.c.round, query: query.c.round, query_item: query_item.c.round}


class Forks:
    """The fork methods of the store."""

    _db: Database

    def fork_experiment(
        self,
        source_id: str,
        config: ExperimentConfig,
        *,
        rounds: int,
        queries: int,
        until: int,
        status: ExperimentStatus,
        manifest: Mapping[str, Any],
        parent_id: str | None = None,
        ghost: bool = False,
        idempotency_key: str | None = None,
    ) -> ExperimentRecord:
        """See the contract.

        Raises:
            NotFound: there is no such experiment.
        """
        with self._db.write() as connection:
            source = connection.execute(
                self._db.locked(select(experiment).where(experiment.c.id == source_id))
            ).one_or_none()
            if source is None:
                raise missing(source_id)
            made, fresh = new_experiment(
                self._db, connection, config, idempotency_key=idempotency_key, ghost=ghost,
                parent_id=source_id if parent_id is None else parent_id, status=status.value,
                dataset_key=source.dataset_key, fingerprint=source.fingerprint, split_hash=source.split_hash,
            )  # fmt: skip
            if fresh:
                moved = _copy_labels(self._db, connection, source_id, made, until)
                _copy_rounds(connection, source_id, made, rounds, moved, manifest)
                for table, number in _COPIED.items():
                    end = rounds if table is epoch else queries
                    _copy(connection, table, source_id, made, number < end)
            return read_record(connection.execute(records_query().where(experiment.c.id == made)).one())

    def put_next_query(
        self,
        lease: JobLease,
        record: RoundRecord,
        query: Query | None,
        *,
        status: ExperimentStatus,
        stop_reason: str | None = None,
    ) -> None:
        """See the contract.

        Raises:
            StoreError: the round asked for something else already, or is not there.
        """
        items = [] if query is None else item_rows(query)
        values = {name: getattr(record, name) for name in ("metrics", "seconds", "artefacts", "manifest")}
        with self._db.write() as connection:
            hold(self._db, connection, lease)
            now = self._db.now(connection)
            reason = stop_reason or None
            touch(connection, record.experiment_id, now, status=status.value, stop_reason=reason)
            if query is not None:
                put_query_rows(connection, query, items)
            same = (round_.c.experiment_id == record.experiment_id) & (round_.c.number == record.number)
            if not connection.execute(update(round_).where(same).values(values)).rowcount:
                raise StoreError(
                    tr(
                        "{experiment_id} has no round {number} to ask after",
                        experiment_id=record.experiment_id,
                        number=record.number,
                    )
                )

    def family(self, experiment_id: str) -> list[ExperimentRecord]:
        """See the contract.

        Raises:
            NotFound: there is no such experiment.
        """
        with self._db.read() as connection:
            top, seen = experiment_id, set[str]()
            while top not in seen:
                seen.add(top)
                above = connection.execute(
                    select(experiment.c.parent_id).where(experiment.c.id == top)
                ).one_or_none()
                if above is None:
                    raise missing(top)
                top = above.parent_id or top
            found, layer = [top], [top]
            while layer:
                below = select(experiment.c.id).where(
                    experiment.c.parent_id.in_(layer), experiment.c.ghost.is_(False)
                )
                layer = [one for one in connection.scalars(below) if one not in found]
                found += layer
            wanted = records_query().where(experiment.c.id.in_(found)).order_by(experiment.c.seq)
            return [read_record(row) for row in connection.execute(wanted)]


def _copy(connection: Connection, table: Any, source_id: str, made: str, condition: Any) -> None:
    """Rows of a table, within the database."""
    columns = [column for column in table.c if column.name != "experiment_id"]
    rows = select(literal(made), *columns).where(table.c.experiment_id == source_id, condition)
    connection.execute(insert(table).from_select(["experiment_id", *(c.name for c in columns)], rows))


def _copy_rounds(
    connection: Connection, source_id: str, made: str, rounds: int, moved: Mapping[int, int],
    manifest: Mapping[str, Any],
) -> None:  # fmt: skip
    wanted = select(round_).where(round_.c.experiment_id == source_id, round_.c.number < rounds)
    rows = [
        dict(row)
        | {
            "experiment_id": made,
            "label_event_id": moved.get(row["label_event_id"], 0),
            "manifest": {**row["manifest"], **manifest},
        }
        for row in connection.execute(wanted.order_by(round_.c.number)).mappings()
    ]
    if rows:
        connection.execute(insert(round_), rows)


def _copy_labels(
    db: Database, connection: Connection, source_id: str, made: str, until: int
) -> dict[int, int]:
    """The log up to an event, chained anew, with what follows from it; gives the new id of each event."""
    events = connection.execute(
        select(*LOG)
        .where(label_event.c.experiment_id == source_id, label_event.c.id <= until)
        .order_by(label_event.c.id)
    ).all()
    if not events:
        return {}
    head, rows, moved = "", [], {}
    current: dict[int, dict[str, Any]] = {}
    numbers: dict[str, int] = {}
    for number, event in zip(event_ids(db, connection, len(events)), events, strict=True):
        values = (number, made, *tuple(event)[2:])
        head = link(head, values)
        row: dict[str, Any] = dict(zip((*CHAINED, *ADDED), values, strict=True)) | {"chain": head}
        rows.append(row)
        moved[event.id] = number
        numbers[row["client"]] = row["n"]
        if row["mark"] is None:
            current[row["sample_id"]] = {
                "experiment_id": made, "sample_id": row["sample_id"], "value": row["value"],
                "event_id": number,
            }  # fmt: skip
    clients = [{"experiment_id": made, "client": name, "last_n": n} for name, n in numbers.items()]
    for table, kept in ((label_event, rows), (label_current, [*current.values()]), (label_client, clients)):
        for start in range(0, len(kept), _AT_ONCE):
            connection.execute(insert(table), kept[start : start + _AT_ONCE])
    end = {"label_rev": rows[-1]["id"], "label_head": head}
    connection.execute(update(experiment).where(experiment.c.id == made).values(end))
    return moved
