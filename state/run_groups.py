"""Runs whose names begin alike, as the page of all runs sees them; cached until a round lands."""

from __future__ import annotations

from functools import lru_cache

from al_core.results.axes import Over, Prices
from al_core.results.runs import Group, groups, result_of_groups, run_of
from al_core.results.study import StudyResult
from state import cache, handles
from state.studies import load_statistics


def found(prefix: str) -> tuple[tuple[str, int], ...]:
    """Ids and versions of the runs that have a round, oldest first; those of studies too."""
    records = handles.store().experiments(cells=True)
    return tuple((r.id, r.version) for r in reversed(records) if r.name.startswith(prefix) and r.num_rounds)


@lru_cache(maxsize=16)
def configurations(runs: tuple[tuple[str, int], ...], labels: tuple[str, ...]) -> tuple[Group, ...]:
    """Those runs, by configuration."""
    store = handles.store()
    records = [store.experiment(run) for run, _ in runs]
    return tuple(groups([run_of(record, cache.rounds(record)) for record in records], labels))


@lru_cache(maxsize=32)
def result(
    runs: tuple[tuple[str, int], ...],
    labels: tuple[str, ...],
    metric: str | None,
    over: Over,
    prices: Prices | None,
) -> StudyResult:
    """The configurations as arms."""
    load_statistics()
    return result_of_groups("", configurations(runs, labels), metric, over=over, prices=prices)
