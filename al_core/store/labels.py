"""The label log: append-only, chained, and the winning label of each sample beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from al_core.class_effects import Effects
from al_core.errors import Overtaken, StoreError
from al_core.records import (
    ClassChange,
    ClassEvent,
    JobLease,
    LabelAck,
    LabelEvent,
    LabelOp,
    LabelSource,
    Mark,
    MarkEvent,
)
from al_core.store.answers import MAX_DETAIL, checked
from al_core.store.class_log import CLASS, NO_IMAGE, read_classes
from al_core.store.columns import to_json
from al_core.store.engine import Database
from al_core.store.experiments import missing, touch
from al_core.store.leases import hold
from al_core.store.schema import experiment, label_client, label_current, label_event
from al_core.store.seats import give_way, people_of, renew
from al_core.words import tr

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
_ADD = insert(label_event)
ADDED = ("mark", "detail")  # by later versions: chained only where there is one, so that old logs still fit
EVENT = [label_event.c[name] for name in (*CHAINED, "detail")]
LOG = [label_event.c[name] for name in (*CHAINED, *ADDED)]
MARK = [
    label_event.c[name]
    for name in ("id", "sample_id", "mark", "value", "detail", "annotator", "round", "at", "client")
]
AT_ONCE = 500  # samples that one statement names


def link(previous: str, row: Sequence[Any]) -> str:
    """Hash of an event and, through `previous`, of all events before it (row in LOG's order)."""
    kept = row[: len(CHAINED)] if all(value is None for value in row[len(CHAINED) :]) else row
    return hashlib.sha256(f"{previous}{to_json(list(kept))}".encode()).hexdigest()


def _pieces(of: Iterable[int]) -> Iterator[list[int]]:
    """Samples, as many at once as a statement may name."""
    ids = sorted({int(i) for i in of})
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def label_of(row: Row[Any]) -> LabelEvent:
    """A row of EVENT."""
    event_id, experiment_id, sample_id, value, source, *rest = tuple(row)
    rest[-1] = None if rest[-1] is None else json.loads(rest[-1])
    return LabelEvent(event_id, experiment_id, sample_id, value, SOURCES[source], *rest)


def _mark(row: Row[Any]) -> MarkEvent:
    said = {} if row.detail is None else json.loads(row.detail)
    return MarkEvent(
        row.id, row.sample_id, Mark(row.mark), bool(row.value), said.get("text", ""), row.annotator,
        row.round, row.at, row.client,
    )  # fmt: skip


def event_ids(db: Database, connection: Connection, count: int) -> Iterable[int]:
    """The ids that come next: known before the insert, as the chain covers them."""
    if db.is_sqlite:
        used = "SELECT seq FROM sqlite_sequence WHERE name = 'label_event'"
        first = (connection.exec_driver_sql(used).scalar() or 0) + 1
        return range(first, first + count)
    following = func.nextval(func.pg_get_serial_sequence("label_event", "id"))
    return connection.scalars(select(following).select_from(func.generate_series(1, count))).all()


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
        shared: bool = False,
        expected_rev: int | None = None,
        lease: JobLease | None = None,
    ) -> LabelAck:
        """Commit answers in the order of their numbers; those at or below the client's last are ignored.

        `shared`: what is another person's to answer is kept as an opinion (al_core.store.seats).

        Raises:
            Overtaken: `expected_rev` is not the log's end any more.
            StoreError: an answer is malformed (class ids are the caller's to check), or the write failed.
        """
        valid = checked(ops)
        if not 0 < len(client) <= 200 or len(annotator) > 200:
            raise StoreError(
                tr("client {client!r}: a name of 1 to 200 letters is needed", client=client[:40])
            )
        with self._db.write() as connection:
            if lease is not None:
                hold(self._db, connection, lease)
            rev, head = self._log_end(connection, experiment_id)
            last = self._last_number(connection, experiment_id, client)
            fresh = [op for op in valid if op.n > last]
            if not fresh:
                return LabelAck(last, rev)
            if expected_rev not in (None, rev):
                raise Overtaken(tr("labels came in since this was checked; check it again"))
            now = self._db.now(connection)
            aside: dict[int, str] = {}
            if shared:
                known = people_of(connection, experiment_id)
                fresh, aside = give_way(connection, known, experiment_id, annotator, fresh, now)
                renew(self._db, connection, known, experiment_id, annotator, fresh, now)
            rows = [
                (
                    op.sample_id, op.value, LabelSource(op.source or source).value,
                    annotator if op.annotator is None else op.annotator,
                    int(round if op.round is None else op.round), client, op.n, now, op.milliseconds,
                    op.mark and str(op.mark),
                    None if op.detail is None else to_json(op.detail),
                )
                for op in fresh
            ]  # fmt: skip
            rev = self._append(connection, experiment_id, head, rows)
            return LabelAck(fresh[-1].n, rev, aside)

    def _append(
        self, connection: Connection, experiment_id: str, head: str, events: Sequence[Sequence[Any]]
    ) -> int:
        """Write rows (in LOG's order, from `sample_id` on) to the end of the log; gives its last id."""
        rows = []
        for number, event in zip(event_ids(self._db, connection, len(events)), events, strict=True):
            row = (number, experiment_id, *event)
            head = link(head, row)
            rows.append(dict(zip((*CHAINED, *ADDED), row, strict=True)) | {"chain": head})
        connection.execute(_ADD, rows)
        self._set_current(connection, rows)
        last = rows[-1]
        self._set_last_number(connection, experiment_id, last["client"], last["n"])
        touch(connection, experiment_id, last["at"], label_rev=last["id"], label_head=head)
        return last["id"]

    def change_class(
        self,
        experiment_id: str,
        change: ClassChange,
        *,
        seen: int,
        round: int,
        annotator: str = "",
    ) -> int | None:
        """Commit a change that was checked (`Classes.checked`); gives its event's id.

        None, and nothing is written, if `seen` is not the last change's id (0: none) any more.

        Raises:
            StoreError: the write failed.
        """
        if len(annotator) > 200:
            raise StoreError(
                tr(
                    "annotator {annotator!r}: a name of at most 200 letters is needed",
                    annotator=annotator[:40],
                )
            )
        said = {name: value for name, value in asdict(change).items() if value not in ("", None)}
        del said["class_id"]
        detail = to_json(said)
        if len(detail) > MAX_DETAIL:
            raise StoreError(
                tr("what is said of a class is longer than {most} letters; shorten it", most=MAX_DETAIL)
            )
        with self._db.write() as connection:
            _, head = self._log_end(connection, experiment_id)
            known = read_classes(connection, experiment_id)
            if seen != (known[-1].id if known else 0):
                return None
            n = self._last_number(connection, experiment_id, CLASS) + 1
            row = (
                NO_IMAGE, change.class_id, LabelSource.HUMAN.value, annotator, int(round), CLASS, n,
                self._db.now(connection), None, CLASS, detail,
            )  # fmt: skip
            return self._append(connection, experiment_id, head, [row])

    def class_events(self, experiment_id: str, *, until: int | None = None) -> list[ClassEvent]:
        """Changes of classes with id <= until, in order."""
        with self._db.read() as connection:
            return read_classes(connection, experiment_id, until)

    def _log_end(self, connection: Connection, experiment_id: str) -> tuple[int, str]:
        end = connection.execute(self._db.locked(LOG_END), {"experiment": experiment_id}).one_or_none()
        if end is None:
            raise missing(experiment_id)
        return end.label_rev, end.label_head

    @staticmethod
    def _last_number(connection: Connection, experiment_id: str, client: str) -> int:
        return connection.scalar(LAST_NUMBER, {"experiment": experiment_id, "client": client}) or 0

    def _set_current(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        winners = {
            row["sample_id"]: {
                "experiment_id": row["experiment_id"],
                "sample_id": row["sample_id"],
                "value": row["value"],
                "event_id": row["id"],
            }
            for row in rows
            if row["mark"] is None
        }
        if winners:
            connection.execute(self._db.upsert(label_current), list(winners.values()))

    def _set_last_number(self, connection: Connection, experiment_id: str, client: str, n: int) -> None:
        row = {"experiment_id": experiment_id, "client": client, "last_n": n}
        connection.execute(self._db.upsert(label_client), row)

    def label_events(
        self,
        experiment_id: str,
        *,
        after: int = 0,
        until: int | None = None,
        of: Sequence[int] | None = None,
    ) -> list[LabelEvent]:
        """Answers with after < id <= until, in order; all, or those of these samples."""
        wanted = select(*EVENT).where(
            label_event.c.experiment_id == experiment_id,
            label_event.c.id > after,
            label_event.c.mark.is_(None),
        )
        if until is not None:
            wanted = wanted.where(label_event.c.id <= until)
        parts = [wanted.order_by(label_event.c.id)]
        if of is not None:
            parts = [wanted.where(label_event.c.sample_id.in_(piece)) for piece in _pieces(of)]
        with self._db.read() as connection:
            events = [label_of(row) for part in parts for row in connection.execute(part)]
        return events if of is None else sorted(events, key=lambda event: event.id)

    def current_labels(self, experiment_id: str, *, of: Sequence[int] | None = None) -> dict[int, LabelEvent]:
        """The winning event of each sample that has one (UNLABEL included), or of these, as it counts."""
        wanted = (
            select(*EVENT)
            .join(label_current, label_current.c.event_id == label_event.c.id)
            .where(label_current.c.experiment_id == experiment_id)
            .order_by(label_current.c.sample_id)
        )
        parts = [wanted]
        if of is not None:
            parts = [wanted.where(label_current.c.sample_id.in_(piece)) for piece in _pieces(of)]
        with self._db.read() as connection:
            events = [label_of(row) for part in parts for row in connection.execute(part)]
            effects = Effects.of(read_classes(connection, experiment_id))
        if effects:
            events = [replace(event, value=effects.value(event.value)) for event in events]
        return {event.sample_id: event for event in events}

    def last_number(self, experiment_id: str, client: str) -> int:
        """The highest number of a client's answers, 0 before its first."""
        with self._db.read() as connection:
            return self._last_number(connection, experiment_id, client)

    def clients(self, experiment_id: str, prefix: str) -> list[str]:
        """The clients whose names begin so, by name."""
        wanted = select(label_client.c.client).where(
            label_client.c.experiment_id == experiment_id,
            label_client.c.client.startswith(prefix, autoescape=True),
        )
        with self._db.read() as connection:
            return sorted(connection.scalars(wanted))

    def label_log(self, experiment_id: str) -> tuple[int, str]:
        """Where the log ends: the last event's id, and the hash over all events. Raises NotFound."""
        with self._db.read() as connection:
            end = connection.execute(LOG_END, {"experiment": experiment_id}).one_or_none()
        if end is None:
            raise missing(experiment_id)
        return end.label_rev, end.label_head

    def mark_events(self, experiment_id: str, *, until: int | None = None) -> list[MarkEvent]:
        """Marks set and taken back, with id <= until, in order; opinions are read by `opinions`."""
        wanted = select(*MARK).where(
            label_event.c.experiment_id == experiment_id,
            # said twice, so that the index of the marks is walked and not the log
            label_event.c.mark.is_not(None),
            label_event.c.mark.not_in((Mark.OPINION.value, CLASS)),
        )
        if until is not None:
            wanted = wanted.where(label_event.c.id <= until)
        with self._db.read() as connection:
            return [_mark(row) for row in connection.execute(wanted.order_by(label_event.c.id))]

    def label_rev(self, experiment_id: str) -> int:
        """Id of the last label event, 0 before the first. Raises NotFound."""
        with self._db.read() as connection:
            rev = connection.scalar(select(experiment.c.label_rev).where(experiment.c.id == experiment_id))
        if rev is None:
            raise missing(experiment_id)
        return rev
