"""The end of the home page's story: how the person did, what the labels bought. Pure functions of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from al_core.config import ExperimentConfig
from al_core.records import ExperimentRecord, LabelEvent, LabelSource, Query, RoundRecord
from al_core.results.analysis import Curve
from state.starting import story_config

METRIC: Final = "test_accuracy"
_CLOSING_ROUND: Final = 2
"""The round that the story's second query led to; the first round trained on the initial set."""
_MILLISECONDS: Final = 60_000


@dataclass(frozen=True)
class Miss:
    """An image that the person and the ground truth call different things (class ids)."""

    sample_id: int
    given: int
    truth: int


@dataclass(frozen=True)
class Closing:
    """What the closing card says; None where it is not known."""

    answered: int
    misses: tuple[Miss, ...]
    labels_a_minute: float | None
    labels: int
    accuracy: float | None
    gained: float | None  # since the first round
    over_random: float | None  # at the same number of labels; None until the baseline has got there

    @property
    def agreed(self) -> int:
        """Answers that the ground truth shares."""
        return self.answered - len(self.misses)


def is_due(record: ExperimentRecord, rounds: Sequence[RoundRecord]) -> bool:
    """Whether this is the story, and its second round has just been trained."""
    if not rounds or rounds[-1].number != _CLOSING_ROUND:
        return False
    return record.config.hash() == story_config().hash()  # the hash leaves the name out


def closing(
    queries: Sequence[Query],
    labels: Mapping[int, LabelEvent],
    truth: np.ndarray,
    rounds: Sequence[RoundRecord],
    baseline: Sequence[RoundRecord],
) -> Closing:
    """Look back over the queries that were trained on.

    Images of the last query still wait for their answers, so nothing of them is read: their truth must not
    be seen before the person has answered.
    """
    closed = [q for q in queries if 0 <= q.round < rounds[-1].number]
    asked = {item.sample_id for query in closed for item in query.offered}
    given = [
        event
        for sample_id, event in sorted(labels.items())
        if sample_id in asked and event.value >= 0 and event.source is LabelSource.HUMAN
    ]
    misses = tuple(
        Miss(e.sample_id, e.value, int(truth[e.sample_id]))
        for e in given
        if 0 <= truth[e.sample_id] != e.value
    )
    own, random = Curve.of(rounds, METRIC), Curve.of(baseline, METRIC)
    values = own.values.tolist()
    there = random.at(own.labels[-1]) if values else None
    return Closing(
        answered=len(given),
        misses=misses,
        labels_a_minute=labels_a_minute(given),
        labels=rounds[-1].num_labeled,
        accuracy=values[-1] if values else None,
        gained=values[-1] - values[0] if len(values) > 1 else None,
        over_random=None if there is None else values[-1] - there,
    )


def labels_a_minute(events: Sequence[LabelEvent]) -> float | None:
    """The pace of these answers, by how long the person looked, or else by when they came."""
    looked = [event.milliseconds for event in events if event.milliseconds is not None]
    if len(looked) == len(events) and sum(looked) > 0:
        return len(looked) * _MILLISECONDS / sum(looked)
    times: dict[int, list[float]] = {}
    for event in events:
        times.setdefault(event.round, []).append(event.at)
    seconds = sum(max(at) - min(at) for at in times.values())
    counted = sum(len(at) - 1 for at in times.values())
    return 60 * counted / seconds if seconds > 0 else None


def by_truth(config: ExperimentConfig) -> ExperimentConfig:
    """The same experiment, with ground truth answering from now on; its budget ends it."""
    return config.changed(oracle="truth")
