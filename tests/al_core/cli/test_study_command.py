"""`study` and `report`, as a person types them; killed and repeated, a study ends as an undisturbed one."""

import argparse
import json
import os
import signal
import subprocess
import sys
from contextlib import closing

import psutil
import pytest

from al_core.cli import main
from al_core.cli.report import write_report
from al_core.cli.study import _config, _prepare, _settle, add_parser
from al_core.config import ExperimentConfig
from al_core.records import ExperimentStatus
from al_core.results.study import study_result
from al_core.settings import Settings
from al_core.store import open_store
from al_core.study import StudyConfig
from al_core.study_running import begin, resume
from al_core.worker.identity import is_alive
from tests.e2e.seeded_study import seed_study

TINY = [
    "study", "--strategies", "random", "margin", "--seeds", "2", "--dataset", "digits", "--n-rounds", "3",
    "--n-new", "10", "--epochs", "8", "--min-steps", "20", "--name", "tiny", "--quiet",
]  # fmt: skip
ENDING = ExperimentConfig().changed(stop__n_rounds=2)


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
        (["--most-seeds", "9"], "is the cap of --until-clear"),
        (["--until-clear", "--most-seeds", "99"], "most_seeds"),
        (["--seeds", "1", "1"], "seeds that differ"),
        (["--axis", "model.model=small_cnn,resnet99"], "model.model"),
    ):
        assert main([*TINY[:1], *TINY[6:], *words]) == 2
        assert said in capsys.readouterr().err
    assert not home.home.exists() or not list(home.home.glob("*.db"))


