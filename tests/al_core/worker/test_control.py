import threading
import time

import pytest

from al_core.config import ExperimentConfig
from al_core.errors import Fenced
from al_core.records import JobState
from al_core.worker.control import Interrupted, JobControl
from tests.al_core.worker.conftest import eventually


@pytest.fixture
def claimed(store):
    experiment = store.create_experiment(ExperimentConfig())
    store.submit_job("advance", experiment_id=experiment.id)
    return store.claim_job("tester")


def test_a_stop_is_seen_between_two_batches(store, claimed):
    job, lease = claimed
    with JobControl(store, job, lease) as control:
        control()
        store.control_job(job.id, "stop")

        def stopped():
            try:
                control()
            except Interrupted as interrupted:
                return interrupted.state is JobState.STOPPED
            return False

        assert eventually(stopped, 1.0)


def test_a_pause_holds_the_computing_thread_and_a_resume_lets_it_go(store, claimed):
    job, lease = claimed
    store.control_job(job.id, "pause")
    passed = threading.Event()

    with JobControl(store, job, lease) as control:
        assert eventually(lambda: control._ask == "pause")

        def compute():
            control()
            passed.set()

        thread = threading.Thread(target=compute)
        thread.start()
        assert eventually(lambda: store.job(job.id).paused)
        assert not passed.is_set()
        store.control_job(job.id, "")
        assert passed.wait(2.0)
        thread.join()
        assert eventually(lambda: not store.job(job.id).paused)


def test_a_replaced_attempt_is_fenced_at_its_next_batch(store, claimed):
    job, lease = claimed
    with JobControl(store, job, lease) as control:
        store.requeue_lost(silent_seconds=1e9, dead_workers=["tester"])
        assert store.claim_job("another") is not None

        def fenced():
            try:
                control()
            except Fenced:
                return True
            return False

        assert eventually(fenced)


def test_a_job_gives_way_to_a_more_urgent_one_and_is_not_disturbed_by_a_lesser(store, claimed):
    job, lease = claimed
    other = store.create_experiment(ExperimentConfig())
    with JobControl(store, job, lease) as control:
        store.submit_job("advance", experiment_id=other.id, priority=-5)
        time.sleep(0.4)
        control()
        store.submit_job("prepare", spec={"data": {}}, priority=5)

        def gave_way():
            try:
                control()
            except Interrupted as interrupted:
                return interrupted.state is JobState.QUEUED
            return False

        assert eventually(gave_way)


def test_progress_reaches_the_store_and_facts_of_the_round_stay(store, claimed):
    job, lease = claimed
    with JobControl(store, job, lease) as control:
        control.note(round=3, device="cpu")
        control.progress("train", 4, 10, eta_seconds=1.5)
        assert eventually(lambda: store.job(job.id).progress.get("done") == 4)
        assert store.job(job.id).progress["round"] == 3
        control.progress("evaluate", 0, 5)
        assert eventually(lambda: store.job(job.id).progress.get("phase") == "evaluate")
        assert store.job(job.id).progress["device"] == "cpu"
        assert "eta_seconds" not in store.job(job.id).progress
