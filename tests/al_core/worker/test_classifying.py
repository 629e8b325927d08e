"""A trained model on pictures from outside: `test` and `predict`."""

import csv
import io
import json

import numpy as np
import pytest

from al_core.cli import main
from al_core.data.photos import decode_square
from al_core.deploy.asked import ask_about_uploads, place, read_result
from al_core.deploy.choosing import choose_round
from al_core.engine import saved
from al_core.worker.jobs import run_job


@pytest.fixture
def run(store, settings, work, config, monkeypatch):
    """A run of one round, its store closed, and AL_HOME pointing to it."""
    state, experiment = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    assert state == "done"
    monkeypatch.setenv("AL_HOME", str(settings.home))
    return experiment


def test_a_test_folder_that_is_the_test_split_scores_as_the_round_did(run, watermarked, tmp_path, capsys):
    saved.write_model(run, tmp_path / "model", onnx=False)
    record = run.store.rounds(run.id)[0]
    for model, out in ((run.id, "by-run"), (str(tmp_path / "model"), "by-folder")):
        command = ["test", model, str(watermarked / "test"), "--out", str(tmp_path / out), "--quiet"]
        assert main(command) == 0
        found = json.loads((tmp_path / out / "results.json").read_text())
        assert found["metrics"]["accuracy"] == pytest.approx(record.metrics["test_accuracy"])
        assert found["metrics"]["macro_f1"] == pytest.approx(record.metrics["test_macro_f1"])
        assert found["confusion"] == [list(row) for row in record.confusion]
        rows = list(csv.DictReader((tmp_path / out / "predictions.csv").read_text().splitlines()))
        assert sum(row["right"] == "1" for row in rows) == sum(
            found["confusion"][i][i] for i in range(len(found["classes"]))
        )
    out = capsys.readouterr().out
    assert "60 pictures: accuracy" in out
    assert "confusion (rows: true" in out
    assert main(["test", run.id, str(watermarked), "--quiet"]) == 2
    assert "'test/left', 'test/right'" in capsys.readouterr().err


def test_predict_names_class_confidence_and_time_and_goes_on_past_bad_files(
    run, watermarked, tmp_path, capsys
):
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, content in (("b.png", b""), ("c.txt", b"hello"), ("d.jpg", b"\xff\xd8\xff")):
        (folder / name).write_bytes(content)
    for number, name in ((0, "1002.png"), (1, "1000.png")):
        (folder / f"{number}.png").write_bytes(next((watermarked / "test").rglob(name)).read_bytes())
    assert main(["predict", run.id, str(folder), "--out", str(tmp_path / "o.csv")]) == 0
    shown = capsys.readouterr()
    assert "2 classified" in shown.out
    assert "left out: b.png: empty file" in shown.err
    assert "left out: c.txt: not a picture" in shown.err
    rows = list(csv.DictReader((tmp_path / "o.csv").read_text().splitlines()))
    assert [bool(row["problem"]) for row in rows] == [False, False, True, True, True]
    assert all(float(row["milliseconds"]) > 0 for row in rows[:2])
    alone = folder / "0.png"
    assert main(["predict", run.id, str(alone), "--out", str(tmp_path / "o.json"), "--quiet"]) == 0
    found = json.loads((tmp_path / "o.json").read_text())["predictions"]
    assert found[0]["class"] == rows[0]["class"]
    assert found[0]["confidence"] == pytest.approx(float(rows[0]["confidence"]), abs=2e-6)
    (folder / "0.png").unlink()
    (folder / "1.png").unlink()
    assert main(["predict", run.id, str(folder)]) == 2
    assert "none of the 3 files is a picture" in capsys.readouterr().err


def test_a_model_is_found_by_run_folder_or_saved_folder_and_nothing_else(run, tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps({"experiment": run.id}))
    out = ["--out", str(tmp_path / "m"), "--no-onnx"]
    assert main(["export-model", str(tmp_path), *out]) == 0
    assert choose_round(run.store.rounds(run.id)).why in capsys.readouterr().out
    (tmp_path / "x.png").write_bytes(b"")
    assert main(["predict", str(tmp_path / "m"), str(tmp_path / "x.png"), "--round", "1"]) == 2
    assert "holds one model" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["predict", str(tmp_path / "empty"), str(tmp_path / "x.png")]) == 2
    assert "holds no model.json" in capsys.readouterr().err


def test_a_request_of_the_browser_is_answered_and_its_bad_files_are_named(
    store, settings, work, config, watermarked
):
    state, run = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    assert state == "done"
    good = sorted((watermarked / "test").rglob("*.png"))[:3]
    files = [(path.name, io.BytesIO(path.read_bytes())) for path in good]
    asked = ask_about_uploads(settings, run.id, 0, [*files, ("bad.png", io.BytesIO(b"\x89PNG"))])
    job = store.submit_job("predict", spec={"token": asked.token}, priority=5)
    assert run_job(store, settings, *store.claim_job("t", job_id=job.id)) == "done"
    result = read_result(settings, asked.token)
    assert [item["file"] for item in result["predictions"]] == [path.name for path in good]
    assert [item["file"] for item in result["refused"]] == ["bad.png"]
    assert (result["round"], result["size"]) == (0, 16)
    model = saved.open_round(run, choose_round(store.rounds(run.id)))
    probs = model.probabilities(np.stack([decode_square(path, 16, name="x") for path in good]))
    for item, row in zip(result["predictions"], probs, strict=True):
        assert item["class"] == model.classes[row.argmax()]
        assert item["confidence"] == pytest.approx(row.max(), abs=1e-6)
    lines = (place(settings, asked.token) / "predictions.csv").read_text().splitlines()
    assert len(lines) == 5
    assert store.experiment(run.id).status == "finished", "a prediction changes nothing of its run"


def test_a_request_without_a_picture_fails_in_words_and_its_run_is_untouched(store, settings, work, config):
    _, run = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    asked = ask_about_uploads(settings, run.id, 0, [("a.png", io.BytesIO(b"no"))])
    job = store.submit_job("predict", spec={"token": asked.token})
    assert run_job(store, settings, *store.claim_job("t", job_id=job.id)) == "failed"
    assert "the file is not a picture that can be opened" in store.job(job.id).error_text
    assert store.experiment(run.id).status == "finished"
