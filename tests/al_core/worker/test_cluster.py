"""A study on this machine, on PostgreSQL, and on Ray clusters of one and of three nodes: the same records."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from al_core.errors import ClusterError
from al_core.settings import Settings
from al_core.store import open_store
from al_core.worker.runner import runner_for
from tests.ray_cluster import unshare
from tests.stores import postgres
from tests.studies import outcome

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROOT = Path(__file__).resolve().parents[3]
STUDY = [
    "study", "--strategies", "margin", "kcenter", "--seeds", "3", "--dataset", "digits", "--n-rounds", "3",
    "--n-new", "10", "--epochs", "60", "--min-steps", "120", "--name", "everywhere", "--quiet",
]  # fmt: skip
__all__ = ["postgres"]


def environment(home, url=""):
    given = {"AL_HOME": str(home), "DATABASE_URL": url, "OMP_NUM_THREADS": "1", "AL_RAY_ADDRESS": ""}
    return os.environ | given


def ended(home, url=""):
    return outcome(Settings.from_env(environment(home, url)))


def run_here(home, url=""):
    done = subprocess.run(
        [sys.executable, "-m", "al_core", *STUDY, "--jobs", "2"], cwd=ROOT, env=environment(home, url),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def run_on_ray(home, url, *flags):
    pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-ray.txt")
    namespace, refused = unshare()
    if refused:
        pytest.skip(refused)
    done = subprocess.run(
        [*namespace, sys.executable, "-m", "tests.ray_cluster", *flags, "--", *STUDY],
        cwd=ROOT, env=environment(home, url), capture_output=True, text=True, timeout=560,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    happened = json.loads(done.stdout.splitlines()[-1])
    assert happened["status"] == 0, happened["said"] + logs(home)
    return happened


@pytest.mark.parametrize("kind", ["another machine", "another folder", "no database", "no answer"])
def test_a_cluster_that_cannot_work_on_the_store_is_refused(tmp_path, monkeypatch, kind):
    ray_runner = pytest.importorskip("al_core.worker.ray_runner", reason="ray is not installed")
    told = {"another machine": (0, '{"host": "b/1", "mark": true}', ""),
            "another folder": (0, '{"host": "b/1", "mark": false}', ""),
            "no database": (2, "", "db:5432 does not answer"),
            "no answer": ray_runner.RayError("the node is gone")}  # fmt: skip
    nodes = [{"NodeID": "a" * 56, "NodeManagerAddress": "10.0.0.2", "Alive": True, "Resources": {"CPU": 2.0}}]

    def get(reference, timeout):
        if isinstance(told[kind], Exception):
            raise told[kind]
        return told[kind]

    ended = []
    for name, fake in {"init": lambda **_: None, "nodes": lambda: nodes, "get": get,
                       "shutdown": lambda: ended.append(True)}.items():  # fmt: skip
        monkeypatch.setattr(ray_runner.ray, name, fake)
    monkeypatch.setattr(ray_runner, "_remote", lambda *_: None)
    settings = Settings.from_env({"AL_HOME": str(tmp_path), "AL_RAY_ADDRESS": "auto"})
    words = {"another machine": "SQLite is for one machine.*PostgreSQL", "another folder": "set AL_HOME to a",
             "no database": "db:5432 does not answer", "no answer": "node is gone"}  # fmt: skip
    with pytest.raises(ClusterError, match=words[kind]):
        runner_for(settings, idle_minutes=1)
    assert ended
    assert list(tmp_path.glob("cluster-*")) == []


def test_an_address_where_nobody_answers_is_refused_soon(tmp_path):
    pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-ray.txt")
    with socket.socket() as bound:  # to a port, but nobody listens
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        settings = Settings.from_env({"AL_HOME": str(tmp_path), "AL_RAY_ADDRESS": address})
        with pytest.raises(ClusterError, match=f"no Ray cluster answers at '{address}'.*ray start --head"):
            runner_for(settings, idle_minutes=1)


def logs(home):
    return "".join(path.read_text()[-2000:] for path in (Path(home) / "logs").glob("worker-*.log"))


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What an undisturbed run on this machine writes into SQLite."""
    home = tmp_path_factory.mktemp("calm")
    run_here(home)
    found = ended(home)
    assert len(found) == 6
    assert len({str(cell[3:]) for cell in found}) == 6  # else equal outcomes would prove nothing
    return found


def test_on_postgresql_a_study_ends_as_on_sqlite(tmp_path, expected, postgres):
    with postgres.database() as url:
        run_here(tmp_path, url)
        assert ended(tmp_path, url) == expected
    assert not list(tmp_path.glob("*.db"))


def test_on_a_ray_cluster_of_one_node_a_study_ends_as_here(tmp_path, expected):
    run_on_ray(tmp_path, "", "--nodes", "1")
    assert ended(tmp_path) == expected
    assert (tmp_path / "logs" / "worker-ray-0.log").read_text()


def test_when_one_of_three_nodes_dies_a_study_ends_as_here(tmp_path, expected, postgres):
    with postgres.database() as url:
        happened = run_on_ray(tmp_path, url, "--nodes", "3", "--kill")
        assert ended(tmp_path, url) == expected
        store = open_store(url)
        attempts = {job.id: job.attempt for job in store.jobs(limit=1000)}
        left = store.workers()
        store.close()
    assert happened["nodes"] == 3  # all of which trained when one was killed
    assert happened["epochs"] > 0, "the round that was killed had lost nothing"
    assert happened["heir"] in (0, 2)  # a worker of a node that lives took the job over
    assert attempts.pop(happened["job"]) > happened["attempt"]
    assert set(attempts.values()) == {1}  # the death of one node touched no other's job
    assert left == []
