"""Workers that the server starts: beside its own, as many as there is work and room for, or the cluster's."""

import pytest

from al_core.config import ExperimentConfig
from al_core.settings import Settings
from al_core.store import open_store
from al_core.study import StudyConfig
from al_core.study_running import begin, pause
from al_core.worker import gpus
from al_core.worker.runner import LocalRunner
from state import jobs


@pytest.fixture
def started(tmp_path, monkeypatch):
    """What would have been started, on a home with a study of four cells."""
    monkeypatch.setenv(gpus.VISIBLE, "")
    found = Started(tmp_path, monkeypatch)
    yield found
    found.store.close()


class Started:
    def __init__(self, tmp_path, monkeypatch):
        self.said, self.home, self.patch = [], tmp_path, monkeypatch
        self.settings = Settings.from_env({"AL_HOME": str(tmp_path)})
        self.store = open_store(self.settings)
        monkeypatch.setattr(jobs, "_CHILDREN", {})
        monkeypatch.setattr(jobs, "settings", lambda: self.settings)
        monkeypatch.setattr(jobs, "store", lambda: self.store)
        monkeypatch.setattr(jobs, "start_cluster", lambda _: self.said.append("cluster"))
        monkeypatch.setattr(
            LocalRunner, "start", lambda _, number, need: self.said.append((number, need.gpus))
        )

    def use(self, **env):
        self.settings = Settings.from_env({"AL_HOME": str(self.home), **env})

    def study(self, **changes):
        base = ExperimentConfig().changed(stop__n_rounds=2, **changes)
        return begin(self.store, StudyConfig.parse({"base": base, "seeds": 2}))


def test_beside_the_usual_worker_there_are_as_many_as_have_room(started):
    started.use(AL_WORKERS="3")
    jobs.ensure_study_workers()
    assert started.said == []  # nothing waits
    study = started.study()
    jobs.ensure_study_workers()
    assert started.said == [(0, 1), (1, 1)]
    started.said.clear()
    pause(started.store, study.id)
    jobs.ensure_study_workers()
    assert started.said == []


def test_cells_that_take_more_cores_or_a_gpu_are_fewer_at_a_time(started):
    started.use(AL_WORKERS="8")
    started.study(train__threads=4)
    jobs.ensure_study_workers()
    assert started.said == [(0, 1)]
    started.said.clear()
    started.patch.setenv(gpus.VISIBLE, "0")
    jobs.ensure_study_workers()
    assert started.said == []  # the usual worker has the one GPU


def test_where_a_cluster_is_set_its_process_is_started_instead(started):
    started.use(AL_WORKERS="8", AL_RAY_ADDRESS="10.0.0.1:6379")
    started.study()
    jobs.ensure_study_workers()
    assert started.said == ["cluster"]
