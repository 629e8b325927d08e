"""Real pictures, where there are any: photos of clothes, handwritten characters."""

import json

import pytest

from al_core.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path, monkeypatch, test_data):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(test_data / "torch-home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def go(name, *argv):
        out = tmp_path / name
        assert main(["run", "--quiet", "--out", str(out), *argv]) == 0
        return json.loads((out / "records.json").read_text())["rounds"]

    return go


def test_frozen_imagenet_features_of_photos_beat_random_weights_by_far(run, test_data):
    argv = ["--dataset", f"folder:{test_data / 'clothing'}", "--image-size", "96", "--model", "squeezenet1_1"]
    argv += ["--frozen", "--n-start", "5", "--n-new", "50", "--n-rounds", "2", "--threads", "1"]
    learned = run("imagenet", *argv, "--pretrained")
    control = run("control", *argv)
    assert [r["num_labeled"] for r in learned] == [50, 100]
    assert learned[-1]["test_accuracy"] > control[-1]["test_accuracy"] + 0.15
    assert learned[-1]["test_accuracy"] > 0.45


def test_emnist_trains_a_resnet(run, test_data):
    argv = ["--dataset", f"emnist_balanced:{test_data / 'emnist-balanced-derived'}", "--model", "resnet18"]
    argv += ["--n-start", "2", "--n-new", "20", "--n-rounds", "2", "--epochs", "2", "--min-steps", "10"]
    rounds = run("emnist", *argv, "--candidates", "500", "--stem", "imagenet")
    assert [r["num_labeled"] for r in rounds] == [94, 114]
    assert len(rounds[0]["confusion"]) == 47
