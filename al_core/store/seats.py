"""Several people at one session: who is here, and which images are whose to answer.

A seat holds until its person's page has been silent for a while, and a lease holds while its person's seat
does. Alone, a person is asked the whole query and holds no lease. From the second person on each holds the
next few images and takes more when they run short (al_core.sharing). All of it is decided behind the
experiment's lock, which `add_labels` takes too; none of it is part of the log.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from al_core.errors import StoreError
from al_core.records import REASK, LabelOp, LabelSource, Mark, Seat, Share
from al_core.sharing import first_answers, part_size, second_answers
from al_core.store.board import Boards, winners
from al_core.store.engine import Database
from al_core.store.experiments import missing
from al_core.store.schema import experiment, item_lease, label_event, seat
from al_core.types import UNLABEL
from al_core.words import tr

SILENCE: Final = 120.0
"""Seconds without a sign of the person after which a seat is free; a hidden page can speak once a minute."""
TWIN: Final = 30.0
"""Seconds for which two browsers under one name are said to be two."""
_GRAIN: Final = 5.0
"""Seconds that a seat may fall short of that: not every label has to write it anew."""
# Built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_REV = select(experiment.c.label_rev).where(experiment.c.id == bindparam("experiment"))
_SEATS = (
    select(seat)
    .where(seat.c.experiment_id == bindparam("experiment"))
    .order_by(seat.c.since, seat.c.annotator)
)
_LEASES = select(item_lease.c.annotator, item_lease.c.sample_id, item_lease.c.second).where(
    item_lease.c.experiment_id == bindparam("experiment"), item_lease.c.round == bindparam("round")
)
_LEASES_ON = select(item_lease.c.sample_id, item_lease.c.annotator, item_lease.c.second).where(
    item_lease.c.experiment_id == bindparam("experiment"),
    item_lease.c.sample_id.in_(bindparam("ids", expanding=True)),
)
_RENEW = (
    update(seat)
    .where(seat.c.experiment_id == bindparam("experiment"), seat.c.annotator == bindparam("who"))
    .values(until=bindparam("until"))
)
_OWN_WORDS = (
    select(label_event.c.sample_id, label_event.c.mark, label_event.c.detail)
    .where(
        label_event.c.experiment_id == bindparam("experiment"),
        label_event.c.sample_id.in_(bindparam("ids", expanding=True)),
        label_event.c.annotator == bindparam("annotator"),
        label_event.c.mark.is_(None) | (label_event.c.mark == Mark.OPINION.value),
    )
    .order_by(label_event.c.id)
)


class Seats:
    """The seat methods of the store."""

    _db: Database
    _boards: Boards

    def take_seat(
        self,
        experiment_id: str,
        annotator: str,
        *,
        round: int,
        overlap: Collection[int] = (),
        idle: float = 0.0,
        pace: int | None = None,
        browser: str = "",
    ) -> Share:
        """Say that a person is here, `idle` seconds after they last did anything; what they are asked.

        `overlap` are the images of the query that two people answer.

        Raises:
            NotFound: the experiment is gone.
        """
        if len(annotator) > 200 or len(browser) > 200:
            raise StoreError(tr("a name of at most 200 letters is needed"))
        with self._db.write() as connection:
            rev = _lock(self._db, connection, experiment_id)
            now = self._db.now(connection)
            known = people_of(connection, experiment_id)
            mine = self._sit(connection, known, experiment_id, annotator, round, now, idle, pace, browser)
            # the first comer first, as `seats` has it
            here = [row for row in known if row.annotator != annotator and row.until > now]
            here = [Seat(r.annotator, r.since, r.until, pace=r.pace, twin=r.twin_until > now) for r in here
                    if r.round == round]  # fmt: skip
            others = [each.annotator for each in here]
            board = self._boards.at(connection, experiment_id, round, rev)
            open_ids = board.open_ids()
            firsts: Sequence[int] = ()
            seconds: Sequence[int] = ()
            if mine.until > now:
                here = sorted([*here, mine], key=lambda each: (each.since, each.annotator))
                wanting = board.wanting(connection, annotator, overlap)
                firsts, seconds = self._deal(
                    connection, experiment_id, round, annotator, others, open_ids, wanting
                )
            people = [replace(each, answered=board.answered(each.annotator)) for each in here]
            leased = tuple(firsts) if others else None
            return Share(tuple(people), leased, tuple(seconds), len(open_ids), board.labeled)

    def leave_seat(self, experiment_id: str, annotator: str) -> None:
        """The person is gone, and what they held is free; one who has no seat is no error."""
        mine = (seat.c.experiment_id == experiment_id) & (seat.c.annotator == annotator)
        with self._db.write() as connection:
            connection.execute(
                self._db.locked(select(experiment.c.seq).where(experiment.c.id == experiment_id))
            )
            connection.execute(update(seat).where(mine).values(until=self._db.now(connection)))
            connection.execute(_leases_of(experiment_id, annotator))

    def seats(self, experiment_id: str, *, gone: bool = False) -> list[Seat]:
        """Who is at the session (with `gone`: or ever was), the first comer first."""
        with self._db.read() as connection:
            now = self._db.now(connection)
            rows = people_of(connection, experiment_id)
        return [_seat(row, now) for row in rows if gone or row.until > now]

    def _sit(
        self,
        connection: Connection,
        known: Sequence[Any],
        experiment_id: str,
        annotator: str,
        round: int,
        now: float,
        idle: float,
        pace: int | None,
        browser: str,
    ) -> Seat:
        before = next((row for row in known if row.annotator == annotator), None)
        until = now + SILENCE - min(max(idle, 0.0), SILENCE)
        since, twin = now, 0.0
        if before is not None:
            until = max(until, before.until if before.round == round else 0.0)
            since = before.since if before.until > now else now
            twin = before.twin_until
            if not browser:  # said for the page by its server
                browser, pace = before.browser, before.pace
            if before.until > now and before.browser and browser and before.browser != browser:
                twin = now + TWIN
        if before is None or before.until <= now or until <= now:
            # What lapsed may be another's by now: whoever comes back begins with nothing.
            connection.execute(_leases_of(experiment_id, annotator))
        elif before.round != round:
            connection.execute(_leases_of(experiment_id, annotator).where(item_lease.c.round != round))
        values = {
            "experiment_id": experiment_id, "annotator": annotator, "round": round, "since": since,
            "until": until, "pace": pace, "browser": browser, "twin_until": twin,
        }  # fmt: skip
        connection.execute(self._db.upsert(seat), values)
        return Seat(annotator, since, until, pace=pace, twin=twin > now)

    def _deal(
        self,
        connection: Connection,
        experiment_id: str,
        round: int,
        me: str,
        others: Sequence[str],
        open_ids: Sequence[int],
        wanting: Sequence[int],
    ) -> tuple[list[int], list[int]]:
        """Write who holds what; my first and second answers."""
        people = {me, *others}
        before = {
            (who, sample_id, bool(second))
            for who, sample_id, second in connection.execute(
                _LEASES, {"experiment": experiment_id, "round": round}
            )
            if who in people
        }

        def held(second: bool) -> dict[str, set[int]]:
            found: dict[str, set[int]] = {who: set() for who in (me, *others)}
            for who, sample_id, is_second in before:
                if is_second is second:
                    found[who].add(sample_id)
            return found

        firsts = first_answers(me, others, open_ids, held(False)) if others else {me: []}
        room = part_size(len(open_ids), len(others) + 1) - len(firsts[me]) if others else None
        seconds = second_answers(me, wanting, held(True), room)
        after = {(who, i, False) for who, ids in firsts.items() for i in ids}
        after |= {(me, i, True) for i in seconds}
        after |= {each for each in before if each[2] and each[0] != me}
        gone = [row for row in before - after if (row[0], row[1], not row[2]) not in after]
        self._write_leases(connection, experiment_id, round, gone, sorted(after - before))
        return firsts[me], seconds

    def _write_leases(
        self,
        connection: Connection,
        experiment_id: str,
        round: int,
        gone: Sequence[tuple[str, int, bool]],
        new: Sequence[tuple[str, int, bool]],
    ) -> None:
        for who in {row[0] for row in gone}:
            ids = [row[1] for row in gone if row[0] == who]
            connection.execute(_leases_of(experiment_id, who).where(item_lease.c.sample_id.in_(ids)))
        if new:
            keys = ("annotator", "sample_id", "second")
            common = {"experiment_id": experiment_id, "round": round}
            connection.execute(
                self._db.upsert(item_lease), [dict(zip(keys, row, strict=True)) | common for row in new]
            )


def give_way(
    connection: Connection,
    known: Sequence[Any],
    experiment_id: str,
    annotator: str,
    ops: Sequence[LabelOp],
    now: float,
) -> tuple[list[LabelOp], dict[int, str]]:
    """The answers with those turned into opinions that are not this person's to give; whose they are.

    That is what another holds or, while they are here, has answered, and what this person was asked a second
    answer to. What they said as an opinion stays one when they change it. Where no label of another stands,
    neither of the two keeps the image from being labeled. `known` are the session's seats.
    """
    here = any(row.annotator == annotator and row.until > now for row in known)
    present = {row.annotator for row in known if row.until > now and row.annotator != annotator}
    ids = sorted({op.sample_id for op in ops if op.mark is None})
    if not ids or not any(row.annotator != annotator for row in known):
        return list(ops), {}
    labels = [row for row in winners(connection, experiment_id, ids) if row.value != UNLABEL]
    theirs = {row.sample_id: row for row in labels if row.annotator != annotator}
    leases = connection.execute(_LEASES_ON, {"experiment": experiment_id, "ids": ids}).all()
    asked_second = {row.sample_id for row in leases if row.annotator == annotator and row.second}
    asked_second &= theirs.keys()
    mine = {row.sample_id for row in leases if here and row.annotator == annotator and not row.second}
    whose = {
        row.sample_id: row.annotator
        for row in leases
        if row.annotator in present and not row.second and row.sample_id not in mine
    }
    whose |= {
        i: row.annotator
        for i, row in theirs.items()
        if row.annotator in present and row.source == LabelSource.HUMAN.value
    }
    whose = {i: who for i, who in whose.items() if i not in asked_second}
    beside = set(whose) | asked_second
    opinions = _own_opinions(connection, experiment_id, annotator, ids)
    opinions -= {row.sample_id for row in labels if row.annotator == annotator}
    kept: list[LabelOp] = []
    for op in ops:
        i = op.sample_id
        if op.mark is not None:
            kept.append(op)
        elif i in beside or (i in opinions and (i in theirs or op.value == UNLABEL)):
            kept.append(replace(op, mark=Mark.OPINION))
        else:
            opinions.discard(i)  # from here on their last word is an answer
            kept.append(op)
    return kept, whose


def renew(
    db: Database,
    connection: Connection,
    known: Sequence[Any],
    experiment_id: str,
    annotator: str,
    ops: Iterable[LabelOp],
    now: float,
) -> None:
    """A person who answers is here; an image that they opened again is theirs, if they share the query."""
    mine = next((row for row in known if row.annotator == annotator), None)
    if mine is None:
        return
    if mine.until <= now:
        connection.execute(_leases_of(experiment_id, annotator))
    if mine.until < now + SILENCE - _GRAIN:
        of = {"experiment": experiment_id, "who": annotator, "until": now + SILENCE}
        connection.execute(_RENEW, of)
    last = {op.sample_id: op.value for op in ops if op.mark is None}  # in order: the last one stands
    opened = [i for i, value in last.items() if value == UNLABEL]
    if opened and any(row.until > now and row.annotator != annotator for row in known):
        new = [
            {"experiment_id": experiment_id, "sample_id": i, "annotator": annotator, "round": mine.round,
             "second": False}
            for i in opened
        ]  # fmt: skip
        connection.execute(db.upsert(item_lease), new)


def _lock(db: Database, connection: Connection, experiment_id: str) -> int:
    """Keep all else off the experiment; gives the last label event's id."""
    rev = connection.scalar(db.locked(_REV), {"experiment": experiment_id})
    if rev is None:
        raise missing(experiment_id)
    return rev


def people_of(connection: Connection, experiment_id: str) -> Sequence[Any]:
    """Every seat that there is or was at the session, the first comer first."""
    return connection.execute(_SEATS, {"experiment": experiment_id}).all()


def _seat(row: Row[Any], now: float) -> Seat:
    return Seat(row.annotator, row.since, row.until, pace=row.pace, twin=row.twin_until > now)


def _own_opinions(connection: Connection, experiment_id: str, annotator: str, ids: Sequence[int]) -> set[int]:
    """Images of which this person's last word is an opinion; a blind second look is no word of its own."""
    of = {"experiment": experiment_id, "annotator": annotator, "ids": ids}
    last: dict[int, str | None] = {}
    for row in connection.execute(_OWN_WORDS, of):
        if row.detail is None or json.loads(row.detail).get("how") != REASK:
            last[row.sample_id] = row.mark
    return {sample_id for sample_id, mark in last.items() if mark is not None}


def _leases_of(experiment_id: str, annotator: str) -> Any:
    return delete(item_lease).where(
        item_lease.c.experiment_id == experiment_id, item_lease.c.annotator == annotator
    )
