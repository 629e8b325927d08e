"""`train`: the images that a run selected, and folders of classes, as ordinary runs of one round."""

import json

import numpy as np
import pytest

from al_core.cli import main
from al_core.experiment import Experiment
from al_core.types import INITIAL_ROUND


@pytest.fixture
def run(store, settings, work, config, monkeypatch):
    """A run of two rounds with a validation split, and AL_HOME pointing to it."""
    state, experiment = work(store.create_experiment(config.changed(data__round_validation=0.2)).id)
    assert state == "done"
    monkeypatch.setenv("AL_HOME", str(settings.home))
    return experiment


def newest(run):
    return Experiment.open(run.store, run.settings, run.store.experiments()[0].id)


def test_a_selection_trains_on_exactly_its_labels_with_its_runs_split_and_seed(run, tmp_path, capsys):
    assert main(["export", run.id, "--out", str(tmp_path / "e"), "--images"]) == 0
    source = str(tmp_path / "e" / "selected.zip")
    assert main(["train", source, "--quiet", "--out", str(tmp_path / "t")]) == 0
    assert "(selection)" in newest(run).record.name
    made = newest(run)
    assert made.record.parent_id == run.id
    assert (made.splits.hash, made.config.seed) == (run.splits.hash, run.config.seed)
    assert made.record.fingerprint == run.record.fingerprint
    (record,) = run.store.rounds(made.id)
    last = run.store.rounds(run.id)[-1]
    theirs = run.pool(until=last.label_event_id)
    mine = made.pool()
    np.testing.assert_array_equal(np.sort(mine.labeled_ids), np.sort(theirs.labeled_ids))
    assert dict(zip(mine.labeled_ids, mine.labeled_classes, strict=True)) == dict(
        zip(theirs.labeled_ids, theirs.labeled_classes, strict=True)
    )
    assert record.num_labeled == last.num_labeled
    assert "test_accuracy" in record.metrics
    assert run.store.query(made.id, INITIAL_ROUND).strategy == "import"
    assert json.loads((tmp_path / "t" / "records.json").read_text())["Final Test Score"] is not None
    capsys.readouterr()
    log = str(tmp_path / "e" / "labels.csv")
    assert main(["train", log, "--quiet"]) == 2
    assert "say which with --like RUN or --dataset NAME" in capsys.readouterr().err
    assert main(["train", log, "--like", run.id, "--quiet", "--epochs", "1"]) == 0
    np.testing.assert_array_equal(np.sort(newest(run).pool().labeled_ids), np.sort(theirs.labeled_ids))


def test_a_folder_of_classes_trains_on_all_of_it_once(run, watermarked, capsys):
    flags = ["--epochs", "2", "--min-steps", "10", "--threads", "1", "--quiet"]
    assert main(["train", str(watermarked), *flags]) == 0
    made = newest(run)
    (record,) = run.store.rounds(made.id)
    assert record.num_labeled == 150
    assert made.record.parent_id is None
    assert made.record.name == "marked (trained once)"
    assert "test_accuracy" in record.metrics
    assert main(["train", str(watermarked / "absent"), *flags]) == 2
    assert "there is no file or folder" in capsys.readouterr().err


def test_an_export_whose_run_is_not_here_is_a_folder_of_classes(run, watermarked, tmp_path, capsys):
    folder = tmp_path / "export"
    for n, path in enumerate(sorted((watermarked / "train").rglob("*.png"))[::6]):
        place = folder / path.parent.name / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
        rows = "sample_id,label,label_id,experiment\n" if not n else ""
        with (folder / "manifest.csv").open("a") as file:
            file.write(f"{rows}{n},{path.parent.name},0,elsewhere\n")
    flags = ["--epochs", "1", "--min-steps", "1", "--threads", "1", "--quiet"]
    assert main(["train", str(folder), *flags]) == 0
    assert "the run that" in capsys.readouterr().err
    assert newest(run).record.config.query.baseline == "full"
    assert run.store.rounds(newest(run).id)[0].num_labeled == 25 - round(0.2 * 8) * 3
    (folder / "_skipped").mkdir()
    assert main(["train", str(folder), *flags]) == 2
    assert "holds _skipped, which is no class" in capsys.readouterr().err


def test_frozen_makes_it_a_linear_probe(run, watermarked):
    flags = ["--model", "squeezenet1_1", "--frozen", "--threads", "1", "--quiet"]
    assert main(["train", str(watermarked), *flags]) == 0
    manifest = run.store.rounds(newest(run).id)[0].manifest
    assert "penalty" in manifest, "logistic regression to convergence, not steps of an optimiser"
