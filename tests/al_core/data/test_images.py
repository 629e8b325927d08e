"""One way to open a picture: limits, orientation, colours, and nothing that crashes."""

import io
import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_core.data.images import encode, fit_square, open_image
from al_core.errors import ImageRefused

ROOT = Path(__file__).resolve().parents[3]


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def quarters():
    """Red, green, blue, white quarters: says which way up it is."""
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, :24], pixels[:16, 24:] = (255, 0, 0), (0, 255, 0)
    pixels[16:, :24], pixels[16:, 24:] = (0, 0, 255), (255, 255, 255)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_the_formats_of_the_list_are_read_whatever_the_file_is_called(tmp_path, quarters, kind):
    path = tmp_path / "picture.txt"
    path.write_bytes(saved(quarters, kind))
    image = open_image(path, name="x")
    assert (image.mode, image.size) == ("RGB", (48, 32))
    assert np.abs(np.asarray(image).astype(int) - np.asarray(quarters)).mean() < 12


@pytest.mark.parametrize("kind", ["PPM", "ICO", "TGA", "PCX", "DDS", "ICNS"])
def test_other_formats_are_refused(quarters, kind):
    with pytest.raises(ImageRefused, match=r"not a picture of a known format|damaged"):
        open_image(saved(quarters.resize((32, 32)), kind), name="x")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(quarters, kind, orientation):
    stored = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = quarters if stored is None else quarters.transpose(stored)
    image = open_image(saved(turned, kind, exif=exif), name="x")
    assert np.abs(np.asarray(image).astype(int) - np.asarray(quarters)).mean() < 12


@pytest.mark.parametrize("top", [200, 900, 4000, 16000, 65535])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_of_more_than_eight_bits_is_scaled_and_not_clipped(top, kind):
    ramp = np.linspace(0, top, 64 * 64).reshape(64, 64).astype(np.uint16)
    pixels = np.asarray(open_image(saved(Image.fromarray(ramp), kind), name="x"))[..., 0]
    assert pixels.max() > 190
    assert (np.diff(pixels.ravel().astype(int)) >= 0).all()
    assert len(np.unique(pixels)) > 150


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 255.0), (-3.0, 3.0), (0.0, 1e6)])
def test_floating_point_grey_fills_the_range(low, high):
    ramp = np.linspace(low, high, 64 * 64, dtype=np.float32).reshape(64, 64)
    ramp[0, 0] = np.nan
    pixels = np.asarray(open_image(saved(Image.fromarray(ramp), "TIFF"), name="x"))
    assert pixels.max() == 255
    assert 100 < pixels.mean() < 155


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_transparency_is_laid_on_white(mode, kind):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((10, 20, 200, 255), (0, 0, 4, 8))
    pixels = np.asarray(open_image(saved(image.convert(mode), kind), name="x"))
    assert (pixels[:, 4:] == 255).all()
    assert pixels[0, 0].mean() < 100


def test_a_transparent_palette_is_laid_on_white():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 10, 10])
    image.paste(0, (0, 0, 8, 4))
    for kind in ("PNG", "GIF"):
        pixels = np.asarray(open_image(saved(image, kind, transparency=0), name="x"))
        assert (pixels[:4] == 255).all()
        assert (pixels[4:] == (200, 10, 10)).all()


def test_cmyk_becomes_the_same_colours():
    red = Image.new("RGB", (16, 16), (200, 30, 30))
    pixels = np.asarray(open_image(saved(red.convert("CMYK"), "JPEG"), name="x"))
    assert np.abs(pixels.astype(int) - (200, 30, 30)).max() < 12


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    pixels = np.asarray(open_image(data, name="x")).astype(int)
    assert np.abs(pixels - (255, 0, 0)).max() < 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(kind, part):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(ImageRefused, match=r"truncated|damaged|not a picture"):
        open_image(data[: int(len(data) * part)], name="x")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_flipped_bytes_either_give_a_picture_or_are_refused(kind):
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 255, (24, 24, 3), np.uint8)
    data = saved(Image.fromarray(noise), kind)
    reasons = []
    for _ in range(120):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 6)):
            broken[place] = int(rng.integers(0, 256))
        try:
            image = open_image(bytes(broken), name="x")
            assert image.mode == "RGB"
            assert image.width * image.height <= 50_000_000
        except ImageRefused as error:
            reasons.append(error.reason)
    assert len(reasons) > 5
    assert max(map(len, reasons)) < 90


def bomb(side):
    """A PNG of side x side black pixels in a few kilobytes."""
    packer = zlib.compressobj(9)
    rows = b"".join([packer.compress(bytes(side // 8 + 1)) for _ in range(side)]) + packer.flush()

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7_200, 9_600, 20_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path, side):
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(side))
    assert path.stat().st_size < 100_000
    code = (
        "import resource, sys\n"
        "from al_core.data.images import open_image\n"
        "from al_core.errors import ImageRefused\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    open_image(sys.argv[1], name='bomb')\n"
        "except ImageRefused as error:\n    print(error.reason)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, path],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    reason, grown = run.stdout.splitlines()
    assert reason == "more than 50 megapixels"
    assert int(grown) < 20_000  # KiB


def test_a_large_picture_within_the_limit_is_read():
    image = open_image(bomb(4000), name="x")
    assert image.size == (4000, 4000)


def test_a_file_above_the_byte_limit_is_refused_without_reading_it(tmp_path):
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(ImageRefused, match="larger than 64 MiB"):
        open_image(path, name="large.jpg")


def test_pipes_devices_folders_and_missing_files_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", "/dev/zero", "/dev/null", tmp_path, tmp_path / "no.jpg", "a\0b"):
        with pytest.raises(ImageRefused, match=r"not a regular file|cannot be opened|cannot be read"):
            open_image(path, name="x")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "no.jpg").touch()
    with pytest.raises(ImageRefused, match="empty file"):
        open_image(tmp_path / "no.jpg", name="x")


def test_damaged_exif_does_not_cost_the_picture(quarters):
    exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(range(200))
    assert open_image(saved(quarters, "JPEG", exif=exif), name="x").size == (48, 32)


def test_an_extreme_strip_is_cut_before_it_is_scaled():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    strip = Image.new("RGB", (60_000, 1), "red")
    assert (fit_square(strip, 256) == (255, 0, 0)).all()
    data, mime = encode(strip, 200, lossless=False)
    assert mime == "image/jpeg"
    assert Image.open(io.BytesIO(data)).size == (200, 1)
    assert Image.open(io.BytesIO(encode(strip.rotate(90, expand=True), 10, lossless=True)[0])).size == (1, 40)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_the_square_is_the_middle_of_the_picture(quarters):
    assert (fit_square(quarters, 32) == np.asarray(quarters)[:, 8:40]).all()


def test_thumbnails_keep_the_shape_and_are_never_enlarged(quarters):
    assert Image.open(io.BytesIO(encode(quarters, 24, lossless=True)[0])).size == (24, 16)
    assert Image.open(io.BytesIO(encode(quarters, 500, lossless=True)[0])).size == (48, 32)
    large = Image.new("RGB", (5000, 2500))
    assert Image.open(io.BytesIO(encode(large, None, lossless=False)[0])).size == (2048, 1024)