def test_a_study_without_an_end_is_refused(home, capsys):
    assert main(["study", "--dataset", "digits", "--quiet"]) == 2
    assert "a study needs an end" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "file"), ("[1, 2]", "file"), ("null", "file"), ('{"base": 5}', "base"),
        ('{"base": null}', "base"), ('{"axes": 5}', "axes"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_study_is_refused_with_what_is_wrong(home, tmp_path, capsys, text, said):
    (tmp_path / "s.json").write_text(text)
    assert main(["study", str(tmp_path / "s.json"), "--n-rounds", "2", "--quiet"]) == 2
    assert f"error: {said}: " in capsys.readouterr().err


def test_a_folder_that_names_no_study_is_refused(home, tmp_path, capsys):
    for text in ('{"name": "mine"}', "[1]", "{"):
        (tmp_path / "study.json").write_text(text)
        assert main([*TINY, "--out", str(tmp_path)]) == 2
        assert "study.json does not name a study" in capsys.readouterr().err


def test_a_report_without_a_study_says_how_to_make_one(home, capsys):
    assert main(["report"]) == 2
    assert "study --preset quick" in capsys.readouterr().err


def test_a_study_s_tables_hold_no_formulas(home, tmp_path):
    seed_study(home, strategies=("random", "margin"), seeds=2, rounds=3)
    arms = {"random": "=1+1", "margin": "+margin"}

    def results(over):
        with closing(open_store(home)) as store:
            (study,) = store.studies()
            return study_result(store, study.id, over=over, title=lambda arm: arms[arm.title])

    write_report(results, tmp_path)
    for name in ("summary", "curves", "target"):
        text = (tmp_path / f"{name}.csv").read_text()
        assert "'=1+1," in text, name
        assert "'+margin," in text, name


def test_bundles_on_the_command_line_are_an_axis():
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    words = [
        "study", "--preset", "sherbrooke", "--bundle", "reg", "none", "--bundle", "reg", "aug + 0.001",
        "train.augment=true", "train.weight_decay=0.001",
    ]  # fmt: skip
    config = _config(parser.parse_args(words))
    assert config.num_cells == 8
    assert config.arms()[1].values == {
        "query.strategy": "random", "train.augment": True, "train.weight_decay": 0.001,
    }  # fmt: skip


@pytest.mark.parametrize("words", [["reg"], ["reg", "a", "train.augment"], ["reg", "a", "x=1", "x=2"]])
def test_a_bundle_of_another_form_is_refused(home, capsys, words):
    assert main(["study", "--preset", "quick", "--bundle", *words]) == 2
    assert "AXIS NAME OPTION=VALUE" in capsys.readouterr().err


def test_a_study_is_paused_cancelled_and_resumed_by_its_id_or_as_the_newest(home, capsys):
    store = open_store(home)
    older, newer = (
        begin(store, StudyConfig.parse({"name": name, "base": ENDING, "seeds": 1})) for name in "ab"
    )

    def controls(record):
        ids = [cell.id for cell in store.study_experiments(record.id)]
        return [(job.control, job.state.value) for e in ids for job in store.jobs(experiment_id=e, limit=1)]

    assert main(["study", "pause", older.id]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"study {older.id}: 2 cells held")
    assert f"`study resume {older.id}` goes on" in said
    assert controls(older) == [("pause", "queued")] * 2
    assert controls(newer) == [("", "queued")] * 2
    assert main(["study", "cancel"]) == 0
    assert controls(newer) == [("stop", "stopped")] * 2
    resume(store, older)
    assert controls(older) == [("", "queued")] * 2
    resume(store, newer)
    assert controls(newer) == [("", "queued")] * 2
    store.close()


@pytest.mark.parametrize("verb", ["pause", "cancel", "resume"])
def test_a_study_that_is_there_is_planned(home, capsys, verb):
    with closing(open_store(home)) as store:
        study = begin(store, StudyConfig(name="older", base=ENDING, seeds=(0,)))
    given = ["--until-clear", "--most-seeds", "9", "--seeds", "9", "--epochs", "2", "--axis", "seed=1"]
    assert main(["study", verb, study.id, *given, "--quiet"]) == 2
    said = capsys.readouterr().err
    for flag in ("--until-clear", "--most-seeds", "--seeds", "--epochs", "--axis"):
        assert f"error: {flag}: " in said
    assert "as it was planned; leave it out" in said


@pytest.mark.parametrize("out", [True, False])
def test_an_interrupted_study_says_how_it_goes_on(home, tmp_path, capsys, monkeypatch, out):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("al_core.cli.study.run_cells", interrupt)
    assert main([*TINY, *(["--out", str(tmp_path)] if out else [])]) == 130
    with closing(open_store(home)) as store:
        (study,) = store.studies()
    said = capsys.readouterr().err
    assert f"`study resume {study.id}` goes on" in said
    assert ("the same command" in said) is out
    assert "--resume" not in said


def test_a_command_that_keeps_nothing_names_no_way_on(home, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("al_core.cli.preview.prepare", interrupt)
    assert main(["preview"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("jobs", ["0", "-1"])
def test_fewer_cells_at_once_than_one_are_refused(home, capsys, jobs):
    assert main([*TINY, "--jobs", jobs]) == 2
    assert f"--jobs: {jobs} is refused; must be at least 1" in capsys.readouterr().err


def test_a_verb_without_its_study_says_what_there_is(home, capsys):
    for words, said in ((["pause"], "there is no study yet"), (["resume", "nope"], "nope"),
                        (["halt"], "pause, resume and cancel")):  # fmt: skip
        assert main(["study", *words, "--quiet"]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_failed_cell_is_named_with_its_reason_and_tried_again(home, tmp_path):
    command = [*TINY, "--axis", "train.device=cpu,cuda:7", "--strategies", "random", "--seeds", "1"]
    command += ["--n-rounds", "1", "--out", str(tmp_path / "out"), "--jobs", "1"]
    done = run(command, home)
    assert done.returncode == 2
    assert "1 of 2 cells failed" in done.stdout
    assert "  study: random, device cuda:7, seed 0: device 'cuda:7' is not on this machine" in done.stdout
    again = run(["study", "resume", "--retry", "--quiet", "--jobs", "1"], home)
    assert again.returncode == 2
    store = open_store(home)
    (study,) = store.studies()
    good, bad = store.study_experiments(study.id)
    assert (good.status, bad.status) == (ExperimentStatus.FINISHED, ExperimentStatus.FAILED)
    assert [len(store.jobs(experiment_id=cell.id)) for cell in (good, bad)] == [1, 2]
    store.close()


def run(command, settings):
    environment = os.environ | {"AL_HOME": str(settings.home), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "al_core", *command], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=400,
    )  # fmt: skip


def test_cells_know_their_data_set_before_a_worker_that_may_not_read_its_folder_begins(home):
    config = StudyConfig.parse(
        {"base": {"stop": {"n_rounds": 2}}, "seeds": 2, "axes": {"data.test_fraction": [0.1, 0.2]}}
    )
    store = open_store(home)
    record = begin(store, config)
    prepared = _prepare(home, config, argparse.Namespace(download=False), lambda *_: None)
    _settle(store, record, prepared)
    cells = store.study_experiments(record.id)
    assert {cell.dataset_key for cell in cells} == {dataset.key for dataset in prepared.values()}
    assert all(cell.fingerprint for cell in cells)
    store.close()


@pytest.mark.slow
def test_a_study_goes_on_until_it_is_clear_or_at_its_cap_and_its_command_can_be_repeated(
    home, tmp_path, capsys
):
    command = [*TINY, "--until-clear", "--most-seeds", "3", "--out", str(tmp_path / "out"), "--jobs", "1"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "3 at most" in said
    assert {len(cells) for cells in [outcome(home)]} <= {4, 6}
    seeds = {cell[1] for cell in outcome(home)}
    assert seeds == set(range(3)) or "cannot be told apart" not in said
    assert main(command) == 0
    assert capsys.readouterr().out == said
    assert main([*command[:-5], "5", *command[-4:]]) == 2
    assert "stands at 3" in capsys.readouterr().err
