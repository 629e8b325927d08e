"""Taking answers back: each image gets what it had, unless somebody has changed it since.

Nothing leaves the log. The event that gives an image its earlier answer stands in the name of who gave that
one, and as they gave it; it says which answer it undoes, so that neither is counted as anybody's word
(`without_undone`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from al_core.errors import Overtaken, StoreError
from al_core.experiment import Experiment
from al_core.records import LabelEvent, LabelOp, LabelSource
from al_core.results.said import undoing, without_undone
from al_core.types import INITIAL_ROUND, UNLABEL
from al_core.words import tr

_TRIES: Final = 10  # while others answer


@dataclass(frozen=True)
class Undone:
    """What was taken back; `left` were changed by somebody since, and stay."""

    labels: int
    marks: int
    left: int


def take_back(
    experiment: Experiment,
    client: str,
    *,
    as_client: str,
    annotator: str,
    source: LabelSource,
    of: Sequence[int] | None = None,
    beside: Callable[[], Iterable[LabelOp]] = tuple,
) -> Undone:
    """Give each image of a client's answers (`of`: all of them are among these) what it had before.

    `annotator` does so, by `source`; `beside` gives what is written with it. All is one commit.
    """
    store, last = experiment.store, experiment.last_query()
    for _ in range(_TRIES):
        rev = store.label_rev(experiment.id)
        answers, left = _answers_back(store.label_events(experiment.id, of=of), client, annotator)
        ops = [replace(op, n=n) for n, op in enumerate([*answers, *beside()], start=1)]
        with suppress(Overtaken):
            if ops:
                store.add_labels(
                    experiment.id, ops, client=as_client, source=source, annotator=annotator,
                    round=INITIAL_ROUND if last is None else last.round, expected_rev=rev,
                )  # fmt: skip
            return Undone(len(answers), len(ops) - len(answers), left)
    raise StoreError(tr("labels come in all the time; try again"))


def _answers_back(events: Sequence[LabelEvent], client: str, by: str) -> tuple[list[LabelOp], int]:
    """Answers (not numbered) that undo a client's where they stand; how many stand no more."""
    standing = without_undone(events)
    said: dict[int, list[LabelEvent]] = {e.sample_id: [] for e in standing if e.client == client}
    for event in standing:
        if event.sample_id in said:
            said[event.sample_id].append(event)
    ops = []
    for i, (*earlier, mine) in sorted(said.items()):
        if mine.client != client:
            continue
        detail = undoing(mine, by)
        if not earlier:
            ops.append(LabelOp(0, i, UNLABEL, detail=detail))
            continue
        was = earlier[-1]
        detail = {**(was.detail or {}), **detail}
        ops.append(
            LabelOp(
                0, i, was.value, detail=detail, annotator=was.annotator, round=was.round, source=was.source
            )
        )
    return ops, len(said) - len(ops)
