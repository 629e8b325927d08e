"""What a person does with images beside answering: asks for them, and tags them; kept in the label log.

Images that a person asks for stand in front of the query that waits, or of the one that comes. The strategy's
own picks stay as they were recorded: what is read from the log is laid over them, so that the same config,
seed and labels still give the same queries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from al_core.errors import DataError
from al_core.pool import Status
from al_core.records import ExperimentStatus, LabelOp, LabelSource, Mark, MarkEvent, Query, QueryItem
from al_core.store.base import Store
from al_core.types import SKIP, UNLABEL
from al_core.words import noted, told, tr

if TYPE_CHECKING:
    from al_core.experiment import Experiment

MAX_TAG = 60
_ASKABLE = (Status.UNLABELED, Status.QUERIED, Status.SKIPPED)


@dataclass(frozen=True)
class Asked:
    """What came of asking: the round whose query it is, the images new in it, and how many could not be.

    `reopened` of them were skipped before, and wait for an answer again.
    """

    round: int
    ids: tuple[int, ...]
    left_out: int
    reopened: tuple[int, ...] = ()


def standing(events: Iterable[MarkEvent]) -> dict[int, list[int]]:
    """The images that people asked for, by round, in the order in which they did."""
    found: dict[int, dict[int, None]] = {}
    for event in events:
        if event.mark is Mark.ASK:
            of_round = found.setdefault(event.round, {})
            if event.on:
                of_round.setdefault(event.sample_id)
            else:
                of_round.pop(event.sample_id, None)
    return {number: list(ids) for number, ids in found.items()}


def laid_over(query: Query, ids: Sequence[int]) -> Query:
    """The query with these images in front; its hash says so, behind the strategy's own."""
    if not ids:
        return query
    own = {item.sample_id: item for item in query.offered}
    front = tuple(own.get(i) or QueryItem(len(own) + n, i, None) for n, i in enumerate(ids))
    rest, ahead = (
        tuple(item for item in items if item.sample_id not in set(ids))
        for items in (query.items, query.ahead)
    )
    added = hashlib.sha256(repr(list(ids)).encode()).hexdigest()[:8]
    return replace(query, items=front + rest, ahead=ahead, hash=f"{query.hash}-{added}")


def own_hash(text: str) -> str:
    """The hash of the strategy's own query, from one that `laid_over` gave or left."""
    return text.partition("-")[0]


def query_of(store: Store, experiment_id: str, number: int) -> Query | None:
    """A round's query with what people asked for in front."""
    query = store.query(experiment_id, number)
    if query is None:
        return None
    return laid_over(query, standing(store.mark_events(experiment_id)).get(number, ()))


def queries_of(store: Store, experiment_id: str) -> list[Query]:
    """All of them, by round."""
    asked = standing(store.mark_events(experiment_id))
    return [laid_over(query, asked.get(query.round, ())) for query in store.queries(experiment_id)]


def ask_for(experiment: Experiment, ids: Iterable[int], *, client: str, annotator: str = "") -> Asked:
    """Put images in front of the query that waits; while a round trains, of the one that it will ask.

    What has a label, is excluded, or is set aside to measure by, is left out; what was skipped is open again.

    Raises:
        DataError: the session has ended, or has not begun.
    """
    status = experiment.record.status
    if status is ExperimentStatus.FINISHED:
        reason = told(experiment.record.stop_reason or noted("a stop holds"))
        raise DataError(
            tr("this session has ended ({reason}): fork it with more room, and ask there", reason=reason)
        )
    last = experiment.store.rounds(experiment.id)
    waiting = experiment.pending()
    if waiting is None and not last:
        raise DataError(tr("this session has not begun: start it, then ask for images of your own"))
    number = len(last) if waiting is None or status is ExperimentStatus.TRAINING else waiting.round
    wanted = list(dict.fromkeys(int(i) for i in ids))
    pool = experiment.pool().status
    there = standing(experiment.store.mark_events(experiment.id)).get(number, ())
    new = [i for i in wanted if Status(pool[i]) in _ASKABLE and i not in there]
    reopened = tuple(i for i in new if pool[i] == Status.SKIPPED)
    marks = [(i, Mark.ASK, True, None) for i in new]
    _write(experiment, marks, number, client, annotator, answers=dict.fromkeys(reopened, UNLABEL))
    left_out = len(wanted) - len(new) - len(set(wanted) & set(there))
    return Asked(number, tuple(new), left_out, reopened)


def take_back(experiment: Experiment, asked: Asked, *, client: str, annotator: str = "") -> None:
    """Ask for them no longer; what was answered meanwhile stays answered."""
    pool = experiment.pool().status
    still_open = [i for i in asked.reopened if pool[i] in (Status.UNLABELED, Status.QUERIED)]
    marks = [(i, Mark.ASK, False, None) for i in asked.ids]
    _write(experiment, marks, asked.round, client, annotator, answers=dict.fromkeys(still_open, SKIP))


def tags(store: Store, experiment_id: str) -> dict[int, tuple[str, ...]]:
    """The tags of each image that has any, in the order in which they were given."""
    return tags_of(store.mark_events(experiment_id))


def tags_of(events: Iterable[MarkEvent]) -> dict[int, tuple[str, ...]]:
    """The same that these events leave standing."""
    found: dict[int, dict[str, None]] = {}
    for event in events:
        if event.mark is Mark.TAG:
            of_image = found.setdefault(event.sample_id, {})
            if event.on:
                of_image.setdefault(event.text)
            else:
                of_image.pop(event.text, None)
    return {i: tuple(names) for i, names in found.items() if names}


def tag(
    experiment: Experiment,
    ids: Iterable[int],
    text: str,
    *,
    on: bool = True,
    client: str,
    annotator: str = "",
) -> list[int]:
    """Give images a tag, or take it from them; gives those that it changed.

    Raises:
        DataError: it is no tag.
    """
    name = " ".join(text.split())
    if not 0 < len(name) <= MAX_TAG:
        raise DataError(tr("a tag has 1 to {most} letters", most=MAX_TAG))
    known = tags(experiment.store, experiment.id)
    changed = [int(i) for i in dict.fromkeys(ids) if (name in known.get(int(i), ())) != on]
    last = experiment.last_query()
    number = -1 if last is None else last.round
    _write(experiment, [(i, Mark.TAG, on, name) for i in changed], number, client, annotator)
    return changed


def _write(
    experiment: Experiment, marks: Sequence[tuple[int, Mark, bool, str | None]], number: int, client: str,
    annotator: str, *, answers: Mapping[int, int] | None = None,
) -> None:  # fmt: skip
    ops = [LabelOp(n, i, value) for n, (i, value) in enumerate((answers or {}).items(), start=1)]
    ops += [
        LabelOp(n, i, int(on), mark=mark, detail=None if text is None else {"text": text})
        for n, (i, mark, on, text) in enumerate(marks, start=len(ops) + 1)
    ]
    if ops:
        experiment.store.add_labels(
            experiment.id, ops, client=client, source=LabelSource.HUMAN, round=number, annotator=annotator
        )
