"""What a command is about: a run or a study by its id, or runs by the beginning of their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from al_core.data.dataset import Dataset
from al_core.errors import ALError, ConfigError, NotFound, Problem
from al_core.experiment import Experiment
from al_core.records import RoundRecord, StudyRecord
from al_core.results.analysis import Metric, measured
from al_core.results.figures.sheets import SideBySide
from al_core.results.runs import Group, Run, groups, groups_of_study, runs_in_folders, runs_named
from al_core.results.study import study_result
from al_core.settings import Settings
from al_core.store.base import Store


def run_or_study(store: Store, settings: Settings, wanted: str) -> Experiment | StudyRecord:
    """The run or the study of that id.

    Raises:
        NotFound: there is neither.
    """
    try:
        return Experiment.open(store, settings, wanted)
    except NotFound:
        pass
    try:
        return store.study(wanted)
    except NotFound:
        raise NotFound(
            f"there is no run and no study {wanted!r}; `list runs` and `list studies` show them"
        ) from None


def runs_beginning(store: Store, prefix: str) -> list[Run]:
    """Runs in folders whose path begins so, or else runs of the store whose name does.

    Raises:
        ConfigError: there are none.
    """
    found = runs_in_folders(prefix) or runs_named(store, prefix)
    if not found:
        allowed = "no folder with records.json and no run of the store begins so; `list runs` shows them"
        raise ConfigError([Problem("prefix", prefix, allowed)])
    return found


def side_of_study(store: Store, settings: Settings, study: StudyRecord) -> SideBySide:
    """A study's arms with all that their figures need."""
    side = _side(store, settings, study.name, groups_of_study(store, study.id))
    return replace(side, read=partial(study_result, store, study.id))


def side_of_runs(
    store: Store, settings: Settings, name: str, runs: list[Run], labels: list[str]
) -> SideBySide:
    """Runs by configuration."""
    return _side(store, settings, name, groups(runs, labels))


def require_measured(metric: Metric | None, rounds: Sequence[RoundRecord]) -> None:
    """Raises ConfigError where a metric is asked for that none of the rounds has."""
    offered = measured(rounds)
    if metric is not None and metric not in offered:
        found = ", ".join(m.key for m in offered) or "nothing"
        raise ConfigError([Problem("--metric", metric.key, f"was not measured; {found} was")])


def _side(store: Store, settings: Settings, name: str, found: list[Group]) -> SideBySide:
    known = {r.id for r in store.experiments(cells=True)}
    queries = {
        group.title: {seed: store.queries(run.id) for seed, run in group.runs.items() if run.id in known}
        for group in found
    }
    ids = [run.id for group in found for run in group.runs.values() if run.id in known]
    return SideBySide(name, found, queries, _dataset(store, settings, ids))


def _dataset(store: Store, settings: Settings, ids: list[str]) -> Dataset | None:
    """The data set that all of them share."""
    keys = {store.experiment(run).dataset_key for run in ids}
    if len(keys) != 1 or None in keys:
        return None
    try:
        return Experiment.open(store, settings, ids[0]).dataset
    except ALError:  # it was removed or has changed: the figures say nothing of classes then
        return None
