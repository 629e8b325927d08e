"""What strategies asked for, side by side: how much their queries overlap, and which classes they got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int

from al_core.records import Query, RoundRecord
from al_core.splits import long_tail
from al_core.types import INITIAL_ROUND, UNKNOWN

Queries = Mapping[str, Mapping[int, Sequence[Query]]]
"""Arm -> seed -> its queries."""


def jaccard(one: set[int], other: set[int]) -> float | None:
    """Shared images over all images; None where both are empty."""
    union = len(one | other)
    return len(one & other) / union if union else None


def overlap_frame(queries: Queries, *, so_far: bool = False) -> pd.DataFrame:
    """One row a pair of arms and round: the mean Jaccard overlap over the seeds that both have.

    Of the round's own queries, or with `so_far` of all that was asked until then. The initial set is
    everyone's and left out.
    """
    asked = {
        arm: {seed: _by_round(some, so_far=so_far) for seed, some in seeds.items()}
        for arm, seeds in queries.items()
    }
    arms = list(asked)
    rows = []
    for place, one in enumerate(arms):
        for other in arms[place + 1 :]:
            shared: dict[int, list[float]] = {}
            for seed in sorted(asked[one].keys() & asked[other].keys()):
                mine, theirs = asked[one][seed], asked[other][seed]
                for number in mine.keys() & theirs.keys():
                    value = jaccard(mine[number], theirs[number])
                    if value is not None:
                        shared.setdefault(number, []).append(value)
            rows += [(one, other, n, float(np.mean(v)), len(v)) for n, v in sorted(shared.items())]
    return pd.DataFrame(rows, columns=["arm", "other", "round", "overlap", "seeds"])


def _by_round(queries: Sequence[Query], *, so_far: bool) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    before: set[int] = set()
    for query in sorted(queries, key=lambda query: query.round):
        if query.round == INITIAL_ROUND:
            continue
        ids = {item.sample_id for item in query.items}
        before = before | ids if so_far else ids
        found[query.round] = before
    return found


def picked_classes(rounds: Sequence[RoundRecord], until: float) -> Int[np.ndarray, " C"] | None:
    """Labels of each class that came after the initial set, up to that number of labels; None: no query."""
    known = [r for r in rounds if r.num_labeled <= until and r.class_counts]
    if len(known) < 2:
        return None
    return np.array(known[-1].class_counts, int) - np.array(known[0].class_counts, int)


def class_frame(
    rounds: Mapping[str, Mapping[int, Sequence[RoundRecord]]], classes: Sequence[str], until: float
) -> pd.DataFrame:
    """One row an arm and class: share of the picks and their number, both means over the seeds."""
    rows = []
    for arm, seeds in rounds.items():
        counts = [c for some in seeds.values() if (c := picked_classes(some, until)) is not None and c.sum()]
        counts = [c for c in counts if len(c) == len(classes)]
        if not counts:
            continue
        number, share = np.mean(counts, axis=0), np.mean([c / c.sum() for c in counts], axis=0)
        rows += [(arm, i, classes[i], share[i], number[i], len(counts)) for i in range(len(classes))]
    return pd.DataFrame(rows, columns=["arm", "class_id", "class", "share", "count", "seeds"])


def pool_shares(
    labels: Int[np.ndarray, " N"], num_classes: int, imbalance: float | None = None
) -> list[float] | None:
    """Share of each class in the pool: what random picks tend to; None where not all labels are known."""
    labels = np.asarray(labels)
    if not len(labels) or (labels == UNKNOWN).any():
        return None
    counts = np.bincount(labels, minlength=num_classes)
    kept = counts if imbalance is None else long_tail(counts, imbalance)
    return (kept / kept.sum()).tolist()
