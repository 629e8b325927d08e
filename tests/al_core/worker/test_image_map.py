import io
import sys
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from al_core.cli import main
from al_core.deploy.asked import ask_about_uploads, read_result
from al_core.records import JobState
from al_core.results.image_map import MOST, ImageMap, MapRequest
from al_core.worker.jobs import run_job


@pytest.fixture
def mapped(store, settings):
    def go(request):
        job = store.submit_job("map", spec=asdict(request))
        return run_job(store, settings, *store.claim_job("tester", job_id=job.id)), store.job(job.id)

    return go


def test_a_map_of_a_round_holds_every_image_with_what_the_network_says(store, config, work, mapped):
    _, experiment = work(store.create_experiment(config).id)
    request = MapRequest(experiment.id, 1)
    state, job = mapped(request)
    assert state is JobState.DONE, job.error_text
    found = ImageMap.read(request.path(experiment))
    assert found.ids.tolist() == list(range(150))
    assert found.places.shape == (150, 2)
    assert np.isfinite(found.places).all()
    labeled = experiment.pool(until=store.rounds(experiment.id)[1].label_event_id).labeled_ids
    truth = experiment.dataset.train.labels
    assert (found.predicted[labeled] == truth[labeled]).mean() > 0.8  # it was trained on these
    assert ((found.margin >= 0) & (found.margin <= found.confidence)).all()


def test_the_nearest_image_is_the_one_that_all_distances_say(store, config, work, mapped):
    _, experiment = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    request = MapRequest(experiment.id, None, dims=3)
    mapped(request)
    found = ImageMap.read(request.path(experiment))
    assert found.places.shape == (150, 3)
    assert (found.predicted == -1).all()
    far = 1 - found.features.astype(float) @ found.features.astype(float).T
    np.fill_diagonal(far, np.inf)
    assert np.take_along_axis(far, found.nearest[:, None], 1)[:, 0] == pytest.approx(far.min(1), abs=1e-5)
    assert found.distance == pytest.approx(far.min(1), abs=1e-5)
    assert found.crowd == pytest.approx(np.sort(far, 1)[:, :10].mean(1), abs=1e-5)
    ids, distances = found.alike(7, 5)
    assert 7 not in ids
    assert distances == pytest.approx(np.sort(far[7])[:5], abs=1e-5)
    assert found.outliers(1)[0] == found.ids[found.crowd.argmax()]


def test_each_near_pair_is_told_once_and_the_nearest_first():
    unit = np.array([[1, 0], [1, 0], [0, 1], [0.1, 0.995]], np.float32)
    found = ImageMap(
        np.array([10, 11, 12, 13]), unit, unit, np.full(4, -1), *[np.full(4, np.nan, np.float32)] * 2,
        np.array([11, 10, 13, 12]), np.array([0, 0, 0.005, 0.005], np.float32), np.zeros(4, np.float32),
    )  # fmt: skip
    assert [pair[:2] for pair in found.copies(0.01)] == [(10, 11), (12, 13)]
    assert [pair[:2] for pair in found.copies(0.001)] == [(10, 11)]


def test_of_more_images_than_a_map_holds_every_labeled_one_is_on_it(store, config, work, mapped, monkeypatch):
    monkeypatch.setitem(MOST, "tsne", 60)
    _, experiment = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    request = MapRequest(experiment.id, 0, "tsne")
    state, job = mapped(request)
    assert state is JobState.DONE, job.error_text
    found = ImageMap.read(request.path(experiment))
    assert len(found.ids) == 60
    assert set(experiment.pool(until=store.rounds(experiment.id)[0].label_event_id).labeled_ids) <= set(
        found.ids
    )


def test_a_round_that_is_not_there_is_refused_and_the_session_stays_as_it_is(store, config, work, mapped):
    _, experiment = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    state, job = mapped(MapRequest(experiment.id, 9))
    assert state is JobState.FAILED
    assert "has no round 9" in job.error_text
    assert store.experiment(experiment.id).status.value == "finished"


