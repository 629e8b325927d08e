"""`export`, `curves`, `log` and `list runs`, as a person types them, over runs that need no torch."""

import csv
import io
import json
import zipfile

import numpy as np
import pytest

from al_core.cli import main
from al_core.results.analysis import METRICS
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.objects import Objects
from tests.e2e.seeded import ScriptedWorker, seed
from tests.e2e.seeded_study import seed_study


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AL_CHROMIUM", str(tmp_path / "no-browser"))
    return Settings.from_env()


@pytest.fixture
def predicted(monkeypatch):
    """Rounds that keep predictions: probabilities whose argmax is known."""
    finish = ScriptedWorker.finish

    def with_arrays(self, lease, number, *, last=False):
        put = self.store.finish_round
        ids = np.arange(len(self.dataset.test))
        probs = np.full((len(ids), 10), 0.05, np.float32)
        probs[ids, (self.dataset.test.labels + (ids % 4 == 0)) % 10] = 0.55
        sha = Objects(self.settings.objects).put_arrays({"test_ids": ids, "test_probs": probs})

        def keep(lease, record, query, **more):
            record.artefacts["arrays"] = sha
            put(lease, record, query, **more)

        self.store.finish_round = keep
        try:
            finish(self, lease, number, last=last)
        finally:
            self.store.finish_round = put

    monkeypatch.setattr(ScriptedWorker, "finish", with_arrays)


def rows(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_a_run_is_written_whole(home, predicted, tmp_path, capsys):
    run = seed(home, rounds=3, epochs=2, ghost=False, name="=mine")
    out = tmp_path / "out"
    assert main(["export", run, "--out", str(out), "--rounds", "0,2", "--images", "round", "--quiet"]) == 0
    assert json.loads((out / "records.json").read_text())["rounds"][2]["num_labeled"] == 60
    assert len(json.loads((out / "manifest.json").read_text())["manifest_id"]) == 16

    found = rows(out / "predictions" / "round-002.csv")
    assert sorted(p.name for p in (out / "predictions").iterdir()) == ["round-000.csv", "round-002.csv"]
    assert len(found) == 500
    assert found[0]["right"] == "False"
    assert found[1]["truth"] == found[1]["prediction"]
    assert float(found[1]["probability"]) == pytest.approx(0.55)
    each = [name for name in found[0] if name[0] == "p" and name[1:2].isdigit()]
    assert len(each) == 10
    assert sum(float(found[0][name]) for name in each) == pytest.approx(1)

    samples = {(r["split"], int(r["sample_id"])): r for r in rows(out / "samples.csv")}
    assert len(samples) == 1797
    queries = rows(out / "queries.csv")
    assert all(samples["train", int(q["sample_id"])]["file"] == q["name"] for q in queries)
    assert all(samples["train", int(q["sample_id"])]["truth"] == q["truth"] for q in queries)

    matrix = rows(out / "confusion" / "round-001.csv")
    record = json.loads((out / "records.json").read_text())["rounds"][1]
    assert [[int(v) for v in list(r.values())[1:]] for r in matrix] == record["confusion"]
    quality = [r for r in rows(out / "classes.csv") if r["round"] == "1"]
    own = np.array(record["confusion"])
    assert [float(r["recall"]) for r in quality] == pytest.approx(np.diag(own) / own.sum(1))

    assert {r["round"] for r in rows(out / "epochs.csv")} == {"0", "1", "2"}
    assert "train_seconds" in rows(out / "rounds.csv")[0]
    assert (out / "run.log").exists()
    with zipfile.ZipFile(out / "selected.zip") as archive:
        listed = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode())))
        names = set(archive.namelist())
    assert [r["sample_id"] for r in listed] == [q["sample_id"] for q in queries]
    assert all(r["path"] in names for r in listed)
    assert {r["path"].split("/")[0] for r in listed} == {"initial", *(f"after-round-00{n}" for n in range(3))}
    assert all(f"{int(r['sample_id']):06d}" in r["path"] for r in listed)


@pytest.mark.slow
def test_a_run_s_figures_are_pages_of_one_folder(home, tmp_path):
    run = seed(home, rounds=2, epochs=2)
    out = tmp_path / "out"
    assert main(["export", run, "--out", str(out), "--figures", "--quiet"]) == 0
    stems = {path.stem for path in (out / "figures").glob("*.html")}
    assert {"learning-accuracy", "epochs", "labels-per-class", "labels-added", "label-shares", "class-f1",
            "confusion-round-001", "class-precision", "class-recall", "seconds"} <= stems  # fmt: skip


def test_without_a_browser_a_picture_is_refused_before_anything_is_written(home, tmp_path, capsys):
    run = seed(home, rounds=1, epochs=1, ghost=False)
    out = tmp_path / "out"
    assert main(["export", run, "--out", str(out), "--figures", "pdf", "--quiet"]) == 2
    assert "set AL_CHROMIUM" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.slow
