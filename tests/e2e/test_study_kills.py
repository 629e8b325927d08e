"""A study of the browser's: server, a worker and the whole machine are killed; the records are the same.

`AL_KILL_SEEDS=10 pytest tests/e2e/test_study_kills.py` draws ten orders and moments instead of two.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys

import pytest

from al_core.records import ExperimentStatus, JobState
from al_core.settings import Settings
from al_core.store import open_store
from al_core.study import StudyConfig
from al_core.study_running import begin
from al_core.worker.identity import is_alive
from tests.al_core.worker.conftest import eventually
from tests.e2e.conftest import ROOT, Server
from tests.studies import outcome

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1800)]
STUDY = {
    "name": "killed",
    "base": {
        "oracle": "truth", "query": {"n_new": 10}, "stop": {"n_rounds": 4},
        "train": {"epochs": 80, "min_steps": 160, "device": "cpu"},
    },
    "axes": {"query.strategy": ["margin", "random"]},
    "seeds": [0, 1],
}  # fmt: skip
SEEDS = range(int(os.environ.get("AL_KILL_SEEDS", "2")))
LONG = 300  # seconds: other work may share the machine


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The same study, undisturbed, from the command line."""
    folder = tmp_path_factory.mktemp("calm")
    (folder / "study.json").write_text(json.dumps(STUDY))
    env = os.environ | {"AL_HOME": str(folder / "home"), "AL_WORKERS": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "al_core", "study", str(folder / "study.json"), "--quiet"], cwd=ROOT, env=env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return outcome(Settings.from_env({"AL_HOME": str(folder / "home")}))


@pytest.fixture
def machine(tmp_path):
    """A server with its workers, all of which are ended afterwards."""
    running = Machine(tmp_path / "home")
    yield running
    running.die()
    running.store.close()


class PatientServer(Server):
    """One that may start beside other work."""

    def wait(self, seconds=LONG):
        super().wait(seconds)


class Machine:
    """What dies together."""

    def __init__(self, home):
        home.mkdir()
        self.server = PatientServer(home, env={"AL_WORKERS": "2"})
        self.store = open_store(self.server.settings)

    def alive(self):
        return {worker.id: worker for worker in self.store.workers() if is_alive(worker)}

    def training(self, study, *, than=0):
        """A running cell that has something to lose, after more than so many epochs of the study in all."""
        cells = {cell.id for cell in self.store.study_experiments(study.id)}
        workers = self.alive()
        if self.epochs(study) <= than:
            return None
        for job in self.store.jobs(active=True):
            if job.experiment_id in cells and job.state is JobState.RUNNING and job.worker in workers:
                return job
        return None

    def epochs(self, study):
        return sum(len(self.store.epochs(cell.id)) for cell in self.store.study_experiments(study.id))

    def log(self):
        logs = self.server.settings.logs.glob("worker*.log")
        return "".join(path.read_text()[-2000:] for path in logs) + self.server.log.read_text()[-2000:]

    def in_flight(self, study, workers):
        """The study's jobs that these workers hold."""
        cells = {cell.id for cell in self.store.study_experiments(study.id)}
        jobs = [job for job in self.store.jobs(active=True) if job.experiment_id in cells]
        return [job for job in jobs if job.state is JobState.RUNNING and job.worker in workers]

    def server_dies(self, study):
        """Its workers go on without it, and the next server finds them and starts none beside them."""
        self.server.kill()
        orphans, seen = set(self.alive()), self.epochs(study)
        held = until(self, lambda: self.in_flight(study, orphans))
        until(self, lambda: self.epochs(study) > seen + 20 or self.over(study))
        assert set(self.alive()) >= orphans
        self.server.start()
        until(self, lambda: self.training(study, than=seen + 40) or self.over(study))
        assert len(self.alive()) <= 2
        assert all(self.store.job(job.id).attempt == job.attempt for job in held)  # nobody noticed
        return []

    def worker_dies(self, study):
        """One of them, while it trains; the server, which lives, starts another."""
        while True:
            job = until(self, lambda: self.training(study))
            worker = self.alive()[job.worker]
            os.kill(worker.pid, signal.SIGKILL)
            assert eventually(lambda worker=worker: not is_alive(worker), LONG)
            if self.store.job(job.id).state is not JobState.DONE:  # else the kill came too late
                return [job]

    def die(self, study=None):
        """Everything at once; with a study the machine is started again."""
        if self.server.process is not None:
            self.server.kill()
        workers = self.alive()
        for worker in workers.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
        assert eventually(lambda: not self.alive(), LONG)
        if study is None:
            return []
        hit = self.in_flight(study, workers)  # who held them is dead: nothing moves any more
        assert hit, "nothing was in flight when the machine died: it tests nothing"
        self.server.start()
        return hit

    def over(self, study):
        return not any(map(unfinished, self.store.study_experiments(study.id)))


def until(machine, check):
    """Wait for what comes sooner or later, and give it."""
    found = []
    assert eventually(lambda: found.append(check()) or found[-1], LONG), machine.log()
    return found[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_server_worker_and_machine_die_at_random_moments_and_the_records_are_the_same(
    machine, expected, seed
):
    rng = random.Random(seed)
    total = sum(len(losses) for *_, losses, _ in expected)
    deaths = [machine.server_dies, machine.worker_dies, machine.die]
    rng.shuffle(deaths)
    moments = sorted(rng.randrange(total // 20, total * 3 // 4) for _ in deaths)
    machine.server.start()
    study = begin(machine.store, StudyConfig.parse(STUDY), idempotency_key="one click")
    assert begin(machine.store, StudyConfig.parse(STUDY), idempotency_key="one click").id == study.id
    for death, moment in zip(deaths, moments, strict=True):
        until(machine, lambda moment=moment: machine.training(study, than=moment))
        hit = death(study)
        for job in hit:  # what was lost is taken up by another attempt: the kill came while it ran
            until(machine, lambda job=job: machine.store.job(job.id).attempt > job.attempt)
    until(machine, lambda: not any(map(unfinished, machine.store.study_experiments(study.id))))
    assert outcome(machine.server.settings) == expected


def unfinished(cell):
    return cell.status is not ExperimentStatus.FINISHED
