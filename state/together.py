"""What the Label page shows of a query to one of several people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from al_core.experiment import Experiment
from al_core.records import PEOPLE, LabelEvent, Query
from al_core.types import UNLABEL
from state.web import seats


@dataclass(frozen=True)
class View:
    """Answers as this person sees them, which of them are their own, and the share as the grid takes it.

    The share is None while the person is alone and nothing is asked of two people: the grid asks by itself.
    """

    answers: Mapping[int, LabelEvent]
    own: frozenset[int]
    share: Mapping[str, Any] | None


def view(experiment: Experiment, query: Query, me: str) -> View:
    """The query as `me` sees it. Alone it is what the store holds, and costs one small read."""
    answers = experiment.answers_to(query, ahead=True)
    overlap = seats.overlap_of(query.batch)
    alone = all(seat.annotator == me for seat in experiment.store.seats(experiment.id))
    own = frozenset(i for i, event in answers.items() if event.annotator == me or event.source not in PEOPLE)
    if alone and not overlap:
        return View(answers, own, None)
    share = seats.share_of(query.batch, me)
    shown = {i: event for i, event in answers.items() if i not in share.seconds}
    if overlap:
        said = {e.sample_id: e for e in experiment.store.opinions(experiment.id) if e.annotator == me}
        mine = {i: e for i, e in said.items() if i in overlap and i in answers and e.value != UNLABEL}
        seconds = {i: replace(answers[i], value=e.value) for i, e in mine.items() if i not in own}
        shown, own = shown | seconds, own | seconds.keys()
    return View(shown, own, seats.as_json(share, me))
