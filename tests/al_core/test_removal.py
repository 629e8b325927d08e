"""Deleting runs and studies: what nothing else refers to goes from the disk, all else stays."""

import os
import time

import numpy as np
import pytest

from al_core.config import ExperimentConfig
from al_core.errors import NotFound, StoreError
from al_core.records import ExperimentStatus, JobState, RoundRecord
from al_core.removal import FRESH_SECONDS, delete_run, delete_study
from al_core.store import open_store
from al_core.store.objects import Objects


@pytest.fixture
def store(settings):
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def finished(store, settings):
    """A finished run whose one round refers to arrays of these values."""

    def make(*values, **more):
        record = store.create_experiment(ExperimentConfig(), **more)
        store.submit_job("advance", experiment_id=record.id)
        _, lease = store.claim_job("w")
        kept = {
            f"arrays{n}": Objects(settings.objects).put_arrays({"x": np.full(50, value)})
            for n, value in enumerate(values)
        }
        done = RoundRecord(record.id, 0, 20, 0, {}, None, (2,) * 10, {}, kept, {}, 0.0)
        store.finish_round(lease, done, None, status=ExperimentStatus.FINISHED)
        store.end_job(lease, JobState.DONE)
        return record.id, list(kept.values())

    return make


def there(settings, *shas):
    return [Objects(settings.objects).path(sha).exists() for sha in shas]


def test_a_study_s_objects_go_unless_another_run_refers_to_them(store, settings, finished):
    study = store.create_study("s", "{}")
    _, (own, shared) = finished(1, 2, study_id=study.id, cell=0)
    _, (also,) = finished(3, study_id=study.id, cell=1)
    keeper, (same,) = finished(2)
    assert same == shared
    (settings.home / "checkpoints" / store.study_experiments(study.id)[0].id).mkdir(parents=True)
    freed = delete_study(store, settings, study.id)
    assert there(settings, own, also, shared) == [False, False, True]
    assert freed > 2 * 50 * 8
    assert list((settings.home / "checkpoints").iterdir()) == []
    assert store.rounds(keeper)[0].artefacts["arrays0"] == shared
    assert [e.id for e in store.experiments(cells=True)] == [keeper]


def test_a_run_is_deleted_with_its_baseline_s_objects(store, settings, finished):
    run, (own,) = finished(1)
    _, (ghost_s,) = finished(2, parent_id=run, ghost=True)
    delete_run(store, settings, run)
    assert there(settings, own, ghost_s) == [False, False]
    with pytest.raises(NotFound):
        delete_run(store, settings, run)


def test_a_study_that_runs_is_refused_and_loses_nothing(store, settings, finished):
    study = store.create_study("s", "{}")
    _, (own,) = finished(1, study_id=study.id, cell=0)
    waiting = store.create_experiment(ExperimentConfig(), study_id=study.id, cell=1)
    store.submit_job("advance", experiment_id=waiting.id)
    with pytest.raises(StoreError, match="stop it first"):
        delete_study(store, settings, study.id)
    assert there(settings, own) == [True]
    assert len(store.study_experiments(study.id)) == 2


def test_while_anything_runs_a_young_object_is_left_for_it_may_be_about_to_be_referred_to(
    store, settings, finished
):
    run, (young, old) = finished(1, 2)
    other = store.create_experiment(ExperimentConfig())
    store.submit_job("advance", experiment_id=other.id)
    before = time.time() - FRESH_SECONDS - 10
    os.utime(Objects(settings.objects).path(old), (before, before))
    delete_run(store, settings, run)
    assert there(settings, young, old) == [True, False]


def test_the_logs_of_a_deleted_run_s_jobs_go_and_other_logs_stay(store, settings, finished):
    run, _ = finished(1)
    keeper, _ = finished(2)
    logs = settings.logs / "jobs"
    logs.mkdir(parents=True)
    files = {one: [logs / f"{job.id}.log" for job in store.jobs(experiment_id=one)] for one in (run, keeper)}
    for file in files[run] + files[keeper]:
        file.write_text("words of a run")
    delete_run(store, settings, run)
    assert sorted(logs.iterdir()) == sorted(files[keeper])