def test_a_study_and_runs_by_name_give_the_same_averages(home, tmp_path):
    study = seed_study(home, strategies=("random", "margin"), seeds=2, rounds=3)
    one, two = tmp_path / "one", tmp_path / "two"
    assert main(["export", study.id, "--out", str(one), "--figures", "html", "--quiet"]) == 0
    assert main(["export", "--prefix", "Quick: ", "--out", str(two), "--quiet"]) == 0
    assert (one / "averages.csv").read_text() == (two / "averages.csv").read_text()
    body = json.loads((one / "results.json").read_text())
    assert [c["title"] for c in body["configurations"]] == ["random", "margin"]
    values = [r["rounds"][2]["metrics"]["test_accuracy"] for r in body["configurations"][1]["runs"]]
    averaged = next(
        r for r in rows(one / "averages.csv") if (r["configuration"], r["labels"]) == ("margin", "60")
    )
    assert float(averaged["test_accuracy_mean"]) == pytest.approx(np.mean(values))
    assert float(averaged["test_accuracy_deviation"]) == pytest.approx(np.std(values, ddof=1))
    assert {p.stem for p in (one / "figures").glob("*.html")} >= {
        "curves-accuracy",
        "penalty",
        "overlap",
        "classes",
    }


@pytest.mark.slow
def test_curves_take_the_first_seed_s_flags_over_the_store_and_over_folders(home, tmp_path, capsys):
    seed_study(home, strategies=("random", "margin"), seeds=2, rounds=3)
    save = tmp_path / "plots"
    words = ["curves", "-fp", "Quick", "-m", "accuracy", "-c", "query_strategy", "-s", str(save)]
    assert main(words) == 0
    first = capsys.readouterr().out
    assert "margin  2 seeds" in first
    assert {p.name for p in save.iterdir()} == {"curves.html", "curves.csv", "averages.csv"}
    store = open_store(home)
    for number, record in enumerate(store.experiments(cells=True)):
        assert main(["export", record.id, "--out", str(tmp_path / f"exp-{number}"), "--quiet"]) == 0
    store.close()
    capsys.readouterr()
    assert main([*words[:1], "-fp", str(tmp_path / "exp-"), *words[3:-1], str(tmp_path / "one.html")]) == 0
    again = capsys.readouterr().out
    assert sorted(again.splitlines()[1:3]) == sorted(first.splitlines()[1:3])
    assert (tmp_path / "one.html").stat().st_size > 1_000_000


def test_curves_say_what_is_wrong(home, capsys):
    seed_study(home, strategies=("random", "margin"), seeds=1, rounds=2)
    for words, said in (
        (["-fp", "nothing"], "`list runs` shows them"),
        (["-fp", "Quick", "-m", "beauty"], "is no metric"),
        (["-fp", "Quick", "-m", "validation_loss"], "was not measured; test_accuracy"),
        (["-fp", "Quick", "-c", "colour"], "is no option"),
        (["-fp", "Quick", "-s", "x.gif/y.pdf"], "set AL_CHROMIUM"),
    ):
        assert main(["curves", *words]) == 2
        assert said in capsys.readouterr().err


def test_a_metric_that_is_none_or_was_not_measured_is_refused(home, tmp_path, capsys):
    study = seed_study(home, strategies=("random", "margin"), seeds=1, rounds=2)
    run = seed(home, rounds=2, ghost=False)
    out = ["--out", str(tmp_path / "out")]
    for words, said in (
        (["export", study.id, *out, "--metric", "beauty"], "--metric: 'beauty' is refused; is no metric"),
        (["export", study.id, *out, "--metric", "validation_loss"], "was not measured; test_accuracy"),
        (["export", "--prefix", "Quick", *out, "--metric", "validation_loss"], "was not measured"),
        (["export", run, *out, "--metric", "accuracy"], "goes with a study"),
        (["report", study.id, "--metric", "validation_loss"], "was not measured; test_accuracy"),
        (["report", run, "--metric", "validation_loss"], "was not measured; test_accuracy"),
    ):
        assert main([*words]) == 2, words
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_s_report_refuses_what_only_a_comparison_has(home, capsys):
    run = seed(home, rounds=2, ghost=False)
    for words in (["--over", "minutes"], ["--label-price", "2"], ["--lambda", "1"], ["--hour-price", "9"],
                  ["--seconds-a-label", "3"], ["--ceiling", "0.9"], ["--target", "0.9"]):  # fmt: skip
        assert main(["report", run, *words]) == 2, words
        assert f"{words[0]}: " in (said := capsys.readouterr().err)
        assert "goes with a study or several runs" in said
    assert main(["report", run, "--over", "labels"]) == 0


def test_the_store_s_runs_and_studies_are_listed_and_a_log_is_printed(home, capsys):
    study = seed_study(home, strategies=("random",), seeds=1, rounds=2)
    assert main(["list", "runs", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["study"] == study.id
    store = open_store(home)
    (job,) = store.jobs(experiment_id=listed["id"])
    store.close()
    (home.logs / "jobs").mkdir(parents=True)
    text = "2026 INFO attempt 1 of advance begins\none\n2026 INFO attempt 2 of advance begins\ntwo\n"
    (home.logs / "jobs" / f"{job.id}.log").write_text(text)
    assert main(["log", listed["id"]]) == 0
    said = capsys.readouterr().out
    assert said.index("attempt 1") < said.index("one") < said.index("attempt 2") < said.index("two")
    assert main(["list", "studies"]) == 0
    assert study.id in capsys.readouterr().out


def test_an_id_that_is_none_is_refused(home, tmp_path, capsys):
    assert main(["export", "nobody", "--out", str(tmp_path / "x")]) == 2
    assert "`list runs`" in capsys.readouterr().err
    assert main(["export", "--out", str(tmp_path / "x")]) == 2
    assert "name a run or a study" in capsys.readouterr().err
    assert METRICS
