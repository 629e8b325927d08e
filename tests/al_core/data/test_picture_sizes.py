"""Width and height of pictures as they came: kept by preparing, read from the heads of files otherwise."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig
from al_core.data.images import open_image, open_measured, picture_size
from al_core.data.looks import shapes
from al_core.data.prepare import open_dataset, prepare
from al_core.errors import DataError, ImageRefused

SHAPES = ((400, 300), (300, 400), (640, 480), (200, 200), (330, 500), (900, 200))


def photo(size, orientation=None, kind="JPEG"):
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    noise = np.random.default_rng(size[0]).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, kind, exif=exif)
    return out.getvalue()


@pytest.fixture
def photos(tmp_path):
    """JPEGs of several sizes, one of them lying on its side; names tell the size as one sees it."""
    root = tmp_path / "photos"
    for number, (width, height) in enumerate(SHAPES * 2):
        folder = root / ("train" if number < len(SHAPES) else "test") / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{width}x{height}.jpg").write_bytes(photo((width, height)))
    lying = root / "train" / "a" / "480x700.jpg"
    lying.write_bytes(photo((700, 480), orientation=6))
    return root


def told(split):
    """The sizes that the names tell."""
    names = [split.file_name(i).rpartition("/")[2].removesuffix(".jpg") for i in range(len(split))]
    return [tuple(map(int, name.split("x"))) for name in names]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [None, *range(1, 9)])
def test_the_size_is_that_of_the_upright_picture_however_small_it_is_decoded(tmp_path, kind, orientation):
    data = photo((640, 480), orientation, kind)
    upright = open_image(data, name="x").size
    image, size = open_measured(data, name="x", at_least=16)
    assert size == upright
    assert min(image.size) >= 16
    path = tmp_path / "x"
    path.write_bytes(data)
    assert picture_size(path, name="x") == upright


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut", b"\x89PNG\r\n\x1a\n"])
def test_a_head_that_is_none_is_refused(tmp_path, data):
    path = tmp_path / "x.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageRefused):
        picture_size(path, name="x")
    with pytest.raises(ImageRefused, match="cannot be opened"):
        picture_size(tmp_path / "gone.jpg", name="gone")


def test_preparing_keeps_the_sizes_of_both_splits(settings, photos):
    data = prepare(settings, DataConfig(dataset=f"folder:{photos}"))
    assert data.kind == "files"
    shutil.rmtree(photos)  # nothing is read from the files any more
    again = open_dataset(settings, data.key)
    for split in (again.train, again.test):
        assert split.sizes(np.arange(len(split))).tolist() == [list(size) for size in told(split)]
    assert again.train.sizes(np.array([3, 0, 3])).tolist() == [list(told(again.train)[i]) for i in (3, 0, 3)]
    with pytest.raises(DataError, match="there is no sample 99"):
        again.train.sizes(np.array([99]))


def test_photos_that_are_all_jpegs_are_seen_at_their_size_and_not_at_that_of_a_quick_look(settings, photos):
    """A JPEG can be decoded at an eighth, which says nothing of how large it is."""
    assert prepare(settings, DataConfig(dataset=f"folder:{photos}")).image_size == 128


def test_small_jpegs_of_one_size_are_kept_as_they_are(settings, tmp_path):
    for number in range(8):
        folder = tmp_path / "small" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(photo((32, 32)))
    data = prepare(settings, DataConfig(dataset=f"folder:{tmp_path / 'small'}"))
    assert (data.kind, data.image_size) == ("memmap", 32)
    assert data.train.sizes(np.array([0])).tolist() == [[32, 32]]


def test_a_set_of_an_earlier_version_is_valid_and_gets_its_sizes_from_the_files(settings, photos):
    data = prepare(settings, DataConfig(dataset=f"folder:{photos}"))
    folder = settings.datasets / data.key
    for split in ("train", "test"):
        (folder / f"{split}_sizes.npy").unlink()
    old = open_dataset(settings, data.key)
    assert old.fingerprint == data.fingerprint
    assert old.train.kept_sizes is None
    assert old.train.sizes(np.array([2, 5])).tolist() == [list(told(old.train)[i]) for i in (2, 5)]
    next(photos.rglob("train/*/640x480.jpg")).unlink()
    gone = told(old.train).index((640, 480))
    assert old.train.sizes(np.array([gone])).tolist() == [[0, 0]]
    seen = []
    old.train.keep_sizes(lambda done, total: seen.append((done, total)))
    assert seen == [(7, 7)]
    expected = [[0, 0] if i == gone else list(size) for i, size in enumerate(told(old.train))]
    assert old.train.kept_sizes.tolist() == expected
    assert open_dataset(settings, data.key).train.kept_sizes.tolist() == expected
    assert prepare(settings, DataConfig(dataset="digits")).train.kept_sizes[0].tolist() == [8, 8]


def test_shapes_are_the_shorter_side_and_width_by_height():
    found = shapes(np.array([[400, 300], [300, 400], [0, 0]], np.int32))
    assert found["shorter side"].tolist()[:2] == [300, 300]
    assert found["aspect ratio"].tolist()[:2] == [pytest.approx(4 / 3), 0.75]
    assert np.isnan(found["shorter side"][2])
    assert np.isnan(found["aspect ratio"][2])
