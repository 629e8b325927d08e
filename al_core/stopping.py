"""When an experiment ends, in words that a person reads."""

from __future__ import annotations

from collections.abc import Sequence

from al_core.config import StopConfig
from al_core.records import RoundRecord


def stop_reason(stop: StopConfig, rounds: Sequence[RoundRecord], num_unlabeled: int) -> str | None:
    """The first stop that holds after the last of `rounds`, or None. Never looks at the test split."""
    if not rounds:
        return None
    last = rounds[-1]
    accuracies = [r.metrics.get("validation_accuracy") for r in rounds]
    if stop.target_accuracy is not None and (accuracies[-1] or 0.0) >= stop.target_accuracy:
        return f"target accuracy {stop.target_accuracy:g} reached on the validation split"
    if stop.budget is not None and last.num_labeled >= stop.budget:
        return f"budget of {stop.budget} labels spent"
    if stop.n_rounds is not None and len(rounds) >= stop.n_rounds:
        return f"all {stop.n_rounds} rounds done"
    if stop.patience is not None and len(rounds) > stop.patience:
        values = [a if a is not None else 0.0 for a in accuracies]
        best_before = max(values[: -stop.patience])
        if max(values[-stop.patience :]) <= best_before:
            return f"no better validation accuracy in {stop.patience} rounds"
    if num_unlabeled == 0:
        return "every image of the pool is labeled"
    return None


def query_size(n_new: int, stop: StopConfig, num_labeled: int) -> int:
    """Labels to ask for now: the query size, or what the budget leaves."""
    return n_new if stop.budget is None else max(0, min(n_new, stop.budget - num_labeled))
