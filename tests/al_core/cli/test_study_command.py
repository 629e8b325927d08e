"""`study` and `report`, as a person types them; killed and repeated, a study ends as an undisturbed one."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from al_core.cli import main
from al_core.config import ExperimentConfig
from al_core.records import ExperimentStatus
from al_core.settings import Settings
from al_core.store import open_store
from al_core.study import StudyConfig, begin
from al_core.worker.identity import is_alive

TINY = [
    "study", "--strategies", "random", "margin", "--seeds", "2", "--dataset", "digits", "--n-rounds", "3",
    "--n-new", "10", "--epochs", "8", "--min-steps", "20", "--name", "tiny", "--quiet",
]  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    return Settings.from_env()


def outcome(settings):
    """What a study measured and asked, cell by cell, without times."""
    store = open_store(settings)
    try:
        (study,) = store.studies()
        found = []
        for cell in store.study_experiments(study.id):
            assert cell.status is ExperimentStatus.FINISHED, store.jobs(experiment_id=cell.id)
            rounds = [(r.num_labeled, dict(r.metrics), r.confusion) for r in store.rounds(cell.id)]
            asked = [[item.sample_id for item in query.items] for query in store.queries(cell.id)]
            found.append((cell.cell, cell.config.seed, cell.config.query.strategy, rounds, asked))
        assert store.check() == []
        return found
    finally:
        store.close()


def started(out, home):
    environment = os.environ | {"AL_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "al_core", *TINY, "--out", str(out), "--jobs", "2"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def kill_all(command, settings):
    """The machine goes away: the command and every worker at once."""
    store = open_store(settings)
    try:
        workers = [worker.pid for worker in store.workers() if is_alive(worker)]
    finally:
        store.close()
    for pid in (command.pid, *workers):
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)
    command.communicate()
    return workers


@pytest.mark.slow
def test_a_study_that_is_killed_again_and_again_ends_as_one_that_never_was(tmp_path, home):
    calm = Settings.from_env({"AL_HOME": str(tmp_path / "calm")})
    done = started(tmp_path / "one", calm.home)
    said = done.communicate(timeout=240)[0]
    assert done.returncode == 0, said
    assert "margin" in said
    assert "± is half the 95 % interval" in said
    expected = outcome(calm)
    store = open_store(calm)
    assert store.workers() == []  # they end with the command
    store.close()
    assert len(expected) == 4

    killed = 0
    for seconds in (4.0, 6.0, 8.0):
        command = started(tmp_path / "two", home.home)
        try:
            command.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            killed += 1
            kill_all(command, home)
    last = started(tmp_path / "two", home.home)
    said = last.communicate(timeout=240)[0]
    assert last.returncode == 0, said
    assert killed >= 1
    assert outcome(home) == expected
    for name in ("report.md", "summary.csv", "curves.csv"):
        assert (tmp_path / "two" / name).read_text() == (tmp_path / "one" / name).read_text()


def test_another_study_is_not_written_over_one_that_is_there(home, tmp_path, capsys):
    out = tmp_path / "out"
    store = open_store(home)
    config = StudyConfig.parse(
        {"base": ExperimentConfig().changed(name="other", stop__n_rounds=2), "seeds": 1}
    )
    record = begin(store, config)
    store.close()
    out.mkdir()
    (out / "study.json").write_text(json.dumps({"study": record.id}))
    assert main([*TINY, "--out", str(out)]) == 2
    assert "holds another study; name another folder" in capsys.readouterr().err


def test_what_a_study_cannot_do_is_said_before_anything_is_written(home, capsys):
    for words, said in (
        (["--strategies", "margn"], "did you mean 'margin'"),
        (["--axis", "query.n_neww=1,2"], "axes.query.n_neww"),
        (["--seeds", "1", "1"], "seeds that differ"),
        (["--axis", "model.model=small_cnn,resnet99"], "model.model"),
    ):
        assert main([*TINY[:1], *TINY[6:], *words]) == 2
        assert said in capsys.readouterr().err
    assert not home.home.exists() or not list(home.home.glob("*.db"))


def test_a_study_without_an_end_is_refused(home, capsys):
    assert main(["study", "--dataset", "digits", "--quiet"]) == 2
    assert "a study needs an end" in capsys.readouterr().err


def test_a_report_without_a_study_says_how_to_make_one(home, capsys):
    assert main(["report"]) == 2
    assert "study --preset quick" in capsys.readouterr().err
