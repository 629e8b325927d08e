"""What a session and its random baseline had spent at each round, for the x axis of the Curves page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from al_core.records import ExperimentRecord, LabelEvent, RoundRecord
from al_core.results.axes import AXES, Over, Prices, answer_seconds, spent
from al_core.words import tr
from state import handles

_UNITS = {
    "minutes": (tr("minutes"), ",.1f"),
    "seconds": (tr("seconds"), ",.0f"),
    "money": (tr("of cost"), ",.2f"),
}


Rounds = Sequence[RoundRecord]


@lru_cache(maxsize=16)
def _events(experiment_id: str, version: int) -> tuple[LabelEvent, ...]:
    del version  # only there to be part of the key
    return tuple(handles.store().label_events(experiment_id))


def own(record: ExperimentRecord, rounds: Rounds, over: Over, prices: Prices | None) -> list[float]:
    """Of the session; minutes as its people's answers took them."""
    return spent(rounds, over, prices, _events(record.id, record.version) if over == "minutes" else None)


def baseline(record: ExperimentRecord, random: Rounds, over: Over, prices: Prices | None) -> list[float]:
    """Of the random baseline; nobody answered it, so that a label costs what one of the session took."""
    prices = prices or Prices()
    if over == "minutes":
        events = _events(record.id, record.version)
        labeled = len({event.sample_id for event in events if event.value >= 0})
        took = sum(answer_seconds(events, prices.seconds_a_label))
        if labeled and took > 0:
            prices = replace(prices, seconds_a_label=took / labeled)
    return spent(random, over, prices)


def axis(
    record: ExperimentRecord, rounds: Rounds, random: Rounds, over: Over, prices: Prices | None
) -> dict[str, object] | None:
    """What the live chart needs to draw over something else than labels."""
    if over == "labels":
        return None
    unit, form = _UNITS[over]
    return {
        "title": tr(AXES[over].title),
        "unit": unit,
        "form": form,
        "own": own(record, rounds, over, prices),
        "ghost": baseline(record, random, over, prices),
    }
