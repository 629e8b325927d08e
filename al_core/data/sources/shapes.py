"""Made-up pictures of shapes, with known traps: what active learning should and should not ask for.

Of the 2,400 train pictures 12 % are hard, 4 % lie between two classes, 4 % are copies and 4 % carry a wrong
label. The data set's `cases` hold their sample ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float64, UInt8

from al_core import seeds
from al_core.data.dataset import Augmentation
from al_core.data.material import Material, Part, Request
from al_core.data.sources import source
from al_core.types import Images, Labels
from al_core.words import kept

SIDE: Final = 32
NUM_TRAIN: Final = 2400
NUM_TEST: Final = 600
_FINE: Final = 3  # samples along a pixel's side
_SHARES: Final = {"hard": 0.12, "ambiguous": 0.04, "duplicate": 0.04, "mislabeled": 0.04}

Grid = Float64[np.ndarray, "f f"]
Gauge = Callable[[Grid, Grid], Grid]


def _circle(x: Grid, y: Grid) -> Grid:
    return np.hypot(x, y)


def _cross(x: Grid, y: Grid) -> Grid:
    upright = np.maximum(np.abs(x) / 0.34, np.abs(y))
    return np.minimum(upright, np.maximum(np.abs(x), np.abs(y) / 0.34))


def _ring(x: Grid, y: Grid) -> Grid:
    return np.abs(np.hypot(x, y) - 0.76) / 0.24


def _square(x: Grid, y: Grid) -> Grid:
    return np.maximum(np.abs(x), np.abs(y)) / 0.82


def _star(x: Grid, y: Grid) -> Grid:
    return np.hypot(x, y) / (0.7 + 0.35 * np.cos(5 * np.arctan2(y, x)))


def _triangle(x: Grid, y: Grid) -> Grid:
    sides = [x * np.cos(turn) + y * np.sin(turn) for turn in (0.5, 0.5 + 2 * np.pi / 3, 0.5 + 4 * np.pi / 3)]
    return np.maximum.reduce(sides) / 0.52


# Each function is below 1 inside its shape: an average of two is a shape between them.
_GAUGES: Final[dict[str, Gauge]] = {
    "circle": _circle, "cross": _cross, "ring": _ring,
    "square": _square, "star": _star, "triangle": _triangle,
}  # fmt: skip
CLASSES: Final = tuple(_GAUGES)


@source("Shapes (made up)", classes_hint=CLASSES, num_train=NUM_TRAIN, num_test=NUM_TEST, image_size=SIDE)
def shapes(request: Request) -> Material:
    """Coloured shapes of 32 x 32 pixels with hard, ambiguous, copied and mislabeled ones among them."""
    rng = seeds.generator(0, "shapes")
    test_labels = np.arange(NUM_TEST) % len(CLASSES)
    test_hard = rng.random(NUM_TEST) < _SHARES["hard"]
    test = np.empty((NUM_TEST, SIDE, SIDE, 3), np.uint8)
    for i in range(NUM_TEST):
        test[i] = _draw([int(test_labels[i])], rng, hard=bool(test_hard[i]))
    images, labels, cases = _train(request, rng)
    counts = ", ".join(f"{len(ids)} {name}" for name, ids in cases.items())
    return Material(
        title="Shapes (made up)",
        classes=CLASSES,
        train=Part(labels, images),
        test=Part(test_labels.astype(np.int64), test),
        augmentation=Augmentation(3, True, 15.0, 0.1, 0.1),
        image_size=SIDE,
        notes=(kept("made up, with known traps among the train pictures: {counts}", counts=counts),),
        cases={name: tuple(ids.tolist()) for name, ids in cases.items()},
    )


def _train(request: Request, rng: np.random.Generator) -> tuple[Images, Labels, dict[str, np.ndarray]]:
    labels = rng.permutation(np.arange(NUM_TRAIN) % len(CLASSES)).astype(np.int64)
    order = rng.permutation(NUM_TRAIN)
    cases, start = {}, 0
    for name, share in _SHARES.items():
        stop = start + round(share * NUM_TRAIN)
        cases[name] = np.sort(order[start:stop])
        start = stop
    clear = np.sort(order[start:])
    hard, ambiguous = set(cases["hard"].tolist()), set(cases["ambiguous"].tolist())
    images = np.empty((NUM_TRAIN, SIDE, SIDE, 3), np.uint8)
    for i, label in enumerate(labels.tolist()):
        if i % 200 == 0:
            request.progress("draw", i, NUM_TRAIN)
        kinds = [label]
        if i in ambiguous:
            kinds.append((label + int(rng.integers(1, len(CLASSES)))) % len(CLASSES))
        images[i] = _draw(kinds, rng, hard=i in hard)
    for i in cases["duplicate"].tolist():
        alike = clear[labels[clear] == labels[i]]
        images[i] = images[int(rng.choice(alike))]
    wrong = cases["mislabeled"]
    labels[wrong] = (labels[wrong] + rng.integers(1, len(CLASSES), len(wrong))) % len(CLASSES)
    request.progress("draw", NUM_TRAIN, NUM_TRAIN)
    return images, labels, cases


def _draw(kinds: list[int], rng: np.random.Generator, *, hard: bool) -> UInt8[np.ndarray, "32 32 3"]:
    """One picture of a shape (or of what lies between two), by sampling each pixel nine times."""
    radius = rng.uniform(5, 8) if hard else rng.uniform(8, 12.5)
    middle = SIDE / 2 + rng.uniform(-1, 1, 2) * (SIDE / 2 - radius - 1)
    turn = rng.uniform(0, 2 * np.pi)
    paper, ink = _colours(rng, 0.1 if hard else 0.35)
    steps = (np.arange(SIDE * _FINE) + 0.5) / _FINE
    dx, dy = np.meshgrid((steps - middle[0]) / radius, (steps - middle[1]) / radius)
    x, y = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    gauge = np.mean([list(_GAUGES.values())[kind](x, y) for kind in kinds], axis=0)
    cover = (gauge < 1).reshape(SIDE, _FINE, SIDE, _FINE).mean(axis=(1, 3))[..., None]
    slope = np.linspace(-0.08, 0.08, SIDE)[:, None, None] * rng.uniform(-1, 1)
    picture = (paper + slope) * (1 - cover) + ink * cover
    picture += rng.normal(0, 0.09 if hard else 0.03, picture.shape)
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)


def _colours(rng: np.random.Generator, contrast: float) -> np.ndarray:
    """Two colours whose brightness differs by at least `contrast`, and for hard pictures by little more."""
    weights = np.array([0.299, 0.587, 0.114])
    while True:
        pair = rng.random((2, 3))
        difference = abs(float((pair[0] - pair[1]) @ weights))
        if contrast <= difference and (contrast >= 0.3 or difference < 2 * contrast):
            return pair
