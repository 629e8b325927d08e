"""What Set up begins with for the images that were chosen."""

from dataclasses import replace

import pytest

from al_core.config import DataConfig
from al_core.data.prepare import prepare
from al_core.models import MODELS
from al_core.settings import Settings
from state import starting


@pytest.fixture
def digits(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return prepare(Settings.from_env({"AL_HOME": str(tmp_path / "home")}), DataConfig())


def put_weights(tmp_path, name="squeezenet1_1-b8a52dc0.pth"):
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"weights")
    return folder / name


def test_small_pictures_begin_with_the_small_network(digits, tmp_path):
    assert starting.suited(digits) == "quick"
    put_weights(tmp_path)
    assert starting.suited(digits) == "quick"


def test_photos_begin_with_imagenet_features_where_the_weights_are_there(digits, tmp_path):
    photos = replace(digits, kind="files")
    assert starting.suited(photos) == "quick"
    put_weights(tmp_path)
    assert starting.suited(photos) == "instant"


def test_the_weights_are_looked_for_where_torch_looks(tmp_path, monkeypatch):
    hub = pytest.importorskip("torch.hub", reason="torch is not installed")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    model = MODELS.get("squeezenet1_1")
    assert model.weights_file() is None
    file = put_weights(tmp_path)
    assert model.weights_file() == file
    assert str(file).startswith(hub.get_dir())
    assert MODELS.get("small_cnn").weights_file() is None


def test_a_proposal_holds_every_option_of_model_and_training():
    quick, instant = starting.settings_of("quick"), starting.settings_of("instant")
    assert quick.keys() == instant.keys()
    changed = {path for path in quick if quick[path] != instant[path]}
    assert changed == {"model.model", "model.pretrained", "model.frozen"}
