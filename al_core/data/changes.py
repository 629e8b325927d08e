"""Augmentation without torch: the draws that training makes, and what a picture becomes, to be looked at.

The engine changes whole batches (engine/augment.py); a test holds both to the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from al_core.data.dataset import Augmentation, Dataset
from al_core.seeds import generator
from al_core.words import tr, tr_n

YIQ: Final = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
"""From RGB to brightness and two colour axes: turning the axes shifts the hue and keeps the brightness."""
_GAP: Final = 2  # pixels between pictures of a sheet, before it is enlarged
_LEAST_SIDE: Final = 72  # pixels at which a picture of a sheet is shown


@dataclass(frozen=True)
class Draws:
    """The random changes of one epoch, row i for image i of the training set."""

    dy: np.ndarray
    dx: np.ndarray
    flip: np.ndarray
    angle: np.ndarray  # radians
    contrast: np.ndarray  # factor
    hue: np.ndarray  # radians on the colour circle

    @classmethod
    def draw(cls, augmentation: Augmentation, n: int, rng: np.random.Generator) -> Draws:
        """Every kind is drawn, used or not, so that switching one on leaves the others as they were."""
        a = augmentation
        dy, dx = rng.integers(0, 2 * a.crop_padding + 1, (2, n))
        flip = (rng.random(n) < 0.5) & a.horizontal_flip
        turn, contrast, hue = rng.uniform(-1, 1, (3, n)).astype(np.float32)
        return cls(
            dy, dx, flip, turn * np.float32(np.deg2rad(a.rotation_degrees)),
            1 + contrast * np.float32(a.contrast), hue * np.float32(2 * np.pi * a.hue),
        )  # fmt: skip

    @classmethod
    def of(cls, augmentation: Augmentation, n: int, seed: int, round: int, epoch: int) -> Draws:
        """Those of an epoch of training."""
        return cls.draw(augmentation, n, generator(seed, "augment", round, epoch))


def changed(images: UInt8[np.ndarray, "n S S 3"], augmentation: Augmentation, draws: Draws) -> np.ndarray:
    """The pictures as one epoch of training sees them, uint8 (n, S, S, 3)."""
    size, padding = images.shape[1], augmentation.crop_padding
    padded = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    found = []
    for i, picture in enumerate(padded):
        cut = picture[draws.dy[i] : draws.dy[i] + size, draws.dx[i] : draws.dx[i] + size]
        values = (cut[:, ::-1] if draws.flip[i] else cut).astype(np.float32) / 255
        if augmentation.rotation_degrees:
            values = _turned(values, float(draws.angle[i]))
        if augmentation.contrast:
            mean = values.mean((0, 1)) @ np.array(YIQ[0], np.float32)
            values = (mean * (1 - draws.contrast[i]) + values * draws.contrast[i]).clip(0, 1)
        if augmentation.hue:
            values = (values @ _hue(float(draws.hue[i])).T).clip(0, 1)
        found.append((255 * values).round().astype(np.uint8))
    return np.stack(found)


def _turned(values: Float32[np.ndarray, "S S 3"], angle: float) -> Float32[np.ndarray, "S S 3"]:
    """About the centre, bilinear; the border's pixels fill the corners."""
    size = len(values)
    places = np.arange(size) + 0.5 - size / 2
    y, x = places[:, None], places[None, :]
    at_x = (np.cos(angle) * x - np.sin(angle) * y + size / 2 - 0.5).clip(0, size - 1)
    at_y = (np.sin(angle) * x + np.cos(angle) * y + size / 2 - 0.5).clip(0, size - 1)
    left, top = np.floor(at_x).astype(int), np.floor(at_y).astype(int)
    right, below = np.minimum(left + 1, size - 1), np.minimum(top + 1, size - 1)
    dx, dy = (at_x - left)[..., None], (at_y - top)[..., None]
    upper = values[top, left] * (1 - dx) + values[top, right] * dx
    lower = values[below, left] * (1 - dx) + values[below, right] * dx
    return (upper * (1 - dy) + lower * dy).astype(np.float32)


def _hue(angle: float) -> np.ndarray:
    """The matrix that turns colours about the grey axis."""
    cos, sin = np.cos(angle), np.sin(angle)
    to_yiq = np.array(YIQ)
    return np.linalg.inv(to_yiq) @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ to_yiq


def augmented_sheet(
    dataset: Dataset, *, seed: int = 0, pictures: int = 6, epochs: int = 7, ids: Sequence[int] | None = None
) -> UInt8[np.ndarray, "H W 4"]:
    """A row a picture: first as it is, then as epochs of training may see it.

    Without `ids` the pictures are drawn from the train split by the seed. Between them it is transparent.
    """
    if ids is None:
        drawn = generator(seed, "preview").permutation(len(dataset.train))[:pictures]
        ids = np.sort(drawn).tolist()
    images = dataset.train.read(np.asarray(ids, np.int64))
    columns = [images]
    for epoch in range(epochs):
        draws = Draws.of(dataset.augmentation, len(images), seed, 0, epoch)
        columns.append(changed(images, dataset.augmentation, draws))
    size = images.shape[1]
    step, scale = size + _GAP, max(1, -(-_LEAST_SIDE // size))
    sheet = np.zeros((len(images) * step - _GAP, len(columns) * step + _GAP, 4), np.uint8)
    for column, versions in enumerate(columns):
        left = column * step + (2 * _GAP if column else 0)  # a wider gap beside the originals
        for row, picture in enumerate(versions):
            place = sheet[row * step : row * step + size, left : left + size]
            place[..., :3], place[..., 3] = picture, 255
    return sheet.repeat(scale, 0).repeat(scale, 1)


def words(augmentation: Augmentation) -> str:
    """What a data set declares safe: 'crops by up to 4 pixels, mirrored, turned by up to 15 degrees ...'."""
    a = augmentation
    parts = [
        tr_n("crops moved by up to {n} pixel", "crops moved by up to {n} pixels", a.crop_padding)
        if a.crop_padding
        else "",
        tr("mirrored half the time") if a.horizontal_flip else "",
        tr("turned by up to {degrees:g} degrees", degrees=a.rotation_degrees) if a.rotation_degrees else "",
        tr("contrast changed by up to {share:g} %", share=100 * a.contrast) if a.contrast else "",
        tr("hue by up to {share:g} % of the circle", share=100 * a.hue) if a.hue else "",
    ]
    return ", ".join(part for part in parts if part) or tr("no change is declared safe")
