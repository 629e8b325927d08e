"""Measuring on made-up images: they are a data set like any other, and what is asked for is measured."""

import io

import numpy as np
import pytest
from PIL import Image

from al_core.config import ExperimentConfig
from al_core.engine.speed import made_up_dataset, measure_network
from al_core.engine.texture import WIDTH


def test_made_up_images_can_be_shown_and_exported():
    train = made_up_dataset(8, 3, 5).train
    data, kind = train.encoded(4, None)
    assert kind == "image/png"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), train.read(np.array([4]))[0])
    assert train.original(4) == (data, ".png")
    assert train.file_name(4) == "train-000004.png"
    assert train.read(np.array([0, 1]), 5).shape == (2, 5, 5, 3)


@pytest.mark.slow
def test_texture_features_and_copies_are_measured_where_they_are_asked_for():
    config = ExperimentConfig().changed(train__threads=1, train__batch_size=8)
    speed = measure_network(config, 8, 3, {"probs", "texture", "features", "copies"})
    assert speed.seconds.keys() == {
        "probs", "texture", "features", "copies", "train_fixed", "train_step"
    }  # fmt: skip
    assert (speed.texture_width, speed.gradient_chunk) == (WIDTH, 64)
    assert speed.feature_width > 0
    assert 0 < speed.seconds["probs"] < speed.seconds["copies"] < 1
    assert speed.seconds["texture"] < 0.01
    bare = measure_network(config, 8, 3, {"probs"})
    assert bare.seconds.keys() == {"probs"}
