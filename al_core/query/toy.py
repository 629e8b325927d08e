"""Strategies at work on points of a plane: the same functions that choose images, small enough to watch.

A network of one hidden layer is trained in NumPy on the labeled points, round after round, and every kind of
evidence is computed from it as the engine computes it from a real network: probabilities, the hidden layer as
embeddings, dropout passes, a committee, distances to the border. A point's place in the plane stands for its
frozen features and its texture.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.seeds import generator

NUM_CLASSES: Final = 3
NUM_POINTS: Final = 210
GRID: Final = (36, 24)
"""Columns and rows of the map of what the network thinks."""
ROUNDS: Final = 8
STEP: Final = 3
"""Points a query."""
_START: Final = 3
_HIDDEN: Final = 24
_EPOCHS: Final = 180
_PASSES: Final = 12
_MEMBERS: Final = 5
_KEEP: Final = 0.7
_NUDGES: Final = 40
_NUDGE: Final = 0.02

Points = Float[np.ndarray, "n 2"]
Probs = Float[np.ndarray, "n C"]


@dataclass(frozen=True)
class World:
    """Points in the unit square with their classes; the test points are drawn from the same law."""

    points: Points
    classes: Int64[np.ndarray, " n"]
    test_points: Points
    test_classes: Int64[np.ndarray, " m"]
    start: Int64[np.ndarray, " s"]


@dataclass(frozen=True)
class Frame:
    """One round: what was labeled when it was trained, what is asked next, what the network thinks.

    `believed` and `sureness` (0 to 9) are the map, row by row from below.
    """

    labeled: tuple[int, ...]
    asked: tuple[int, ...]
    accuracy: float
    believed: str
    sureness: str


@dataclass(frozen=True)
class _Net:
    """tanh, then softmax; inputs are the plane's coordinates, moved around 0 and stretched."""

    first: Float[np.ndarray, "2 H"]
    bias: Float[np.ndarray, " H"]
    head: Float[np.ndarray, "H C"]
    head_bias: Float[np.ndarray, " C"]

    def hidden(self, points: Points) -> Float[np.ndarray, "n H"]:
        return np.tanh(_inputs(points) @ self.first + self.bias)

    def logits(self, points: Points) -> Float[np.ndarray, "n C"]:
        return self.hidden(points) @ self.head + self.head_bias

    def probs(self, points: Points) -> Probs:
        return softmax(self.logits(points))

    def slopes(self, points: Points) -> Float[np.ndarray, "n 2 C"]:
        """Derivatives of the logits by the coordinates."""
        bent = (1 - self.hidden(points) ** 2) * _STRETCH
        return np.einsum("ih,nh,hc->nic", self.first, bent, self.head)


_STRETCH: Final = 6.0


def _inputs(points: Points) -> Points:
    return (points - 0.5) * _STRETCH


