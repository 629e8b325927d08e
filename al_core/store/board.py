"""How a round's query stands: which images are open, who answered the others. Kept, and folded on.

Whoever sits down is dealt images behind the experiment's lock, so that reading a query of a thousand images
there each time would keep everybody's labels waiting. A board reads it once, and later only the events that
came since: the log is append-only, and its last id is in the row that is locked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, select

from al_core.records import PEOPLE, Mark
from al_core.store.class_log import CLASS, withdrawn_classes
from al_core.store.schema import label_current, label_event, query_item
from al_core.types import UNLABEL

HUMAN: Final = frozenset(source.value for source in PEOPLE)
_KEPT: Final = 16
_ITEMS = (
    select(query_item.c.sample_id, query_item.c.ahead)
    .where(query_item.c.experiment_id == bindparam("experiment"), query_item.c.round == bindparam("round"))
    .order_by(query_item.c.rank)
)
_SINCE = (
    select(
        label_event.c.sample_id, label_event.c.value, label_event.c.annotator, label_event.c.source,
        label_event.c.mark, label_event.c.round,
    )
    .where(
        label_event.c.experiment_id == bindparam("experiment"), label_event.c.id > bindparam("after"),
        label_event.c.id <= bindparam("until"),
    )
    .order_by(label_event.c.id)
)  # fmt: skip
_OPINIONS = (
    select(label_event.c.sample_id, label_event.c.annotator, label_event.c.value)
    .where(
        label_event.c.experiment_id == bindparam("experiment"),
        label_event.c.mark.is_not(None),  # as the index of marks has it
        label_event.c.mark == Mark.OPINION.value,
    )
    .order_by(label_event.c.id)
)
_BY_HAND = (
    select(label_event.c.sample_id, label_event.c.value)
    .where(
        label_event.c.experiment_id == bindparam("experiment"),
        label_event.c.mark == Mark.ASK.value,
        label_event.c.mark.is_not(None),
        label_event.c.round == bindparam("round"),
    )
    .order_by(label_event.c.id)
)
_WINNERS = (
    select(
        label_current.c.sample_id, label_current.c.value, label_event.c.annotator, label_event.c.source
    )
    .join(label_event, label_event.c.id == label_current.c.event_id)
    .where(
        label_current.c.experiment_id == bindparam("experiment"),
        label_current.c.sample_id.in_(bindparam("ids", expanding=True)),
    )
)  # fmt: skip
_OF_QUERY = (
    select(
        label_current.c.sample_id, label_current.c.value, label_event.c.annotator, label_event.c.source
    )
    .join(
        query_item,
        (query_item.c.experiment_id == label_current.c.experiment_id)
        & (query_item.c.sample_id == label_current.c.sample_id),
    )
    .join(label_event, label_event.c.id == label_current.c.event_id)
    .where(query_item.c.experiment_id == bindparam("experiment"), query_item.c.round == bindparam("round"))
)  # fmt: skip


class Said(NamedTuple):
    """What stands on an image, as its class counts: UNLABEL where that was withdrawn."""

    value: int
    annotator: str
    source: str


class Board:
    """A query after the label event `rev`; used behind the experiment's lock alone."""

    def __init__(self, experiment_id: str, round: int) -> None:
        self._of = {"experiment": experiment_id, "round": round}
        self.rev = -1
        self._order: list[int] = []  # picking order, what people asked for by hand in front
        self._ahead: frozenset[int] = frozenset()
        self._said: dict[int, Said] = {}
        self._answered: dict[str, int] = {}
        self._opinions: dict[int, dict[str, int]] | None = None  # read when first needed
        self.labeled = 0

    def catch_up(self, connection: Connection, rev: int) -> None:
        """Bring it to the label event `rev`, which is the log's last."""
        if self.rev < 0 or rev < self.rev or (rev > self.rev and not self._fold(connection, rev)):
            self._read(connection)
        self.rev = rev

    @property
    def empty(self) -> bool:
        """Whether there is no such query (yet)."""
        return not self._order

    def open_ids(self) -> list[int]:
        """The images that nobody has answered; those ahead only when none of the asked is left."""
        left = [i for i in self._order if not self._is_answered(i)]
        return [i for i in left if i not in self._ahead] or left

    def answered(self, annotator: str) -> int:
        """How many images of the query have this person's answer."""
        return self._answered.get(annotator, 0)

    def wanting(self, connection: Connection, me: str, overlap: Collection[int]) -> list[int]:
        """Images of the overlap that another has answered and nobody, `me` included, gave a second answer."""
        candidates = [
            i for i in self._order
            if i in overlap and self._is_answered(i) and self._said[i].annotator != me
            and self._said[i].source in HUMAN
        ] if overlap else []  # fmt: skip
        if not candidates:
            return []
        if self._opinions is None:
            self._opinions = {}
            for sample_id, annotator, value in connection.execute(_OPINIONS, self._of):
                self._opinions.setdefault(sample_id, {})[annotator] = value
        given = self._opinions
        return [i for i in candidates if all(v == UNLABEL for v in given.get(i, {}).values())]

    def _is_answered(self, sample_id: int) -> bool:
        said = self._said.get(sample_id)
        return said is not None and said.value != UNLABEL

    def _fold(self, connection: Connection, rev: int) -> bool:
        """Whether the events since were enough: a change of classes or of what is asked by hand is not."""
        events = connection.execute(_SINCE, self._of | {"after": self.rev, "until": rev}).all()
        if any(
            e.mark == CLASS or (e.mark == Mark.ASK.value and e.round == self._of["round"]) for e in events
        ):
            return False
        gone = set(withdrawn_classes(connection, str(self._of["experiment"]))) if events else set()
        places = set(self._order)
        for event in events:
            if event.mark is None and event.sample_id in places:
                value = UNLABEL if event.value in gone else event.value
                self._put(event.sample_id, Said(value, event.annotator, event.source))
            elif event.mark == Mark.OPINION.value and self._opinions is not None:
                self._opinions.setdefault(event.sample_id, {})[event.annotator] = event.value
        return True

    def _put(self, sample_id: int, said: Said) -> None:
        for sign, each in ((-1, self._said.get(sample_id)), (1, said)):
            if each is not None and each.value != UNLABEL:
                self._answered[each.annotator] = self._answered.get(each.annotator, 0) + sign
                self.labeled += sign * (each.value >= 0)
        self._said[sample_id] = said

    def _read(self, connection: Connection) -> None:
        experiment_id = str(self._of["experiment"])
        items = connection.execute(_ITEMS, self._of).all()
        front = _by_hand(connection, self._of)
        own = [row.sample_id for row in items]
        if front:
            chosen = set(front)
            own = [*front, *(i for i in own if i not in chosen)]
        self._order = own
        self._ahead = frozenset(row.sample_id for row in items if row.ahead)
        self._said, self._answered, self._opinions, self.labeled = {}, {}, None, 0
        beyond = sorted(set(front) - {row.sample_id for row in items})
        gone = set(withdrawn_classes(connection, experiment_id))
        for row in connection.execute(_OF_QUERY, self._of):
            self._put(
                row.sample_id, Said(UNLABEL if row.value in gone else row.value, row.annotator, row.source)
            )
        for row in winners(connection, experiment_id, beyond):
            self._put(row.sample_id, Said(row.value, row.annotator, row.source))


