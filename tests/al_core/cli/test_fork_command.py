"""`fork` on the command line."""

import json

import pytest

from al_core.cli import main
from al_core.store import open_store
from tests.al_core.worker.conftest import config, prepared, settings, store, watermarked, work

__all__ = ["config", "prepared", "settings", "store", "watermarked", "work"]


@pytest.fixture
def run(store, settings, config, work, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(settings.home))
    monkeypatch.setenv("AL_DATA_ROOTS", str(settings.data_roots[0]))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    _, experiment = work(store.create_experiment(config.changed(name="first", query__strategy="margin")).id)
    return experiment


def test_a_fork_runs_on_is_listed_and_verifies(run, store, settings, tmp_path, capsys):
    command = ["fork", run.id, "--round", "0", "--strategy", "badge", "--quiet", "--out", str(tmp_path / "o")]
    assert main(command) == 0
    assert "round 1: 21 labels" in capsys.readouterr().out
    made = json.loads((tmp_path / "o" / "run.json").read_text())["experiment"]
    record = store.experiment(made)
    assert (record.parent_id, record.name) == (run.id, "first · badge from round 0")
    assert (tmp_path / "o" / "records.json").is_file()
    assert main([*command, "--resume"]) == 0
    for changed in (["--epochs", "9"], ["--strategy", "margin"]):
        assert main([*command, "--resume", *changed]) == 2
        assert "leave the changed options out" in capsys.readouterr().err
    resume = ["--quiet", "--out", str(tmp_path / "o"), "--resume"]
    assert main(["fork", run.id, "--round", "1", *resume]) == 2
    assert "--round: 1 is refused; the fork that --out holds left after round 0" in capsys.readouterr().err
    assert main(["fork", made, "--round", "0", *resume]) == 2
    said = capsys.readouterr().err
    assert f"RUN: '{made}' is refused; the fork that --out holds left '{run.id}'" in said
    assert "or name another folder" in said
    assert main([*command[:4], *resume]) == 0
    assert len(store.experiments()) == 2
    assert main(["verify"]) == 0


def test_a_folder_of_a_run_that_is_no_fork_is_refused(run, tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps({"experiment": run.id}))
    assert main(["fork", run.id, "--round", "0", "--quiet", "--out", str(tmp_path), "--resume"]) == 2
    assert "holds a run that is no fork" in capsys.readouterr().err


@pytest.mark.parametrize("out", [True, False])
def test_an_interrupted_fork_says_how_it_goes_on(run, store, tmp_path, capsys, monkeypatch, out):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("al_core.cli.run._run_here", interrupt)
    given = ["--out", str(tmp_path / "o")] if out else []
    assert main(["fork", run.id, "--round", "0", "--strategy", "badge", "--quiet", *given]) == 130
    made = next(record.id for record in store.experiments() if record.id != run.id)
    said = capsys.readouterr().err
    assert f"kept as run {made}" in said
    assert ("the same command with --resume goes on" in said) is out


def test_a_folder_that_names_no_run_is_refused(run, tmp_path, capsys):
    (tmp_path / "run.json").write_text("{}")
    for command in (["run"], ["fork", run.id, "--round", "0"]):
        given = [*command, "--strategy", "badge", "--quiet", "--out", str(tmp_path), "--resume"]
        assert main(given) == 2
        assert "run.json does not name a run" in capsys.readouterr().err


def test_a_person_s_fork_asks_and_says_so(run, store, capsys):
    command = ["fork", run.id, "--round", "1", "--oracle", "human", "--n-rounds", "5", "--quiet"]
    assert main(command) == 0
    assert "waits for a person: 0 of 12 images are answered" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--round", "9", "--strategy", "badge"], "rounds 0 to 1"),
        (["--round", "0", "--seed", "4"], "stays 0 in a fork"),
        (["--round", "0"], "at least one option that differs"),
        (["--round", "0", "--strategy", "nope"], "strategy"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(run, store, capsys, flags, said):
    assert main(["fork", run.id, *flags, "--quiet"]) == 2
    assert said in capsys.readouterr().err
    opened = open_store(run.settings)
    assert len(opened.experiments()) == 1
    opened.close()
