"""The corpus of difficult files: everything is either read as it should be, or refused with a reason."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig
from al_core.data.images import fit_square, open_image
from al_core.data.prepare import prepare
from al_core.errors import ImageRefused
from al_core.settings import Settings

REFUSED = {
    "broken/bomb_20000x20000.png": "more than 50 megapixels",
    "broken/broken_data_stream.png": "damaged picture",
    "broken/libtiff_segfault.tif": "damaged picture",
    "broken/no_cursors.cur": "not a picture",
    "broken/png_decompression_dos.png": "damaged picture",
    "broken/seek_too_large.tif": "damaged picture",
    "broken/zero_bytes.jpg": "empty file",
    "hopper/Thumbs.db": "a system file",
    "hopper/hopper.ico": "not a picture",
    "hopper/hopper.ppm": "not a picture",
    "modes/huge_12000x9000.png": "more than 50 megapixels",
    "MANIFEST.csv": "outside any class folder",
}


@pytest.fixture(scope="session")
def messy(test_data):
    if not (test_data / "messy-photos").is_dir():
        pytest.skip("no messy-photos in the test data")
    return test_data / "messy-photos"


def test_each_file_is_read_or_refused_as_expected(messy):
    with (messy / "MANIFEST.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 49
    for row in rows:
        expected = REFUSED.get(row["path"])
        image, reason = None, None
        try:
            image = open_image(messy / row["path"], name=row["path"])
        except ImageRefused as error:
            reason = error.reason
        if image is None:
            assert expected is not None, f"{row['path']} was refused: {reason}"
            assert reason.startswith(expected) or row["path"] == "hopper/Thumbs.db"
            continue
        assert expected is None, f"{row['path']} was not refused"
        assert image.mode == "RGB"
        if row["size"]:
            width, height = map(int, row["size"].split("x"))
            turned = row["exif_orientation"] in ("5", "6", "7", "8")
            assert image.size == ((height, width) if turned else (width, height)), row["path"]
        if image.width * image.height > 100:
            assert np.asarray(image).std() > 1, f"{row['path']} became a flat picture"


@pytest.mark.parametrize("group", ["landscape/Landscape", "portrait/Portrait"])
def test_turned_photos_look_like_the_upright_one(messy, group):
    files = sorted((messy / group).parent.glob("*.jpg"))
    squares = [fit_square(open_image(f, name=f.name, at_least=128), 64).astype(int) for f in files]
    for square in squares[1:]:
        assert np.abs(square - squares[0]).mean() < 8


def test_all_of_one_person_in_many_formats_look_alike(messy):
    names = (
        "hopper.tif", "hopper.gif", "hopper.Lab.tif", "PNG_with_jpg_extension.jpg",
        "hopper_orientation_3.jpg", "hopper_orientation_5.webp", "hopper_orientation_8.jpg",
        "hopper_idat_after_image_end.png",
    )  # fmt: skip
    reference = np.asarray(open_image(messy / "hopper" / "hopper.jpg", name="x")).astype(int)
    for name in names:
        pixels = np.asarray(open_image(messy / "hopper" / name, name=name)).astype(int)
        assert np.abs(pixels - reference).mean() < 12, name


def test_the_cmyk_photo_is_the_colour_photo(messy):
    plain, cmyk, turned = (
        fit_square(open_image(messy / "elephant" / f"african_elephants{end}.jpg", name=end), 64).astype(int)
        for end in ("", "_cmyk", "_with_exif_orientation")
    )
    assert np.abs(plain - cmyk).mean() < 12
    assert np.abs(plain - turned).mean() < 12


def test_the_folder_as_a_data_set_counts_every_file(settings, messy):
    own = Settings(settings.home, settings.database_url, (messy,))
    data = prepare(own, DataConfig(dataset=f"folder:{messy}"))
    reasons = {r.name: r.reason for r in data.refused}
    assert set(reasons) == set(REFUSED)
    assert all(reasons[name].startswith(reason) for name, reason in REFUSED.items())
    assert len(data.train) + len(data.test) + len(REFUSED) == 50
    assert "nested/deeper/class name with spaces" in data.classes
    for split in (data.train, data.test):
        assert (split.read(np.arange(len(split))).max(axis=(1, 2, 3)) > 100).all()
        for sample_id in range(len(split)):
            data, mime = split.encoded(sample_id, 256)
            assert max(Image.open(io.BytesIO(data)).size) <= 1024
            assert mime in ("image/png", "image/jpeg")
