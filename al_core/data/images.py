"""The only place that opens image files: limits first, then pixels, always RGB and upright.

A picture comes from anybody, so what it claims is checked before anything is decoded: that it is a regular
file, at most MAX_BYTES, of a format in FORMATS by its content (the name does not matter), at most MAX_PIXELS.
What fails is refused with a short reason; nothing becomes a black picture in silence.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from typing import IO, Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageCms

from al_core.errors import ImageRefused
from al_core.words import kept, noted

MAX_BYTES: Final = 64 * 2**20
MAX_PIXELS: Final = 50_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MAX_SIDE: Final = 2048
"""The longer side of the largest picture that a browser is sent."""

_ORIENTATION: Final = 0x0112
_TRANSPOSE: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_THEIR_SIDE: Final = (
    Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)  # fmt: skip
# Python 3.11's warning filters belong to the process, so that two threads must not swap them at once.
_FILTERS = threading.Lock()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Damaged metadata is ignored, and a decompression bomb is an error."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str], name: str) -> Iterator[IO[bytes]]:
    """A regular file that is small enough, opened; a pipe or a device is refused without waiting."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else noted("bad path")
        raise ImageRefused(name, kept("cannot be opened ({reason})", reason=reason)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ImageRefused(name, noted("not a regular file"))
        if status.st_size > MAX_BYTES:
            raise ImageRefused(name, _too_many_bytes())
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read_file(path: str | os.PathLike[str], *, name: str) -> bytes:
    """The bytes of a regular file that is small enough; a pipe or a device is refused without waiting.

    Raises:
        ImageRefused: it cannot be opened, or is no regular file, or is larger than MAX_BYTES.
    """
    with _opened(path, name) as file:
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ImageRefused(name, kept("cannot be read ({reason})", reason=error.strerror)) from None
    if len(data) > MAX_BYTES:
        raise ImageRefused(name, _too_many_bytes())
    return data


def open_image(
    source: str | os.PathLike[str] | bytes, *, name: str, at_least: int | None = None
) -> Image.Image:
    """The picture as RGB, turned as its EXIF says, transparency laid on white, the first frame only.

    With `at_least`, a JPEG may be decoded smaller, as long as both sides stay that long: much faster.

    Raises:
        ImageRefused: it is not a picture of an allowed format, is too large, truncated or damaged.
    """
    return open_measured(source, name=name, at_least=at_least)[0]


def open_measured(
    source: str | os.PathLike[str] | bytes, *, name: str, at_least: int | None = None
) -> tuple[Image.Image, tuple[int, int]]:
    """What `open_image` gives, and the picture's own width and height in pixels, upright.

    Raises:
        ImageRefused: as `open_image`.
    """
    data = source if isinstance(source, bytes) else read_file(source, name=name)
    if not data:
        raise ImageRefused(name, noted("empty file"))
    try:
        image, size = _decode(data, name, at_least)
        turn = _turn(image)
        upright = image if turn is None else image.transpose(turn)
        return _to_rgb(upright, name), _turned(size, turn)
    except ImageRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageRefused(name, _too_many_pixels()) from None
    except MemoryError:
        raise ImageRefused(name, noted("needs too much memory")) from None
    except (
        Exception
    ) as error:  # hostile files make decoders raise nearly anything: struct.error, KeyError ...
        cut = "truncat" in str(error).lower()
        raise ImageRefused(name, noted("truncated picture") if cut else noted("damaged picture")) from error


def picture_size(path: str | os.PathLike[str], *, name: str) -> tuple[int, int]:
    """A picture's own width and height in pixels, upright, by its head alone: no pixel is decoded.

    Raises:
        ImageRefused: it is no regular file, or its head is not that of a picture of an allowed format.
    """
    with _opened(path, name) as file:
        try:
            with _quiet():
                image = Image.open(file, formats=FORMATS)
            # a PNG may tell its orientation behind the pixels: then it is taken as it lies; a TIFF's size is
            # that of the upright picture
            turns = "exif" in image.info and image.format != "TIFF"
            return _turned(image.size, _turn(image) if turns else None)
        except Exception as error:  # as above: hostile heads make decoders raise nearly anything
            raise ImageRefused(name, noted("damaged picture")) from error


def _too_many_bytes() -> str:
    return kept("larger than {n} MiB", n=MAX_BYTES >> 20)


def _too_many_pixels() -> str:
    return kept("more than {n} megapixels", n=MAX_PIXELS // 1_000_000)


def _decode(data: bytes, name: str, at_least: int | None) -> tuple[Image.Image, tuple[int, int]]:
    """The pixels as they lie in the file, perhaps smaller, and the file's own width and height."""
    with _quiet():
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.UnidentifiedImageError:
            known = data[:2] in (b"\xff\xd8", b"\x89P", b"RI", b"II", b"MM", b"GI")
            unknown = kept("not a picture of a known format ({formats})", formats=", ".join(FORMATS))
            reason = noted("damaged picture") if known else unknown
            raise ImageRefused(name, reason) from None
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageRefused(name, _too_many_pixels())
        if at_least is not None and image.format in ("JPEG", "MPO"):
            image.draft(None, (at_least, at_least))  # None: the mode stays
        if image.format == "TIFF":
            image.load()  # reads metadata again, and may warn about it
    image.load()
    return image, (width, height)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What brings a picture upright, as its EXIF says."""
    with _quiet():
        try:
            orientation = image.getexif().get(_ORIENTATION, 1)
        except Exception:  # damaged EXIF raises nearly anything, and the pixels are good without it
            return None
    return _TRANSPOSE.get(orientation) if isinstance(orientation, int) else None


def _turned(size: tuple[int, int], turn: Image.Transpose | None) -> tuple[int, int]:
    width, height = size
    return (height, width) if turn in _ON_THEIR_SIDE else (width, height)


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode == "LAB":
        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
        if converted is None:
            raise ImageRefused(name, noted("colours that cannot be converted (LAB)"))
        return converted
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    return image.convert("RGB")


def _to_eight_bits(values: np.ndarray) -> UInt8[np.ndarray, "H W"]:
    """Grey values of more than 8 bits scaled to 0..255.

    Cameras and scanners store 10, 12 or 14 bits in 16, so that the scale is the least bit depth that holds
    the largest value. Floats are taken as 0..1 or 0..255 where they fit, and stretched otherwise.
    """
    scaled = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(scaled.min()), float(scaled.max())
    if low < 0 or high > 65535:
        scaled -= low
        scale = max(high - low, 1e-12)
    elif np.issubdtype(values.dtype, np.floating):
        scale = next(top for top in (1.0, 255.0, 65535.0) if high <= top)
    else:
        scale = float(next(top for top in (255, 1023, 4095, 16383, 65535) if high <= top))
    scaled *= 255.0 / scale
    return np.rint(scaled).clip(0, 255).astype(np.uint8)


def fit_square(image: Image.Image, size: int) -> UInt8[np.ndarray, "S S 3"]:
    """The middle square of a picture at `size` pixels: shorter side to size, the rest cut off."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    # one call that crops first: scaling a 9000 x 1 strip before cutting would need a gigabyte
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=box))


def encode(image: Image.Image, width: int | None, *, lossless: bool) -> tuple[bytes, str]:
    """Bytes and mime type of a whole picture, at most `width` wide, never enlarged."""
    limits = (MAX_SIDE, MAX_SIDE) if width is None else (min(width, MAX_SIDE), min(4 * width, MAX_SIDE))
    scale = min(1.0, limits[0] / image.width, limits[1] / image.height)
    if scale < 1:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    buffer = io.BytesIO()
    if lossless:
        image.save(buffer, "PNG", compress_level=3)
        return buffer.getvalue(), "image/png"
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue(), "image/jpeg"
