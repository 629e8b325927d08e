"""A bandit's memory: what earlier rounds stored of its queries, replayed, and what this round adds.

Each round stores the chances that it drew by, which arms drew and supported each pick, and how well the arms
of the query before did. Nothing else is kept, so a round that is done again learns the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from al_core.experiment import Experiment
from al_core.pool import Pool
from al_core.query.bandit import ACCURACY, CHANCE, DEFAULT_HORIZON, Turn, arm_accuracies, learned
from al_core.query.composition import Chosen, Composition
from al_core.records import RoundRecord
from al_core.store.objects import Objects
from al_core.types import SampleIds


@dataclass(frozen=True)
class Lesson:
    """The chances for this round's query, and the accuracies of the arms of the last one (nan: none)."""

    names: tuple[str, ...]
    chances: Float[np.ndarray, " K"]
    accuracies: Float[np.ndarray, " K"]

    def arrays(self, chosen: Chosen) -> dict[str, np.ndarray]:
        """What the next rounds need of this one."""
        k = len(chosen.positions)
        members = np.zeros(k, np.int64) if chosen.members is None else chosen.members
        support = np.ones((k, 1), bool) if chosen.support is None else chosen.support
        return {
            "members": members, "arm_support": support.astype(np.uint8), "arm_chances": self.chances,
            "arm_accuracies": self.accuracies, "arm_order": _order(self.names),
        }  # fmt: skip

    def metrics(self) -> dict[str, float]:
        """What the page shows."""
        found = {CHANCE + name: float(p) for name, p in zip(self.names, self.chances, strict=True)}
        pairs = zip(self.names, self.accuracies, strict=True)
        return found | {ACCURACY + name: float(a) for name, a in pairs if np.isfinite(a)}


def learn(
    experiment: Experiment, composition: Composition, pool: Pool, evidence: Mapping[str, Any]
) -> Lesson:
    """Replay all rounds so far and say what this round should draw by."""
    rounds = experiment.store.rounds(experiment.id)
    names = tuple(arm.name for arm in composition.strategies)
    turns, asked = _turns(experiment, [r for r in rounds if _drew_by(r, names)], names)
    accuracies = np.full(len(names), np.nan)
    if turns:
        accuracies = _accuracies(turns, asked, pool, evidence, len(names))
        turns[-1] = Turn(turns[-1].chances, turns[-1].members, turns[-1].support, accuracies)
    options = composition.options
    horizon = int(options.get("horizon", 0)) or planned_queries(experiment, rounds, pool)
    delta = float(options.get("delta", 0.1))
    return Lesson(names, learned(turns, len(names), horizon=horizon, delta=delta), accuracies)


def _drew_by(record: RoundRecord, names: tuple[str, ...]) -> bool:
    """Whether the round's query came of these arms: a fork may have others than its parent."""
    return all(CHANCE + name in record.metrics for name in names)


def planned_queries(experiment: Experiment, rounds: list[RoundRecord], pool: Pool) -> int:
    """How many queries the stops allow, where one of them says."""
    config = experiment.config
    bounds = [] if config.stop.n_rounds is None else [config.stop.n_rounds - 1]
    if config.stop.budget is not None:
        initial = rounds[0].num_labeled if rounds else len(pool.labeled_ids)
        bounds.append(-(-(config.stop.budget - initial) // config.query.n_new))
    return max(min(bounds), 1) if bounds else DEFAULT_HORIZON


def _order(names: tuple[str, ...]) -> Int64[np.ndarray, " K"]:
    """Each arm's place by name: arms are kept by position, and a fork may have the same in another order."""
    return np.argsort(np.argsort(names))


def _turns(
    experiment: Experiment, rounds: list[RoundRecord], names: tuple[str, ...]
) -> tuple[list[Turn], list[SampleIds]]:
    """The queries so far, of which the last has no accuracies yet, and the ids that each asked for."""
    own, num_arms = _order(names), len(names)
    objects = Objects(experiment.settings.objects)
    queries = {query.round: query for query in experiment.store.queries(experiment.id)}
    turns: list[Turn] = []
    asked: list[SampleIds] = []
    for record in rounds:
        stored = objects.get_arrays(record.artefacts["arrays"]) if "arrays" in record.artefacts else {}
        if record.number not in queries or len(stored.get("arm_chances", ())) != num_arms:
            continue
        theirs = stored.get("arm_order", own)  # earlier versions kept none
        source = np.argsort(theirs)[own]  # where each of our arms stands there
        if turns:
            last = turns[-1]
            turns[-1] = Turn(last.chances, last.members, last.support, stored["arm_accuracies"][source])
        support = stored["arm_support"].astype(bool)[:, source]
        members = np.argsort(source)[stored["members"]]
        turns.append(Turn(stored["arm_chances"][source], members, support, np.full(num_arms, np.nan)))
        ids = np.array([item.sample_id for item in queries[record.number].items], np.int64)
        asked.append(ids[~np.isin(ids, experiment.reserve)])  # no arm chose the hold-back
    return turns, asked


def _accuracies(
    turns: list[Turn], asked: list[SampleIds], pool: Pool, evidence: Mapping[str, Any], num_arms: int
) -> Float[np.ndarray, " K"]:
    """How well each arm's picks of the last query teach a probe; images that no bandit picked weigh 1."""
    ids = pool.labeled_ids
    odds, arms = np.ones(len(ids)), np.full(len(ids), -1)
    for turn, picked in zip(turns, asked, strict=True):
        places, own = _places(ids, picked)
        odds[places] = turn.odds[own]
    places, own = _places(ids, asked[-1])
    arms[places] = turns[-1].members[own]
    return arm_accuracies(evidence["labeled_features"], pool.labeled_classes, arms, odds, num_arms)


def _places(ids: SampleIds, picked: SampleIds) -> tuple[np.ndarray, np.ndarray]:
    """Where the picked ids that have labels stand among the labeled, and which of the picked they are."""
    _, places, own = np.intersect1d(ids, picked, assume_unique=True, return_indices=True)
    return places, own
