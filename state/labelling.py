"""Where training stands while one labels: what may be answered meanwhile, and what no training has seen."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from al_core.experiment import Experiment, Step
from al_core.records import JobRecord, LabelEvent, Query
from al_core.results.reliance import Reliance, is_hidden, reliance
from al_core.types import UNLABEL
from state import cache, handles

_NOT_BY_HAND = ("per_class", "import")  # initial sets that nobody labels here


@dataclass(frozen=True)
class Loop:
    """`ahead`: whether the images ahead may be shown at all."""

    rounds: int = 0  # trained so far
    training: bool = False
    ahead: bool = False
    trained: Set[int] = frozenset()  # images whose label a training has seen
    others: int = 0  # labels outside the query that none has seen


def training(step: Step) -> JobRecord | None:
    """The job that trains the next round, or None; other jobs of the session do not stand in the way."""
    return step.job if step.kind == "working" and step.job and step.job.kind == "advance" else None


def goes_on(experiment: Experiment, query: Query | None, step: Step) -> bool:
    """Whether there is something to label while the job runs."""
    if query is None or query.strategy in _NOT_BY_HAND or experiment.config.oracle != "human":
        return query is not None and training(step) is None
    return training(step) is None or bool(query.ahead) or step.done < step.total


def hidden(experiment: Experiment, query: Query, share: float) -> frozenset[int]:
    """Images of the query whose guesses are hidden: a draw by seed and sample id."""
    seed = experiment.config.seed
    return frozenset(i.sample_id for i in query.offered if is_hidden(seed, i.sample_id, share))


def swayed(experiment: Experiment) -> Reliance:
    """Agreement with the guesses where they were shown and where they were hidden, in all queries so far."""
    record = experiment.record
    effects = experiment.classes().effects
    queries = [effects.guessed(query) for query in _queries(record.id, record.num_rounds)]
    return reliance(queries, current_labels(experiment))


def current_labels(experiment: Experiment) -> Mapping[int, LabelEvent]:
    """The labels that stand, by sample id: read once for all that a run of the page asks of them."""
    return _labels(experiment.id, experiment.store.label_rev(experiment.id))


@lru_cache(maxsize=2)  # of a large session they take some megabytes
def _labels(experiment_id: str, rev: int) -> Mapping[int, LabelEvent]:
    del rev  # read before the labels: these may be newer than their key says, and never older
    return MappingProxyType(handles.store().current_labels(experiment_id))


@lru_cache(maxsize=16)
def _queries(experiment_id: str, num_rounds: int) -> tuple[Query, ...]:
    del num_rounds  # only there to be part of the key: a round comes with its query

    return tuple(handles.store().queries(experiment_id))


def loop(experiment: Experiment, query: Query, step: Step) -> Loop:
    """As it stands. A training that has not said yet which labels it sees sees those that there are now."""
    job, by_hand = training(step), experiment.config.oracle == "human"
    rounds = cache.rounds(experiment.record)
    seen = rounds[-1].label_event_id if rounds else 0
    if job is not None:
        begun = job.progress.get("round") == len(rounds) and "label_event_id" in job.progress
        seen = job.progress["label_event_id"] if begun else experiment.store.label_rev(experiment.id)
    here = {item.sample_id for item in query.offered}
    current = experiment.store.current_labels(experiment.id, of=sorted(here))
    trained = {i for i, event in current.items() if event.id <= seen and event.value != UNLABEL}
    fresh = experiment.labels_since(seen).keys()
    return Loop(len(rounds), job is not None, by_hand, frozenset(trained), len(fresh - here))
