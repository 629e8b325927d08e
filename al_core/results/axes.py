"""What a learning curve is drawn and compared over: labels, human minutes, seconds of computing, or money.

Money is the cost model of the first seed's report, made general. There a run of K trainings costs
CL (n_start C) + K CT + (K - 1) CL n_new: CL a label, CT = lambda CL a training. Here labels are counted as
they were given, round by round, and a price of an hour of computing may stand beside lambda or in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from al_core.errors import ConfigError, Problem
from al_core.records import PEOPLE, LabelEvent, RoundRecord
from al_core.results.said import UNDOES
from al_core.words import noted, tr

Over = Literal["labels", "minutes", "seconds", "money"]
SECONDS_A_LABEL: Final = 1.5
"""A practised person on easy pictures of ten classes: what is taken where nobody was watched."""
IDLE_SECONDS: Final = 60.0
"""The most that one answer counts: whoever looked longer had left the desk."""


@dataclass(frozen=True)
class Axis:
    """One x axis: its title, and how a place on it is said."""

    title: str
    name: str  # as a choice
    form: str

    def text(self, x: float) -> str:
        """'60 labels', 'a cost of 12.50'."""
        return tr(self.form, n=x)


AXES: Final[dict[Over, Axis]] = {
    "labels": Axis("labeled images", "Labels", noted("{n:,.0f} labels")),
    "minutes": Axis("minutes of labeling", "Minutes", noted("{n:,.1f} minutes of labeling")),
    "seconds": Axis("seconds of computing", "Seconds", noted("{n:,.0f} seconds of computing")),
    "money": Axis("cost", "Money", noted("a cost of {n:,.2f}")),
}


@dataclass(frozen=True)
class Prices:
    """What things cost, in any currency. `ratio` is lambda: a training costs as much as so many labels."""

    label: float = 0.05
    ratio: float = 0.0
    hour: float = 0.5
    seconds_a_label: float = SECONDS_A_LABEL

    def __post_init__(self) -> None:
        for name in ("label", "seconds_a_label"):
            if not getattr(self, name) > 0:
                raise ConfigError([Problem(name, getattr(self, name), tr("must be above 0"))])
        for name in ("ratio", "hour"):
            if not getattr(self, name) >= 0:
                raise ConfigError([Problem(name, getattr(self, name), tr("must not be below 0"))])

    def cost(self, labels: float, trainings: int, seconds: float = 0.0) -> float:
        """Of so many labels and trainings, and of the computing if it is paid by the hour."""
        return self.label * (labels + self.ratio * trainings) + self.hour * seconds / 3600


def spent(
    rounds: Sequence[RoundRecord],
    over: Over,
    prices: Prices | None = None,
    events: Sequence[LabelEvent] | None = None,
) -> list[float]:
    """What had been spent when each round's value was known: the x of a learning curve.

    Seconds are all that was computed until then, so not the round's own query. Minutes come from `events`
    where people answered, else from the stated seconds of a label.
    """
    prices = prices or Prices()
    if over == "labels":
        return [float(r.num_labeled) for r in rounds]
    if over == "minutes":
        return [seconds / 60 for seconds in _answering(rounds, events, prices.seconds_a_label)]
    computed = _computing(rounds)
    if over == "seconds":
        return computed
    return [
        prices.cost(r.num_labeled, place + 1, seconds)
        for place, (r, seconds) in enumerate(zip(rounds, computed, strict=True))
    ]


def _computing(rounds: Sequence[RoundRecord]) -> list[float]:
    found, before = [], 0.0
    for record in rounds:
        found.append(before + sum(value for kind, value in record.seconds.items() if kind != "query"))
        before += sum(record.seconds.values())
    return found


def _answering(
    rounds: Sequence[RoundRecord], events: Sequence[LabelEvent] | None, stated: float
) -> list[float]:
    """Seconds of people's work before each round."""
    if events is None:
        return [stated * r.num_labeled for r in rounds]
    found, total, place = [], 0.0, 0
    timed = answer_seconds(events, stated)
    for record in rounds:
        while place < len(events) and events[place].id <= record.label_event_id:
            total += timed[place]
            place += 1
        found.append(total)
    return found


def answer_seconds(events: Sequence[LabelEvent], stated: float = SECONDS_A_LABEL) -> list[float]:
    """What each answer took, `IDLE_SECONDS` at most; events in the order of their ids.

    By how long the page saw the person look; without that, by the time since the same person's answer before
    (the first one: as stated). Answers of an oracle or a file cost what a person would have taken; those that
    only take an answer back, and come from no person, nothing; nor does an undo, which gives back what was.
    """
    found, last = [], {}
    for event in events:
        if UNDOES in (event.detail or {}):
            found.append(0.0)
            continue
        if event.source not in PEOPLE:
            found.append(stated if event.value >= 0 else 0.0)
            continue
        since = None if event.client not in last else event.at - last[event.client]
        looked = since if event.milliseconds is None else event.milliseconds / 1000
        found.append(stated if looked is None else min(max(looked, 0.0), IDLE_SECONDS))
        last[event.client] = event.at
    return found
