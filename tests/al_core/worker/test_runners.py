import os

import pytest

from al_core.config import ExperimentConfig
from al_core.errors import ClusterError
from al_core.settings import Settings
from al_core.study import StudyConfig
from al_core.study_running import begin, stop
from al_core.worker import cluster, gpus, identity, runner
from al_core.worker.gpus import Lease
from al_core.worker.identity import Slot, own_record, requeue_dead
from al_core.worker.runner import Crew, LocalRunner, Need, runner_for
from al_core.worker.starting import study_slot
from tests.al_core.worker.conftest import eventually


class Process:
    def __init__(self):
        self.status = None
        self.asked = False

    def poll(self):
        return self.status

    def terminate(self):
        self.asked, self.status = True, 0

    def wait(self, timeout=None):
        assert self.asked
        return self.status


class Machine:
    """A runner that only remembers."""

    def __init__(self, room):
        self.room, self.started, self.refused = room, [], set()

    def capacity(self, need):
        return self.room

    def start(self, number, need):
        if number in self.refused:
            return None
        self.started.append((number, Process()))
        return self.started[-1][1]

    def close(self):
        pass


def settings_with(tmp_path, **env):
    return Settings.from_env({"AL_HOME": str(tmp_path / "home"), **env})


def test_a_crew_is_as_large_as_the_work_and_the_room_and_replaces_who_ended():
    machine = Machine(2)
    crew = Crew(machine, Need())
    crew.keep(1)
    assert [number for number, _ in machine.started] == [0]
    crew.keep(9)
    crew.keep(9)
    assert [number for number, _ in machine.started] == [0, 1]
    machine.started[0][1].status = -9
    crew.keep(9)
    assert [number for number, _ in machine.started] == [0, 1, 0]
    crew.dismiss()
    assert [process.asked for _, process in machine.started] == [False, True, True]


def test_a_crew_may_be_told_to_be_larger_or_smaller_than_the_room():
    machine = Machine(2)
    Crew(machine, Need(), 1).keep(9)
    assert len(machine.started) == 1
    Crew(machine, Need(), 3).keep(9)
    assert len(machine.started) == 4


def test_a_place_that_another_process_has_is_left_to_it():
    machine = Machine(2)
    machine.refused = {0}
    crew = Crew(machine, Need())
    crew.keep(2)
    assert [number for number, _ in machine.started] == [1]
    machine.refused = set()
    crew.keep(2)
    assert [number for number, _ in machine.started] == [1, 0]


def test_workers_that_cannot_even_start_are_not_started_for_ever():
    machine = Machine(1)
    crew = Crew(machine, Need())
    crew.keep(1)
    for _ in range(runner.MOST_FAILURES - 1):
        machine.started[-1][1].status = 2
        crew.keep(1)
    machine.started[-1][1].status = 2
    with pytest.raises(ClusterError, match=r"exit status 2.*log among the logs of AL_HOME"):
        crew.keep(1)


def test_killed_workers_and_those_without_work_are_replaced_without_complaint():
    machine = Machine(1)
    crew = Crew(machine, Need())
    for status in (2, 2, 0, 2, 2, -9, 2, 2):
        crew.keep(1)
        machine.started[-1][1].status = status
    crew.keep(1)
    assert len(machine.started) == 9


def test_cells_that_train_with_more_threads_are_fewer_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setenv(gpus.VISIBLE, "")
    here = LocalRunner(settings_with(tmp_path, AL_WORKERS="8"), idle_minutes=1)
    config = ExperimentConfig()
    assert here.capacity(Need.of([config, config.changed(train__threads=3)])) == 2
    assert here.capacity(Need.of([config.changed(train__threads=16)])) == 1
    assert here.capacity(Need.of([config])) == 8


def test_where_there_are_gpus_each_worker_has_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv(gpus.VISIBLE, "4,7")
    here = LocalRunner(settings_with(tmp_path, AL_WORKERS="8"), idle_minutes=1)
    assert here.capacity(Need.of([ExperimentConfig()])) == 2
    assert here.capacity(Need.of([ExperimentConfig().changed(train__device="cpu")])) == 8
    first, second, third = (Lease(tmp_path) for _ in range(3))
    assert first.take(1)
    assert os.environ[gpus.VISIBLE] == "4"
    monkeypatch.setenv(gpus.VISIBLE, "4,7")
    assert not second.take(2)  # one is left: all or none
    assert second.take(1)
    assert os.environ[gpus.VISIBLE] == "7"
    monkeypatch.setenv(gpus.VISIBLE, "4,7")
    assert not third.take(1)
    second.release()
    assert third.take(1)
    first.release()
    third.release()


