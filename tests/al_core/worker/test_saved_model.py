"""A round's model outside its run: the folder to take along says what the run said."""

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from al_core.cli import main
from al_core.config import ExperimentConfig, TrainConfig
from al_core.data.images import open_image
from al_core.data.photos import decode_square
from al_core.deploy.card import EXAMPLE_TEXT, read_card
from al_core.deploy.choosing import choose_round
from al_core.engine import saved
from al_core.errors import ConfigError, ModelError, NotFound
from al_core.experiment import Experiment
from al_core.settings import Settings
from al_core.store.objects import Objects


def trained(store, settings, work, config):
    state, experiment = work(store.create_experiment(config).id)
    assert state == "done", store.jobs(experiment_id=experiment.id)[0].error_text
    return experiment


@pytest.fixture
def experiment(store, settings, work, config):
    return trained(store, settings, work, config.changed(data__round_validation=0.2))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos of mixed sizes and kinds: turned by EXIF, transparent, grey of 16 bits, large JPEGs."""
    root = tmp_path_factory.mktemp("photos") / "photos"
    rng = np.random.default_rng(3)
    for split, count in (("train", 4), ("test", 4)):
        for class_id, name in enumerate(("dark", "light, or =so")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for n in range(count):
                width, height = rng.integers(90, 500, 2)
                noise = rng.integers(0, 90, (height // 8, width // 8, 4)) + 100 * class_id
                picture = Image.fromarray(noise.astype(np.uint8), "RGBA").resize((width, height))
                exif = Image.Exif()
                exif[0x0112] = int(rng.integers(1, 9))
                if n % 4 == 0:
                    picture.save(folder / f"{n}.png")
                elif n % 4 == 1:
                    grey = np.asarray(picture.convert("L"), np.uint16) * 16
                    Image.fromarray(grey).save(folder / f"{n}.png")
                else:
                    picture.convert("RGB").save(folder / f"{n}.jpg", exif=exif, quality=80)
    return root


def run_alone(folder, files):
    """Run the example as a stranger would: from elsewhere, without this program on the path."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    out = subprocess.run(
        [sys.executable, folder / "predict.py", *files], cwd=folder.parent, env=env, check=True,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = {}
    for line in out.splitlines():
        name, *guesses = line.split("\t")
        found[name] = [(g.rpartition(" ")[0], float(g.rpartition(" ")[2])) for g in guesses]
    return found


def assert_alone_agrees(model, folder, files):
    found = run_alone(folder, files)
    assert len(found) == len(files)
    for file in files:
        pixels = decode_square(file, model.size, name=file.name)
        probs = model.probabilities(pixels[None])[0]
        best = np.argsort(-probs, kind="stable")[:3]
        assert [name for name, _ in found[str(file)]] == [model.classes[i] for i in best]
        # four digits are printed
        np.testing.assert_allclose([p for _, p in found[str(file)]], probs[best], atol=1.5e-4)


@pytest.mark.slow
def test_the_example_without_this_program_agrees_on_photos_that_must_be_scaled(
    store, settings, work, config, photos, tmp_path
):
    settings = Settings(settings.home, settings.database_url, (photos.parent,))
    from al_core.worker import jobs  # the photos lie elsewhere than the fixtures' data root

    config = config.changed(
        data__dataset=f"folder:{photos}",
        data__image_size=64,
        init__n_start=2,
        model__model="squeezenet1_1",
        model__frozen=True,
        stop__n_rounds=1,
    )
    job = store.submit_job("advance", experiment_id=store.create_experiment(config).id)
    assert jobs.run_job(store, settings, *store.claim_job("t", job_id=job.id)) == "done"
    run = Experiment.open(store, settings, job.experiment_id)
    choice = saved.write_model(run, tmp_path / "model")
    assert "the last" in choice.why
    model = saved.open_folder(tmp_path / "model")
    assert model.size == run.dataset.image_size == 64  # no photo is that small
    card = json.loads((tmp_path / "model" / "model.json").read_text())
    assert card["onnx"]["largest_difference"] <= 1e-4
    assert card["architecture"]["frozen"] is True
    assert str(photos.parent) not in json.dumps(card), "no path of this machine leaves it"
    files = sorted((photos / "test").rglob("*.*"))
    assert_alone_agrees(model, tmp_path / "model", files)


@pytest.mark.slow
def test_the_example_without_this_program_agrees_on_grey_digits(store, settings, work, tmp_path):
    config = ExperimentConfig().changed(
        oracle="truth", train__epochs=8, train__threads=1, stop__n_rounds=1, init__n_start=5
    )
    run = trained(store, settings, work, config)
    saved.write_model(run, tmp_path / "digits.zip")
    with zipfile.ZipFile(tmp_path / "digits.zip") as archive:
        names = ["model.json", "model.onnx", "model.safetensors", "predict.py"]
        assert archive.namelist() == [f"digits/{name}" for name in names]
        archive.extractall(tmp_path)
    files = []
    for i in range(12):
        data, suffix = run.dataset.test.original(i)
        files.append(tmp_path / f"{i}{suffix}")
        files[-1].write_bytes(data)
        if i % 2:  # a grey file says the same as a coloured one
            Image.open(files[-1]).convert("L").save(files[-1])
    assert_alone_agrees(saved.open_folder(tmp_path / "digits"), tmp_path / "digits", files)


def test_the_example_has_twenty_lines_and_needs_nothing_of_this_program():
    assert len([line for line in EXAMPLE_TEXT.splitlines() if line.strip()]) <= 20
    assert "al_core" not in EXAMPLE_TEXT
    assert "torch" not in EXAMPLE_TEXT


