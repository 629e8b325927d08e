"""Texture features: what they see, what they do not, and that they are kept."""

import numpy as np
import pytest

from al_core.engine import texture
from al_core.engine.features import frozen_features
from al_core.engine.texture import WIDTH, describe


def stripes(period, size=32, vertical=False, colour=(200, 200, 200)):
    image = np.zeros((size, size, 3), np.uint8)
    image[(np.arange(size) // period) % 2 == 0] = colour
    return image.transpose(1, 0, 2) if vertical else image


def test_a_descriptor_is_finite_and_depends_on_its_image_alone():
    images = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), np.uint8)
    found = describe(images)
    assert found.shape == (9, WIDTH)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[4:5], describe(images[4:5]), atol=1e-6)


@pytest.mark.parametrize("size", [1, 3, 8, 64])
def test_images_of_any_size_have_one(size):
    assert np.isfinite(describe(np.full((2, size, size, 3), 7, np.uint8))).all()


def test_every_histogram_has_a_square_length_of_one():
    images = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
    patterns = describe(images)[:, :90].reshape(3, 9, 10)
    np.testing.assert_allclose((patterns**2).sum(2), 1, atol=1e-5)
    np.testing.assert_allclose((describe(images)[:, 90:154] ** 2).sum(1), 1, atol=1e-5)


def test_a_flat_image_is_one_pattern_and_one_colour():
    found = describe(np.full((1, 32, 32, 3), 130, np.uint8))[0]
    assert (found[:90].reshape(9, 10)[:, 0] == 1).all()
    # level 2 of 4 in each channel
    assert found[90 + 2 * 16 + 2 * 4 + 2] == 1


def test_textures_are_told_apart_turned_ones_are_alike_and_colours_count():
    one, turned, fine, red = describe(
        np.stack([stripes(4), stripes(4, vertical=True), stripes(1), stripes(4, colour=(200, 0, 0))])
    )
    patterns = slice(0, 90)
    assert np.linalg.norm((one - turned)[patterns]) < 1e-3
    assert np.linalg.norm((one - fine)[patterns]) > 0.5
    assert np.linalg.norm(one - red) > 0.5


def test_the_table_is_computed_once_and_belongs_to_its_data(
    dataset, make_dataset, config, settings, monkeypatch
):
    calls = []
    plain = texture.describe
    monkeypatch.setattr(texture, "describe", lambda images: (calls.append(len(images)), plain(images))[1])
    config = config.changed(query__features="texture")
    ids = np.array([3, 1, 50])
    found = frozen_features(config, dataset, settings, ids)
    np.testing.assert_allclose(found, plain(dataset.train.read(ids)), atol=1e-6)
    frozen_features(config, dataset, settings, np.arange(5))
    assert sum(calls) == len(dataset.train)
    other = frozen_features(config, make_dataset(seed=5), settings, ids)
    assert not np.allclose(other, found)


def test_the_source_of_features_is_an_option(dataset, config, settings):
    widths = {
        source: frozen_features(
            config.changed(query__features=source), dataset, settings, np.arange(4)
        ).shape[1]
        for source in ("auto", "pixels", "texture", "network")
    }
    assert widths["auto"] == widths["pixels"]
    assert len({widths["pixels"], widths["texture"], widths["network"]}) == 3