def softmax(logits: Float[np.ndarray, "... C"]) -> Float[np.ndarray, "... C"]:
    """Probabilities, without overflow."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def world(seed: int = 0) -> World:
    """Two crescents that reach into each other, a cloud between their ends, and a few points far out."""
    rng = generator(seed, "toy-world", 0)
    points, classes = _draw(rng, NUM_POINTS)
    test_points, test_classes = _draw(rng, 600)
    start = np.array([rng.choice(np.flatnonzero(classes == c)) for c in range(NUM_CLASSES)])
    return World(points, classes, test_points, test_classes, start)


def _draw(rng: np.random.Generator, num: int) -> tuple[Points, Int64[np.ndarray, " n"]]:
    classes = rng.permutation(np.arange(num) % NUM_CLASSES)
    angle = np.pi * rng.random(num)
    x = np.where(classes == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(classes == 0, np.sin(angle), 0.45 - np.sin(angle))
    cloud = classes == 2
    x[cloud], y[cloud] = rng.normal(1.75, 0.2, cloud.sum()), rng.normal(0.85, 0.2, cloud.sum())
    points = np.stack([(x + 1.25) / 3.75, (y + 0.85) / 2.3], axis=1)
    points += rng.normal(0, 0.026, points.shape)
    far = rng.random(num) < 0.03
    points[far] = rng.uniform(0.02, 0.98, (int(far.sum()), 2))
    return np.clip(points, 0.01, 0.99), classes


def train(points: Points, classes: Int64[np.ndarray, " n"], rng: np.random.Generator) -> _Net:
    """Adam on the cross-entropy with a little weight decay, all points at once."""
    shapes = ((2, _HIDDEN), (_HIDDEN,), (_HIDDEN, NUM_CLASSES), (NUM_CLASSES,))
    scales = (1.0, 1.0, _HIDDEN**-0.5, 0.0)
    weights = [scale * rng.normal(size=shape) for shape, scale in zip(shapes, scales, strict=True)]
    means = [np.zeros(shape) for shape in shapes]
    squares = [np.zeros(shape) for shape in shapes]
    inputs, wanted = _inputs(points), np.eye(NUM_CLASSES)[classes]
    for step in range(1, _EPOCHS + 1):
        hidden = np.tanh(inputs @ weights[0] + weights[1])
        off = (softmax(hidden @ weights[2] + weights[3]) - wanted) / len(points)
        back = off @ weights[2].T * (1 - hidden**2)
        slopes = [inputs.T @ back, back.sum(0), hidden.T @ off, off.sum(0)]
        for i, slope in enumerate(slopes):
            slope = slope + 2e-3 * weights[i]
            means[i] = 0.9 * means[i] + 0.1 * slope
            squares[i] = 0.99 * squares[i] + 0.01 * slope**2
            mean, square = means[i] / (1 - 0.9**step), squares[i] / (1 - 0.99**step)
            weights[i] = weights[i] - 0.05 * mean / (np.sqrt(square) + 1e-8)
    return _Net(*weights)


def evidence(
    names: tuple[str, ...], net: _Net, plane: World, labeled: Int64[np.ndarray, " m"],
    rest: Int64[np.ndarray, " n"], seed: int,
) -> dict[str, Any]:  # fmt: skip
    """What a strategy asks for, of the points `rest`."""
    points, known = plane.points[rest], plane.points[labeled]
    makers = {
        "num_candidates": lambda: len(rest),
        "num_classes": lambda: NUM_CLASSES,
        "probs": lambda: net.probs(points),
        "embeddings": lambda: net.hidden(points),
        "labeled_embeddings": lambda: net.hidden(known),
        "head_weights": lambda: net.head.T,
        "head_bias": lambda: net.head_bias,
        "labeled_classes": lambda: plane.classes[labeled],
        "features": lambda: points,
        "labeled_features": lambda: known,
        "texture": lambda: points,
        "mc_probs": lambda: _dropout(net, points, generator(seed, "toy-dropout", len(labeled))),
        "committee_probs": lambda: _committee(plane, labeled, points, seed),
        "deepfool_distance": lambda: deepfool(net, points),
        "bim_distance": lambda: bim(net, points),
    }
    return {
        name: value.astype(np.float32) if getattr(value, "dtype", None) == np.float64 else value
        for name in names
        for value in (makers[name](),)
    }


def _dropout(net: _Net, points: Points, rng: np.random.Generator) -> Float[np.ndarray, "T n C"]:
    """Each pass is one network: the same units are silent for all points."""
    masks = (rng.random((_PASSES, 1, _HIDDEN)) < _KEEP) / _KEEP
    return softmax((net.hidden(points) * masks) @ net.head + net.head_bias)


def _committee(
    plane: World, labeled: Int64[np.ndarray, " m"], points: Points, seed: int
) -> Float[np.ndarray, "M n C"]:
    """Networks from other first weights."""
    return np.stack([
        train(plane.points[labeled], plane.classes[labeled], generator(seed + 1 + m, "toy-weights", 0))
        .probs(points) for m in range(_MEMBERS)
    ])  # fmt: skip


def deepfool(net: _Net, points: Points) -> Float[np.ndarray, " n"]:
    """Length of the way over the nearest border, border by border as if it were straight (DeepFool)."""
    at, first = points.copy(), net.logits(points).argmax(1)
    rows = np.arange(len(points))
    for _ in range(_NUDGES):
        logits, slopes = net.logits(at), net.slopes(at)
        same = logits.argmax(1) == first
        gaps = logits - logits[rows, first][:, None]
        ways = slopes - slopes[rows, :, first][:, :, None]
        lengths = np.linalg.norm(ways, axis=1) + 1e-9
        far = np.where(np.arange(NUM_CLASSES) == first[:, None], np.inf, np.abs(gaps) / lengths)
        near = far.argmin(1)
        push = (far[rows, near] + 1e-4) / lengths[rows, near]
        at += 1.02 * (same * push)[:, None] * ways[rows, :, near]
        at = np.clip(at, 0, 1)
    return np.where(net.logits(at).argmax(1) == first, np.sqrt(2), np.linalg.norm(at - points, axis=1))


def bim(net: _Net, points: Points) -> Float[np.ndarray, " n"]:
    """Length of the way that small steps against the prediction take until it changes (BIM)."""
    at, first = points.copy(), net.logits(points).argmax(1)
    rows = np.arange(len(points))
    for _ in range(_NUDGES):
        probs, slopes = net.probs(at), net.slopes(at)
        same = probs.argmax(1) == first
        uphill = np.einsum("nic,nc->ni", slopes, probs) - slopes[rows, :, first]
        at = np.clip(at + _NUDGE * same[:, None] * np.sign(uphill), 0, 1)
    return np.where(net.logits(at).argmax(1) == first, np.sqrt(2), np.linalg.norm(at - points, axis=1))


@lru_cache(maxsize=64)
def play(strategy: str, seed: int = 0) -> tuple[Frame, ...]:
    """The rounds of a strategy in the world of this seed.

    Raises:
        StrategyError: there is no such strategy, or it refuses the evidence.
    """
    entry, plane = STRATEGIES.get(strategy), world(seed)
    labeled, frames = np.sort(plane.start), []
    for number in range(ROUNDS + 1):
        net = train(plane.points[labeled], plane.classes[labeled], generator(seed, "toy-weights", 0))
        frame = replace(_frame(net, plane), labeled=tuple(labeled.tolist()))
        if number < ROUNDS:
            rest = np.setdiff1d(np.arange(NUM_POINTS), labeled)
            gathered = evidence(entry.evidence, net, plane, labeled, rest, seed)
            rng = generator(seed, "toy-query", number)
            chosen = select(entry, gathered, num_candidates=len(rest), k=STEP, rng=rng)
            asked = rest[chosen.positions]
            frame = replace(frame, asked=tuple(asked.tolist()))
            labeled = np.sort(np.concatenate([labeled, asked]))
        frames.append(frame)
    return tuple(frames)


def _frame(net: _Net, plane: World) -> Frame:
    columns, rows = GRID
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    probs = net.probs(np.stack([x.ravel(), y.ravel()], axis=1))
    sure = (probs.max(1) - 1 / NUM_CLASSES) / (1 - 1 / NUM_CLASSES)
    right = net.probs(plane.test_points).argmax(1) == plane.test_classes
    return Frame(
        (), (), float(right.mean()), "".join(map(str, probs.argmax(1))),
        "".join(str(min(9, int(10 * value))) for value in sure),
    )  # fmt: skip


def as_mapping(strategies: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """The world and what these strategies do in it, as JSON carries it."""
    plane = world(seed)
    return {
        "points": np.round(plane.points, 3).tolist(),
        "classes": plane.classes.tolist(),
        "grid": list(GRID),
        "arms": [{"name": name, "frames": [asdict(f) for f in play(name, seed)]} for name in strategies],
    }


if __name__ == "__main__":
    # A process of its own: some strategies import scikit-learn, which a server of pages never holds.
    sys.stdout.write(json.dumps(as_mapping(sys.argv[2:], int(sys.argv[1]))))
