"""Occlusion: how much the probability of a class falls while a part of the image is covered.

Zeiler & Fergus (2014, arXiv 1311.2901). Of the usual ways to show what a network goes by, this one asks the
network itself, so that it is faithful by construction, needs no gradients (which vanish where a network is
sure) and no feature map (a ViT has none of a convolution's kind). It costs some hundred passes of one image.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float32

from al_core.data.pixels import MemmapSplit
from al_core.engine.inference import Control, Progress, no_control, no_progress, predict
from al_core.engine.network import Network
from al_core.types import UNKNOWN, Images

SHARES: Final = (1 / 3, 1 / 5)
"""Sides of the covering squares, as shares of the image's: large ones see shapes, small ones see places."""
STEPS: Final = 12
"""Places along a side, at most."""


def occlusion(
    network: Network, image: Images, *, progress: Progress = no_progress, control: Control = no_control
) -> tuple[Float32[np.ndarray, "S S"], int, float, float]:
    """Of one image (1, S, S, 3): heat in 0..1, the likeliest output, its probability, and the lowest seen.

    A pixel's heat is the mean fall over the squares that cover it, of each size alike. What covers is the
    mean colour of the training images, which is nothing to the network.
    """
    side = image.shape[1]
    colour = np.clip(np.round(255 * np.asarray(network.spec.mean)), 0, 255).astype(np.uint8)
    probs = _probs(network, image, no_progress, control)[0]
    output = int(probs.argmax())
    covers = [_squares(side, share) for share in SHARES]
    boxes = np.concatenate(covers)
    covered = np.repeat(image, len(boxes), axis=0)
    for row, (y, x, size) in enumerate(boxes):
        covered[row, y : y + size, x : x + size] = colour
    left = _probs(network, covered, progress, control)[:, output]
    fall = np.maximum(probs[output] - left, 0)
    heat = np.zeros((side, side), np.float64)
    start = 0
    for squares in covers:
        total, times = np.zeros_like(heat), np.zeros_like(heat)
        for (y, x, size), value in zip(squares, fall[start : start + len(squares)], strict=True):
            total[y : y + size, x : x + size] += value
            times[y : y + size, x : x + size] += 1
        heat += total / np.maximum(times, 1)
        start += len(squares)
    top = heat.max()
    heat = heat / top if top > 0 else heat
    return heat.astype(np.float32), output, float(probs[output]), float(left.min())


def _squares(side: int, share: float) -> np.ndarray:
    """Upper left corners and the side of the squares, (n, 3): they overlap and reach every border."""
    size = max(1, round(share * side))
    places = np.unique(np.linspace(0, side - size, min(STEPS, side - size + 1)).round().astype(int))
    grid = np.stack(np.meshgrid(places, places, indexing="ij"), -1).reshape(-1, 2)
    return np.column_stack([grid, np.full(len(grid), size)])


def _probs(network: Network, images: Images, progress: Progress, control: Control) -> np.ndarray:
    split = MemmapSplit("test", np.full(len(images), UNKNOWN), images, None)
    return predict(
        network, split, np.arange(len(images)), embeddings=False, progress=progress, control=control
    ).probs
