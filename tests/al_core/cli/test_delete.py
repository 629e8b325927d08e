"""`delete`, as a person types it."""

import io

import pytest

from al_core.cli import main
from al_core.config import ExperimentConfig
from al_core.settings import Settings
from al_core.store import open_store


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    opened = open_store(Settings.from_env())
    yield opened
    opened.close()


def terminal(monkeypatch, typed):
    answer = io.StringIO(typed + "\n")
    answer.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", answer)


def test_a_study_and_a_run_are_deleted_by_their_ids(store, capsys):
    study = store.create_study("my study", "{}")
    run = store.create_experiment(ExperimentConfig(name="my run"))
    for one, name in ((study.id, "my study"), (run.id, "my run")):
        assert main(["delete", one, "--yes"]) == 0
        assert f"deleted {name}" in capsys.readouterr().out
    assert store.studies() == store.experiments() == []


def test_the_name_has_to_be_typed(store, monkeypatch, capsys):
    study = store.create_study("my study", "{}")
    terminal(monkeypatch, "another")
    assert main(["delete", study.id]) == 2
    assert "nothing was deleted" in capsys.readouterr().err
    terminal(monkeypatch, "my study")
    assert main(["delete", study.id]) == 0
    assert store.studies() == []


def test_without_a_terminal_it_has_to_be_said(store, monkeypatch, capsys):
    study = store.create_study("s", "{}")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["delete", study.id]) == 2
    assert "--yes" in capsys.readouterr().err
    assert len(store.studies()) == 1


def test_what_is_not_there_or_runs_is_refused(store, capsys):
    assert main(["delete", "nope", "--yes"]) == 2
    study = store.create_study("s", "{}")
    cell = store.create_experiment(ExperimentConfig(), study_id=study.id, cell=0)
    store.submit_job("advance", experiment_id=cell.id)
    assert main(["delete", study.id, "--yes"]) == 2
    assert "stop it first" in capsys.readouterr().err
    assert len(store.studies()) == 1