def test_umap_keeps_neighbours_together_and_gives_the_same_map_again(store, config, work, mapped):
    pytest.importorskip("umap", reason="umap-learn is not installed (requirements-umap.txt)")
    _, experiment = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    request = MapRequest(experiment.id, 0, "umap")
    state, job = mapped(request)
    assert state is JobState.DONE, job.error_text
    found = ImageMap.read(request.path(experiment))
    assert found.places.shape == (150, 2)
    assert np.isfinite(found.places).all()
    apart = np.linalg.norm(found.places[:, None] - found.places[None], axis=2)
    near = apart[np.arange(150), found.nearest]
    assert np.median(near) < 0.4 * np.median(apart)
    request.path(experiment).unlink()
    mapped(request)
    assert np.array_equal(ImageMap.read(request.path(experiment)).places, found.places)


def test_without_its_library_umap_says_how_to_get_it(store, config, work, mapped, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    _, experiment = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    state, job = mapped(MapRequest(experiment.id, 0, "umap"))
    assert state is JobState.FAILED
    assert "requirements-umap.txt" in job.error_text


def test_a_picture_from_outside_finds_itself_in_the_data_set(store, settings, config, work, mapped):
    """An image's own file, uploaded, lies at distance nought from that image."""
    _, experiment = work(store.create_experiment(config.changed(stop__n_rounds=1)).id)
    request = MapRequest(experiment.id, 0)
    mapped(request)
    buffer = io.BytesIO()
    Image.fromarray(experiment.dataset.train.read(np.array([77]))[0]).save(buffer, "PNG")
    asked = ask_about_uploads(settings, experiment.id, 0, [("mine.png", io.BytesIO(buffer.getvalue()))])
    job = store.submit_job("alike", spec={"token": asked.token, "map": asdict(request)})
    assert run_job(store, settings, *store.claim_job("tester", job_id=job.id)) is JobState.DONE
    found = read_result(settings, asked.token)
    assert (found["name"], found["ids"][0]) == ("mine.png", 77)
    assert found["distances"][0] == pytest.approx(0, abs=1e-4)
    shown = ImageMap.read(request.path(experiment))
    ids, _ = shown.alike(77, 5)
    assert found["ids"][1:6] == ids.tolist()
    bad = ask_about_uploads(settings, experiment.id, 0, [("bad.png", io.BytesIO(b"no picture"))])
    job = store.submit_job("alike", spec={"token": bad.token, "map": asdict(request)})
    assert run_job(store, settings, *store.claim_job("tester", job_id=job.id)) is JobState.FAILED
    assert "not a picture that can be opened" in store.job(job.id).error_text


def test_the_map_command_writes_a_table_and_a_figure_of_the_map_that_explore_shows(
    store, config, work, settings, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("AL_HOME", str(settings.home))
    _, experiment = work(store.create_experiment(config).id)
    run = [experiment.id, "--quiet"]
    table, page = tmp_path / "m.csv", tmp_path / "m.html"
    assert main(["map", *run, "--round", "0", "--layout", "tsne", "--dims", "3", "--out", str(table)]) == 0
    frame = pd.read_csv(table)
    found = ImageMap.read(MapRequest(experiment.id, 0, "tsne", 3).path(experiment))
    np.testing.assert_allclose(frame[["x", "y", "z"]].to_numpy(), found.places, rtol=1e-5)
    initial = [item.sample_id for item in store.query(experiment.id, -1).items]
    assert frame.loc[frame["round"] == -1, "sample_id"].tolist() == sorted(initial)
    assert frame.loc[frame["label"].notna(), "sample_id"].tolist() == sorted(initial)  # as round 0 had them
    assert frame["file"].tolist()[:2] == [experiment.dataset.train.file_name(i) for i in (0, 1)]
    assert main(["map", *run, "--colour", "round", "--out", str(page)]) == 0
    text = page.read_text()
    assert "initial set" in text
    assert "after round 0" in text
    assert main(["map", *run, "--frozen", "--out", str(tmp_path / "f.csv")]) == 0
    for flags, words in (
        (["--round", "9"], "there are the rounds 0 to 1"),
        (["--frozen", "--colour", "prediction"], "needs a network"),
        (["--out", "m.txt"], "must end in one of csv"),
    ):  # fmt: skip
        assert main(["map", *run, "--out", str(page), *flags]) == 2
        assert words in capsys.readouterr().err
