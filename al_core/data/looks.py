"""How pictures look, in numbers that a person can name: brightness, sharpness, size ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

from al_core.data.dataset import Split
from al_core.types import SampleIds, Sizes

PROPERTIES: Final = ("brightness", "contrast", "sharpness", "colourfulness")
SHAPES: Final = ("shorter side", "aspect ratio")
_AT_ONCE: Final = 256


def shapes(sizes: Sizes) -> dict[str, Float64[np.ndarray, " n"]]:
    """Shorter side in pixels (models see the middle square) and width by height; NaN where not known."""
    width, height = sizes.astype(np.float64).T
    known = height > 0
    ratio = np.divide(width, height, out=np.full(len(sizes), np.nan), where=known)
    return {"shorter side": np.where(known, np.minimum(width, height), np.nan), "aspect ratio": ratio}


def looks(
    split: Split, ids: SampleIds, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Float32[np.ndarray, " n"]]:
    """Each property of each image, in the order of `ids`, read at the data set's image size.

    brightness and contrast are mean and deviation of the luminance (0 to 255); sharpness is the deviation of
    its Laplacian; colourfulness is Hasler and Suesstrunk's (2003).
    """
    out = {name: np.empty(len(ids), np.float32) for name in PROPERTIES}
    for start in range(0, len(ids), _AT_ONCE):
        pixels = split.read(ids[start : start + _AT_ONCE]).astype(np.float32)
        part = slice(start, start + len(pixels))
        red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
        luminance = 0.299 * red + 0.587 * green + 0.114 * blue
        middle = luminance[:, 1:-1, 1:-1]
        around = (
            luminance[:, :-2, 1:-1] + luminance[:, 2:, 1:-1]
            + luminance[:, 1:-1, :-2] + luminance[:, 1:-1, 2:]
        )  # fmt: skip
        out["brightness"][part] = luminance.mean(axis=(1, 2))
        out["contrast"][part] = luminance.std(axis=(1, 2))
        out["sharpness"][part] = (around - 4 * middle).std(axis=(1, 2))
        across, along = red - green, (red + green) / 2 - blue
        spread = np.hypot(across.std(axis=(1, 2)), along.std(axis=(1, 2)))
        shift = np.hypot(across.mean(axis=(1, 2)), along.mean(axis=(1, 2)))
        out["colourfulness"][part] = spread + 0.3 * shift
        progress(part.stop, len(ids))
    return out