def test_reloaded_weights_give_the_very_predictions_that_the_round_kept(experiment, tmp_path):
    choice = saved.write_model(experiment, tmp_path / "model", onnx=False)
    arrays = Objects(experiment.settings.objects).get_arrays(choice.record.artefacts["arrays"])
    images = experiment.dataset.test.read(arrays["test_ids"])
    exact = TrainConfig(precision="fp32", threads=1, device="cpu")
    from al_core.data.pixels import MemmapSplit
    from al_core.engine.inference import predict

    for model in (
        saved.open_folder(tmp_path / "model", exact),
        saved.open_round(experiment, choice, exact),
    ):
        split = MemmapSplit("test", np.zeros(len(images), np.int64), images, None)
        probs = predict(model.network, split, np.arange(len(images))).probs
        np.testing.assert_array_equal(probs, arrays["test_probs"])


def test_the_model_of_the_best_validated_round_is_taken_and_its_card_says_so(experiment, tmp_path):
    choice = saved.write_model(experiment, tmp_path / "model", onnx=False)
    rounds = experiment.store.rounds(experiment.id)
    assert choice == choose_round(rounds)
    card = json.loads((tmp_path / "model" / "model.json").read_text())
    manifest = card["manifest"]
    assert manifest["chosen"] == choice.why
    assert (manifest["run"], manifest["round"]) == (experiment.id, choice.record.number)
    assert manifest["dataset"]["fingerprint"] == experiment.dataset.fingerprint
    assert manifest["labels"] == choice.record.num_labeled
    assert card["metrics"]["validation_accuracy"] == choice.record.metrics["validation_accuracy"]
    assert card["input"]["size"] == 16
    assert sorted(p.name for p in tmp_path.joinpath("model").iterdir()) == ["model.json", "model.safetensors"]
    with pytest.raises(NotFound, match="there is no round 7"):
        saved.write_model(experiment, tmp_path / "other", number=7, onnx=False)
    assert not (tmp_path / "other").exists()


def test_a_frozen_model_is_saved_whole_and_reads_without_its_recipe(
    store, settings, work, config, tmp_path, monkeypatch
):
    config = config.changed(model__model="squeezenet1_1", model__frozen=True, stop__n_rounds=1)
    run = trained(store, settings, work, config)
    choice = saved.write_model(run, tmp_path / "model", onnx=False)
    images = run.dataset.test.read(np.arange(5))
    before = saved.open_round(run, choice).probabilities(images)
    from al_core.engine import network

    def other_weights(spec, plan, build=network.build_module):
        module = build(spec, plan)
        with network.torch.no_grad():
            for value in module.parameters():
                value.add_(1)  # another torch version's fresh weights
        return module

    monkeypatch.setattr(network, "build_module", other_weights)
    np.testing.assert_array_equal(saved.open_folder(tmp_path / "model").probabilities(images), before)
    with pytest.raises(ModelError, match="the rebuilt squeezenet1_1 is not the saved one"):
        saved.open_round(run, choice)


def test_a_saved_model_that_was_tampered_with_is_refused(experiment, tmp_path):
    folder = tmp_path / "model"
    saved.write_model(experiment, folder, onnx=False)
    with pytest.raises(ConfigError, match="new or empty"):
        saved.write_model(experiment, folder, onnx=False)
    card = (folder / "model.json").read_text()
    (folder / "model.json").write_text(card.replace('"left"', '"right"'))
    with pytest.raises(ModelError, match="name different classes"):
        saved.open_folder(folder)
    (folder / "model.json").write_text(card.replace('"format": 1', '"format": 99'))
    with pytest.raises(ModelError, match="format 99; this version reads 1"):
        saved.open_folder(folder)
    (folder / "model.json").write_text(card)
    (folder / "model.safetensors").write_bytes(b"\x80\x04cos\nsystem\n.")  # a pickle is never read
    with pytest.raises(ModelError, match="cannot be read as weights"):
        saved.open_folder(folder)
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(tmp_path)


def test_export_model_writes_a_folder_and_names_its_rule(experiment, tmp_path, monkeypatch, capsys):
    experiment.store.close()
    monkeypatch.setenv("AL_HOME", str(experiment.settings.home))
    assert main(["export-model", experiment.id, "--out", str(tmp_path / "m"), "--no-onnx"]) == 0
    assert "the best by validation accuracy" in capsys.readouterr().out
    assert (tmp_path / "m" / "model.safetensors").is_file()
    assert main(["export-model", "nothing", "--out", str(tmp_path / "n")]) == 2
    assert "nothing" in capsys.readouterr().err


@pytest.mark.slow
def test_pictures_are_opened_alike_whoever_opens_them(photos):
    """The example repeats in three lines what open_image and fit_square do; here they are held together."""
    from hypothesis import given
    from hypothesis import strategies as st

    code = EXAMPLE_TEXT[EXAMPLE_TEXT.index("    picture = Image.open") : EXAMPLE_TEXT.index("    probs =")]
    body = compile("\n".join(line[4:] for line in code.splitlines()), "predict.py", "exec")
    files = sorted(photos.rglob("*.*"))

    @given(st.sampled_from(files), st.integers(8, 200))
    def agree(file, size):
        from PIL import ImageOps

        space = {"Image": Image, "ImageOps": ImageOps, "np": np, "name": file, "size": size}
        exec(body, space)
        np.testing.assert_array_equal(space["pixels"], decode_square(file, size, name=file.name))
        assert open_image(file, name=file.name).mode == "RGB"

    agree()
