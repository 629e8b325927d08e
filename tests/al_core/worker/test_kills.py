"""A worker process killed at random instants: what ends is the same run, to the last bit."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from al_core.cli.verify import check_experiment
from al_core.experiment import Experiment
from al_core.records import ExperimentStatus, JobState
from al_core.store.objects import Objects
from al_core.worker.__main__ import NICENESS
from al_core.worker.identity import Slot, is_alive
from tests.al_core.worker.conftest import eventually

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("AL_KILL_TRIALS", "4"))


def start_worker(settings):
    settings.logs.mkdir(parents=True, exist_ok=True)
    env = os.environ | {
        "AL_HOME": str(settings.home),
        "AL_DATA_ROOTS": os.pathsep.join(map(str, settings.data_roots)),
    }
    with (settings.logs / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "al_core.worker", "--idle-minutes", "2"],
            cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


@pytest.fixture
def workers(settings):
    """Start workers; whatever still lives at the end is ended."""
    started = []

    def start():
        started.append(start_worker(settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def outcome(store, experiment_id):
    """Everything of a run that must not depend on interruptions."""
    return {
        "queries": [(q.round, [i.sample_id for i in q.items]) for q in store.queries(experiment_id)],
        "weights": [r.artefacts["weights"] for r in store.rounds(experiment_id)],
        "metrics": [dict(r.metrics) for r in store.rounds(experiment_id)],
        "labels": [(e.sample_id, e.value, e.round) for e in store.label_events(experiment_id)],
        "losses": [(e.round, e.epoch, e.train_loss) for e in store.epochs(experiment_id)],
    }


def test_a_worker_killed_at_random_instants_ends_with_the_uninterrupted_runs_records(
    store, settings, config, work, workers
):
    config = config.changed(stop__n_rounds=3, train__epochs=60, train__min_steps=60)
    _, whole = work(store.create_experiment(config).id)
    record = store.create_experiment(config.changed(name="killed"))
    store.submit_job("advance", experiment_id=record.id, spec={})
    rng = random.Random(7)
    killed_while_running = 0
    for _ in range(KILLS):
        process = workers()
        running = eventually(lambda: store.jobs(experiment_id=record.id)[0].state is JobState.RUNNING, 90)
        assert running, (settings.logs / "worker.log").read_text()[-3000:]
        time.sleep(rng.uniform(0.0, 1.2))
        killed_while_running += store.jobs(experiment_id=record.id)[0].state is JobState.RUNNING
        process.send_signal(signal.SIGKILL)
        process.wait()
        if store.experiment(record.id).status is ExperimentStatus.FINISHED:
            break
    assert killed_while_running >= 1
    workers()
    ended = eventually(lambda: store.experiment(record.id).status is ExperimentStatus.FINISHED, 120)
    assert ended, (settings.logs / "worker.log").read_text()[-3000:]
    assert outcome(store, record.id) == outcome(store, whole.id)
    assert list(check_experiment(store, Experiment.open(store, settings, record.id))) == []
    assert [*store.check(), *Objects(settings.objects).check()] == []


def test_sigterm_ends_after_the_batch_and_the_job_waits_for_the_next_worker(store, settings, config, workers):
    record = store.create_experiment(config.changed(train__epochs=100_00, train__min_steps=0))
    store.submit_job("advance", experiment_id=record.id, spec={})
    process = workers()
    assert eventually(lambda: len(store.epochs(record.id)) > 2, 90), (
        settings.logs / "worker.log"
    ).read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    job = store.jobs(experiment_id=record.id)[0]
    assert job.state is JobState.QUEUED
    assert store.workers() == []


def test_a_second_worker_finds_the_slot_taken_and_ends(store, settings, workers):
    first = workers()
    assert eventually(lambda: any(w.state == "idle" for w in store.workers()), 90)
    assert Slot(settings.home).taken()
    assert workers().wait(60) == 0
    assert first.poll() is None
    assert [is_alive(w) for w in store.workers()] == [True]
    assert psutil.Process(first.pid).nice() == max(NICENESS, os.nice(0))  # who labels comes first


def test_a_pause_and_a_stop_reach_a_training_worker_quickly(store, settings, config, workers):
    record = store.create_experiment(config.changed(train__epochs=10_000, train__min_steps=0))
    job = store.submit_job("advance", experiment_id=record.id, spec={})
    workers()
    assert eventually(lambda: len(store.epochs(record.id)) > 2, 90)
    store.control_job(job.id, "pause")
    assert eventually(lambda: store.job(job.id).paused, 3)
    seen = len(store.epochs(record.id))
    time.sleep(0.5)
    assert len(store.epochs(record.id)) == seen
    store.control_job(job.id, "")
    assert eventually(lambda: len(store.epochs(record.id)) > seen, 5)
    store.control_job(job.id, "stop")
    assert eventually(lambda: store.job(job.id).state is JobState.STOPPED, 5)
