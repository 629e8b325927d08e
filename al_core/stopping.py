"""When an experiment ends and how much it asks for until then, in words that a person reads.

Looks at the validation splits, at label counts and at predictions on images without labels; never at the test
split. Everything is a function of the recorded rounds, so that a resumed run decides as the first one did.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from al_core.config import QueryConfig, StopConfig
from al_core.records import RoundRecord
from al_core.seeds import generator
from al_core.types import Labels, SampleIds
from al_core.words import kept, kept_n, noted

AGREEMENT: Final = "stop_agreement"
CLASS_CHANGE: Final = "stop_class_change"
"""Keys among a round's metrics: its predictions on the stop set against those of the round before."""
_LARGEST: Final = 10  # query sizes; where the schedule has no cap of its own


def stop_reason(stop: StopConfig, rounds: Sequence[RoundRecord], num_unlabeled: int) -> str | None:
    """The first stop that holds after the last of `rounds`, or None. Never looks at the test split."""
    if not rounds:
        return None
    last = rounds[-1]
    accuracies = [r.metrics.get("validation_accuracy") for r in rounds]
    if stop.target_accuracy is not None and (accuracies[-1] or 0.0) >= stop.target_accuracy:
        return kept("target accuracy {n:g} reached on the validation split", n=stop.target_accuracy)
    if stop.budget is not None and last.num_labeled >= stop.budget:
        return kept_n("budget of {n} labels spent", "budget of {n} labels spent", stop.budget)
    if stop.n_rounds is not None and len(rounds) >= stop.n_rounds:
        return kept_n("all {n} rounds done", "all {n} rounds done", stop.n_rounds)
    if stop.patience is not None and len(rounds) > stop.patience:
        values = [a if a is not None else 0.0 for a in accuracies]
        best_before = max(values[: -stop.patience])
        if max(values[-stop.patience :]) <= best_before:
            return kept_n(
                "no better validation accuracy in {n} rounds",
                "no better validation accuracy in {n} rounds",
                stop.patience,
            )
    if (stable := _stable(stop, rounds)) is not None:
        return stable
    if num_unlabeled == 0:
        return noted("every image of the pool is labeled")
    return None


def _stable(stop: StopConfig, rounds: Sequence[RoundRecord]) -> str | None:
    """Whether the predictions have settled, by either measure."""
    n = stop.stable_rounds
    agreement = _mean_of_last(rounds, AGREEMENT, n)
    if stop.agreement is not None and agreement is not None and agreement >= stop.agreement:
        return kept_n(
            "predictions are stable: kappa {kappa:.3f} in the last round, {enough:g} is enough",
            "predictions are stable: kappa {kappa:.3f} over {n} rounds, {enough:g} is enough",
            n,
            kappa=agreement,
            enough=stop.agreement,
        )
    change = _mean_of_last(rounds, CLASS_CHANGE, n)
    if stop.class_change is not None and change is not None and change <= stop.class_change:
        return kept_n(
            "predictions of every class are stable: F1 changes by {change:.3f} at most in the last round, "
            "{enough:g} is small enough",
            "predictions of every class are stable: F1 changes by {change:.3f} at most over {n} rounds, "
            "{enough:g} is small enough",
            n,
            change=change,
            enough=stop.class_change,
        )
    return None


def _mean_of_last(rounds: Sequence[RoundRecord], key: str, n: int) -> float | None:
    """The mean over the last n rounds; None until all of them have a value."""
    values = [r.metrics[key] for r in rounds[-n:] if key in r.metrics]
    return sum(values) / n if len(values) == n else None


def largest_size(query: QueryConfig) -> int:
    """Labels that a query asks for at most."""
    if query.size_schedule == "fixed":
        return query.n_new
    return max(query.n_new, query.max_new or _LARGEST * query.n_new)


def query_size(query: QueryConfig, stop: StopConfig, rounds: Sequence[RoundRecord], num_labeled: int) -> int:
    """Labels to ask for now: the query size or what its schedule says, and never more than the budget leaves.

    The schedule is the labelling rate of the first seed's report. With a_i the accuracy on the round
    validation and n the labels that the last round added, a label brought delta = max(eps, a_i - a_(i-1)) /
    n; the next gain min(g, 1 - a_i) should take gain / delta labels, R at most.
    """
    size = query.n_new
    if query.size_schedule == "rate" and len(rounds) > 1:
        before, last = rounds[-2], rounds[-1]
        was, now = before.metrics.get("validation_accuracy"), last.metrics.get("validation_accuracy")
        added = last.num_labeled - before.num_labeled
        if was is not None and now is not None and added > 0:
            delta = max(query.least_gain, now - was) / added
            gain = min(query.gain, 1 - now)
            # a thousandth of a label is the rounding of the division, not another image
            wanted = math.ceil(min(query.max_new or _LARGEST * query.n_new, gain / delta) - 1e-3)
            size = max(1, wanted)
    return size if stop.budget is None else max(0, min(size, stop.budget - num_labeled))


def stop_set(pool_ids: SampleIds, size: int, seed: int) -> SampleIds:
    """The images whose predictions are watched, sorted: drawn once from the pool, by the seed alone."""
    rng = generator(seed, "stop set")
    return np.sort(rng.permutation(pool_ids)[:size])


def kappa(one: Labels, other: Labels) -> float:
    """Cohen's agreement beyond chance of two models' predictions (1960).

    Over a fixed set without labels it says when another round changes nothing any more (Bloodgood and
    Vijay-Shanker, 2009, "A method for stopping active learning based on stabilizing predictions").
    """
    table = _contingency(one, other)
    expected = float((table.sum(0) * table.sum(1)).sum())
    observed = float(np.trace(table))
    # both say one and the same class throughout: chance explains it, and nothing changed
    return 1.0 if expected >= 1 else (observed - expected) / (1 - expected)


def class_change(one: Labels, other: Labels) -> float:
    """Predicted change of F1, of the class that changes most: 1 - F1 of one's predictions by the other's.

    Altschuler and Bloodgood (2019, arXiv:1901.09118), one class against the rest.
    """
    table = _contingency(one, other)
    sizes = table.sum(0) + table.sum(1)
    seen = sizes > 0
    return float((1 - 2 * np.diag(table)[seen] / sizes[seen]).max())


def _contingency(one: Labels, other: Labels) -> np.ndarray:
    """Shares of images by predicted class in both."""
    if len(one) == 0 or len(one) != len(other):
        raise ValueError(f"predictions of the same images are needed, not {len(one)} and {len(other)}")
    num_classes = int(max(one.max(), other.max())) + 1
    counts = np.bincount(one * num_classes + other, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes) / len(one)