def test_a_worker_that_sees_every_gpu_keeps_the_first_for_itself(tmp_path, monkeypatch):
    monkeypatch.setenv(gpus.VISIBLE, "4,7")
    one, other = Lease(tmp_path), Lease(tmp_path)
    one.hold_first()
    assert os.environ[gpus.VISIBLE] == "4,7"
    assert other.take(1)
    assert os.environ[gpus.VISIBLE] == "7"
    one.release()
    other.release()


def test_a_slot_that_is_taken_starts_no_process(tmp_path):
    settings = settings_with(tmp_path)
    slot = Slot(settings.home, study_slot(0))
    assert slot.take()
    assert LocalRunner(settings, idle_minutes=1).start(0, Need()) is None
    slot.release()


def test_a_cluster_is_asked_for_by_its_address_alone(tmp_path, monkeypatch):
    assert isinstance(runner_for(settings_with(tmp_path), idle_minutes=1), LocalRunner)
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    monkeypatch.delitem(__import__("sys").modules, "al_core.worker.ray_runner", raising=False)
    asked = settings_with(tmp_path, AL_RAY_ADDRESS="10.0.0.1:6379")
    with pytest.raises(ClusterError, match=r"needs the package ray: pip install -r requirements-ray\.txt"):
        runner_for(asked, idle_minutes=1)


def test_the_clusters_process_keeps_workers_while_cells_wait_and_then_ends(store, settings, monkeypatch):
    base = ExperimentConfig().changed(stop__n_rounds=2, train__threads=2, train__device="cpu")
    study = begin(store, StudyConfig.parse({"base": base, "seeds": 1}))
    machine = Machine(4)
    monkeypatch.setattr(cluster, "runner_for", lambda *_, **__: machine)
    monkeypatch.setattr(cluster, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(cluster, "IDLE_SECONDS", 0.1)
    needs = []
    monkeypatch.setattr(machine, "capacity", lambda need: needs.append(need) or stop(store, study.id) or 4)
    cluster.work(store, settings)
    assert [number for number, _ in machine.started] == [0, 1]
    assert all(process.asked for _, process in machine.started)
    assert needs == [Need(cpus=2, gpus=0)]


def test_a_cluster_that_cannot_be_used_is_not_asked_again_at_once(settings, monkeypatch, caplog):
    def refuse(*_, **__):
        raise ClusterError("no Ray cluster answers")

    slept = []
    monkeypatch.setenv("AL_HOME", str(settings.home))
    monkeypatch.setattr(cluster, "runner_for", refuse)
    monkeypatch.setattr(
        cluster.time, "sleep", lambda s: slept.append((s, Slot(settings.home, "cluster").taken()))
    )
    assert cluster.main() == 2
    assert slept == [(cluster.REFUSED_SECONDS, True)]
    assert "studies train on this machine alone: no Ray cluster answers" in caplog.text
    assert not Slot(settings.home, "cluster").taken()


def test_two_machines_of_one_name_are_told_apart(monkeypatch):
    here = own_record()
    assert identity.is_alive(here) is True
    elsewhere = type(here)(**{**here.__dict__, "host": here.host.partition("/")[0] + "/00000000"})
    assert identity.is_alive(elsewhere) is None


def test_a_worker_of_another_machine_is_forgotten_when_it_is_silent_and_has_no_job(store):
    record = own_record()
    far = {**record.__dict__, "host": "elsewhere/1"}
    store.put_worker(type(record)(**{**far, "id": "busy", "heartbeat_at": 0.0}))
    store.put_worker(type(record)(**{**far, "id": "gone", "heartbeat_at": 0.0}))
    store.put_worker(type(record)(**{**far, "id": "idle"}))
    experiment = store.create_experiment(ExperimentConfig())
    store.submit_job("advance", experiment_id=experiment.id)
    store.claim_job("busy")
    assert requeue_dead(store, 30.0) == []
    assert {worker.id for worker in store.workers()} == {"busy", "idle"}


@pytest.mark.slow
def test_a_clusters_worker_dies_with_the_task_that_started_it(settings, store):
    import signal
    import subprocess
    import sys
    from pathlib import Path

    from al_core.worker.starting import worker_command, worker_environment

    program = (
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([*sys.argv[1:], '--parent', str(os.getpid())])\n"
        "time.sleep(600)\n"
    )
    task = subprocess.Popen(
        [sys.executable, "-c", program, *worker_command()], cwd=Path(__file__).resolve().parents[3],
        env=os.environ | worker_environment(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert eventually(lambda: store.workers(), 120)
    (worker,) = store.workers()
    assert identity.is_alive(worker) is True
    task.send_signal(signal.SIGKILL)
    task.wait()
    assert eventually(lambda: identity.is_alive(worker) is False, 30)
    assert not Slot(settings.home).taken()
