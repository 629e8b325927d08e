"""Pictures found in folders, opened, and matched to classes."""

import numpy as np
import pytest
from PIL import Image

from al_core.data.photos import decode_square
from al_core.deploy.pictures import by_class, decode, find_pictures, labels_of
from al_core.errors import DataError

CLASSES = ("cat", "a/b", "=sum")


@pytest.fixture
def folder(tmp_path):
    """Two pictures of each class; a class folder named as an export would, and what belongs to no class."""
    rng = np.random.default_rng(0)
    for place in ("cat/10.png", "cat/2.png", "a_b/1.png", "a/b/2.png", "=sum/1.jpg", "_skipped/1.png"):
        path = tmp_path / "f" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (30, 20, 3)).astype(np.uint8)).save(path)
    (tmp_path / "f" / "manifest.csv").write_text("sample_id\n")
    (tmp_path / "f" / "cat" / "broken.png").write_bytes(b"\x89PNG\r\n")
    return tmp_path / "f"


def test_class_folders_are_matched_by_name_and_by_the_name_that_an_export_gives(folder):
    found = find_pictures(folder)
    pictures, truth = by_class(found, CLASSES)
    assert truth == {
        "=sum/1.jpg": 2, "a/b/2.png": 1, "a_b/1.png": 1, "cat/2.png": 0, "cat/10.png": 0, "cat/broken.png": 0
    }  # fmt: skip
    assert [name for name in pictures.names if name.startswith("cat/")][:2] == ["cat/2.png", "cat/10.png"]
    assert {r.name: r.reason for r in pictures.refused} == {
        "_skipped/1.png": "a folder of images without a class", "manifest.csv": "outside any class folder"
    }  # fmt: skip
    assert labels_of(["a_b/1.png", "=sum/1.jpg"], truth).tolist() == [1, 2]


def test_a_folder_that_is_no_class_is_refused_and_named(folder):
    (folder / "dog").mkdir()
    (folder / "cat" / "2.png").rename(folder / "dog" / "2.png")
    with pytest.raises(DataError, match="'dog' is no class of it; it knows 'cat', 'a/b', '=sum'"):
        by_class(find_pictures(folder), CLASSES)
    with pytest.raises(DataError, match="holds no class folders; expected 'cat'"):
        by_class(find_pictures(folder / "a_b"), CLASSES)
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match="no files in"):
        find_pictures(folder / "empty")
    with pytest.raises(DataError, match="cannot be read"):
        find_pictures(folder / "absent")


def test_what_cannot_be_opened_is_named_and_the_rest_goes_on(folder):
    pictures, _ = by_class(find_pictures(folder), CLASSES)
    (block,) = decode(pictures, 12)
    assert [r.name for r in block.refused] == ["cat/broken.png"]
    assert block.names == tuple(name for name in pictures.names if "broken" not in name)
    for name, image in zip(block.names, block.images, strict=True):
        np.testing.assert_array_equal(image, decode_square(folder / name, 12, name=name))


def test_one_picture_is_found_by_its_own_name(folder):
    assert find_pictures(folder / "cat" / "2.png").names == ("2.png",)
