import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from al_core.cli import main
from al_core.cli.verify import check_experiment
from al_core.experiment import Experiment
from al_core.settings import Settings
from al_core.store import open_store
from al_core.types import INITIAL_ROUND

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
QUICK = [
    "--epochs",
    "3",
    "--min-steps",
    "12",
    "--n-new",
    "15",
    "--n-rounds",
    "3",
    "--threads",
    "1",
    "--quiet",
]


@pytest.fixture
def home(settings, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(settings.home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return settings.home


def read(folder):
    return json.loads((folder / "records.json").read_text())


def test_a_run_writes_records_and_a_manifest_that_repeats_it(home, tmp_path, capsys):
    assert main(["run", *QUICK, "--dataset", "digits", "--seed", "3", "--out", str(tmp_path / "a")]) == 0
    said = capsys.readouterr().out
    assert "ended: all 3 rounds done" in said
    first = read(tmp_path / "a")
    assert [r["num_labeled"] for r in first["rounds"]] == [20, 35, 50]
    assert all(len(r["queried_sample_ids"]) == 15 for r in first["rounds"][:-1])
    assert all(0 < r["test_accuracy"] <= 1 and 0 < r["test_macro_f1"] <= 1 for r in first["rounds"])
    assert len(first["initial_sample_ids"]) == 20
    seed_keys = {"Initialization", "Loops Progress", "Final Test Score", "Premature Stop"}
    assert seed_keys <= set(first)
    assert first["Initialization"]["query_strategy"] == "u_herding"
    assert first["Final Test Score"] == first["rounds"][-1]["test_accuracy"]
    assert len(first["Loops Progress"]["Training Loss"]) == sum(
        len(x) for x in [range(12), range(12), range(12)]
    )
    assert sum(column[-1] for column in first["Labels History"].values()) == 50

    manifest = tmp_path / "a" / "manifest.json"
    assert main(["run", "--config", str(manifest), "--quiet", "--out", str(tmp_path / "b")]) == 0
    again = read(tmp_path / "b")
    for key in ("rounds", "Loops Progress", "initial_sample_ids"):
        strip = [{k: v for k, v in r.items() if k != "seconds"} for r in first["rounds"]]
        other = [{k: v for k, v in r.items() if k != "seconds"} for r in again["rounds"]]
        assert (strip, first["initial_sample_ids"]) == (other, again["initial_sample_ids"]), key
    assert main(["verify"]) == 0


def test_the_first_seeds_spelling_runs_with_its_validation_and_patience(home, tmp_path):
    argv = ["run", "--quiet", "--n_start", "2", "--n_new", "10", "--epochs", "1", "--min-steps", "3"]
    argv += ["--query_strategy", "least_confident", "--experiment_name", "test", "--patience", "1"]
    argv += ["--batch_size", "50", "--learning_rate", "1e-4", "--weight_decay", "0", "--data_aug"]
    argv += [
        "--n_rounds",
        "6",
        "--init_sampling_seed",
        "2021",
        "--round-validation",
        "0.2",
        "--epoch-validation",
        "0.2",
    ]
    assert main([*argv, "--threads", "1", "--out", str(tmp_path / "a")]) == 0
    records = read(tmp_path / "a")
    coordinates = records["Validation-2 Accuracy Coordinates"]
    assert coordinates[0][0] == 0
    assert records["Premature Stop"] == (len(records["rounds"]) < 6)
    assert None not in records["Loops Progress"]["Validation Loss"]


def test_an_interrupted_run_goes_on_with_resume_and_ends_like_an_uninterrupted_one(
    home, tmp_path, monkeypatch
):
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert main(["run", *QUICK, "--out", str(whole)]) == 0
    from al_core.worker.rounds import Advance

    ask, asked = Advance._ask, []

    def killed(self, rounds, *arguments):
        asked.append(rounds[-1].number)
        if rounds[-1].number == 1:
            raise KeyboardInterrupt
        return ask(self, rounds, *arguments)

    monkeypatch.setattr(Advance, "_ask", killed)
    assert main(["run", *QUICK, "--out", str(part)]) == 130
    monkeypatch.undo()
    monkeypatch.setenv("AL_HOME", str(home))
    assert asked == [0, 1]
    assert main(["run", *QUICK, "--resume", "--out", str(part)]) == 0
    one, two = read(whole)["rounds"], read(part)["rounds"]
    assert [r["queried_sample_ids"] for r in one] == [r["queried_sample_ids"] for r in two]
    assert [r["artefacts"]["weights"] for r in one] == [r["artefacts"]["weights"] for r in two]


def test_a_folder_that_holds_a_run_is_not_overwritten(home, tmp_path, capsys):
    out = tmp_path / "a"
    argv = ["run", *QUICK, "--n-rounds", "1", "--out", str(out)]
    assert main(argv) == 0
    before = (out / "records.json").read_bytes()
    assert main(argv) == 2
    assert "go on with --resume" in capsys.readouterr().err
    assert main([*argv, "--resume", "--seed", "9"]) == 2
    assert "another config" in capsys.readouterr().err
    assert (out / "records.json").read_bytes() == before


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--epochs", "0"], "--epochs: '0' is refused"),
        (["--dataset", "cifar99"], "did you mean"),
        (["--dataset", "cifar10"], "--download"),
        (["--dataset", "folder:/does/not/exist"], "/does/not/exist"),
        (["--patience", "2"], "round_validation"),
        (["--device", "cuda:7"], "cuda:7"),
        (["--config", "/does/not/exist.json"], "--config"),
        (["--resume"], "needs --out"),
    ],
)
def test_what_is_refused_leaves_nothing_behind_and_no_traceback(home, argv, said, capsys):
    assert main(["run", "--quiet", "--n-rounds", "1", "--epochs", "1", "--min-steps", "1", *argv]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_export_and_verify_speak_of_the_same_labels(home, tmp_path, capsys):
    import zipfile

    out = tmp_path / "a"
    main(["run", *QUICK, "--out", str(out)])
    experiment_id = json.loads((out / "run.json").read_text())["experiment"]
    assert main(["export", experiment_id, "--images", "--out", str(tmp_path / "x")]) == 0
    lines = (tmp_path / "x" / "labels.csv").read_text().splitlines()
    assert len(lines) == 1 + 50
    with zipfile.ZipFile(tmp_path / "x" / "selected.zip") as archive:
        assert len([n for n in archive.namelist() if n.endswith(".png")]) == 50
    assert main(["export", experiment_id, "--out", str(tmp_path / "x")]) == 2
    # the exported labels are an initial set
    argv = ["--init", "import", "--import-labels", str(tmp_path / "x" / "labels.csv"), "--n-rounds", "1"]
    assert main(["run", *QUICK, *argv, "--out", str(tmp_path / "b")]) == 0
    assert read(tmp_path / "b")["rounds"][0]["num_labeled"] == 50

    settings = Settings.from_env()
    store = open_store(settings)
    experiment = Experiment.open(store, settings, experiment_id)
    assert list(check_experiment(store, experiment)) == []
    assert store.query(experiment_id, INITIAL_ROUND) is not None
    weights = next((settings.objects).rglob(f"*{store.rounds(experiment_id)[0].artefacts['weights'][2:]}*"))
    store.close()
    weights.unlink()
    capsys.readouterr()
    assert main(["verify"]) == 1
    assert "are gone" in capsys.readouterr().out


def test_the_lists_are_machine_readable(capsys):
    for what in ("datasets", "models", "strategies", "options"):
        assert main(["list", what, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert len(rows) > 5
        assert main(["list", what]) == 0
        assert len(capsys.readouterr().out.splitlines()) == len(rows) + 1


def test_help_imports_no_torch_and_names_every_flag():
    code = (
        "import sys, al_core.cli\n"
        "try: al_core.cli.main(['run', '--help'])\n"
        "except SystemExit: assert 'torch' not in sys.modules"
    )
    env = os.environ | {"COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    for flag in (
        "--n_start",
        "-ns",
        "--query_strategy",
        "--init_sampling_seed",
        "--pretrained",
        "--weight_decay",
    ):
        assert flag in done.stdout
