import numpy as np
import pytest

from al_core.data.dataset import Split
from al_core.data.looks import PROPERTIES, looks


class Pictures(Split):
    def __init__(self, pixels):
        super().__init__("test", np.zeros(len(pixels), np.int64), pixels.shape[1])
        self.pixels = pixels

    def _read(self, ids, size):
        return self.pixels[ids]

    def _encoded(self, sample_id, width):
        raise NotImplementedError

    def _file_name(self, sample_id):
        return str(sample_id)


def test_each_property_orders_pictures_as_its_name_says():
    rng = np.random.default_rng(0)
    dark = np.full((8, 8, 3), 20, np.uint8)
    bright = np.full((8, 8, 3), 220, np.uint8)
    board = np.where((np.indices((8, 8)).sum(0) % 2)[..., None], 255, 0).astype(np.uint8).repeat(3, 2)
    slope = np.linspace(0, 255, 8).astype(np.uint8)[None, :, None].repeat(8, 0).repeat(3, 2)
    colours = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    found = looks(Pictures(np.stack([dark, bright, board, slope, colours])), np.arange(5))
    assert set(found) == set(PROPERTIES)
    assert found["brightness"][0] == pytest.approx(20, abs=0.1)
    assert found["brightness"][0] < found["brightness"][2] < found["brightness"][1]
    assert found["contrast"][:2].tolist() == pytest.approx([0, 0], abs=1e-3)
    assert found["sharpness"][2] > 5 * found["sharpness"][3]
    assert found["colourfulness"][2] == pytest.approx(0, abs=1e-3)
    assert found["colourfulness"][4] > 50


def test_many_pictures_are_read_in_parts_in_the_order_asked():
    pixels = np.arange(600, dtype=np.uint16).astype(np.uint8)[:, None, None, None] * np.ones(
        (1, 4, 4, 3), np.uint8
    )
    ids = np.random.default_rng(0).permutation(600)
    seen = []
    found = looks(Pictures(pixels), ids, progress=lambda done, total: seen.append((done, total)))
    assert found["brightness"] == pytest.approx(ids.astype(np.uint8), abs=0.01)
    assert seen[-1] == (600, 600)
