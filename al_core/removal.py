"""Deleting runs and studies for good: their rows, and the objects that nothing else refers to."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import Final

from al_core.settings import Settings
from al_core.store.base import Store
from al_core.store.objects import Objects

FRESH_SECONDS: Final = 3600.0
"""A worker keeps an object before the row that refers to it: one so young is left while any job runs."""


def delete_run(store: Store, settings: Settings, experiment_id: str) -> int:
    """Delete an experiment and its baseline; gives the bytes that were freed. A worker of it is fenced.

    Raises:
        NotFound: there is none.
    """
    ghost = store.ghost_of(experiment_id)
    ids = [experiment_id, *([] if ghost is None else [ghost.id])]
    kept, jobs = _artefacts(store, ids), _jobs(store, ids)
    store.delete_experiment(experiment_id)
    return _sweep(store, settings, ids, jobs, kept)


def delete_study(store: Store, settings: Settings, study_id: str) -> int:
    """Delete a study and its runs; gives the bytes that were freed.

    Raises:
        NotFound: there is none.
        StoreError: it runs; nothing was deleted.
    """
    ids = [experiment.id for experiment in store.study_experiments(study_id)]
    kept, jobs = _artefacts(store, ids), _jobs(store, ids)
    store.delete_study(study_id)
    return _sweep(store, settings, ids, jobs, kept)


def _artefacts(store: Store, ids: Iterable[str]) -> set[str]:
    return {sha for one in ids for record in store.rounds(one) for sha in record.artefacts.values()}


def _jobs(store: Store, ids: Iterable[str]) -> list[str]:
    return [job.id for one in ids for job in store.jobs(experiment_id=one, limit=100_000)]


def _sweep(
    store: Store, settings: Settings, ids: Iterable[str], jobs: Iterable[str], candidates: set[str]
) -> int:
    """Remove what only the deleted ones referred to. The rows are gone by now: a crash leaves some files."""
    for one in ids:
        shutil.rmtree(settings.home / "checkpoints" / one, ignore_errors=True)
    for job in jobs:  # whoever still works on one has its file open, and loses no more than its log
        (settings.logs / "jobs" / f"{job}.log").unlink(missing_ok=True)
    age = FRESH_SECONDS if store.jobs(active=True, limit=1) else 0.0
    objects = Objects(settings.objects)
    return sum(objects.remove(sha, older_than=age) for sha in candidates - store.artefacts())