class Boards:
    """The boards that this process keeps, the least recently used dropped first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], Board] = OrderedDict()

    def at(self, connection: Connection, experiment_id: str, round: int, rev: int) -> Board:
        """The board of a query after the log's last event, behind the experiment's lock."""
        key = experiment_id, round
        board = self._kept.pop(key, None) or Board(experiment_id, round)
        board.catch_up(connection, rev)
        if not board.empty:  # else the query may come any time, and no event of the log would tell
            self._kept[key] = board
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return board


class Winner(NamedTuple):
    """The label that stands on an image, as its class counts."""

    sample_id: int
    value: int
    annotator: str
    source: str


def winners(connection: Connection, experiment_id: str, ids: Sequence[int]) -> list[Winner]:
    """What stands on these images, of those that have a label or had one."""
    if not ids:
        return []
    rows = connection.execute(_WINNERS, {"experiment": experiment_id, "ids": list(ids)}).all()
    gone = set(withdrawn_classes(connection, experiment_id)) if rows else set()
    return [Winner(r.sample_id, UNLABEL if r.value in gone else r.value, r.annotator, r.source) for r in rows]


def _by_hand(connection: Connection, of: dict[str, Any]) -> list[int]:
    """The images that people asked for in this round (al_core.by_hand), in the order in which they did."""
    standing: dict[int, None] = {}
    for sample_id, on in connection.execute(_BY_HAND, of):
        if on:
            standing.setdefault(sample_id)
        else:
            standing.pop(sample_id, None)
    return list(standing)
