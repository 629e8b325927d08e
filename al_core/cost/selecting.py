"""How long choosing takes: each term of a strategy's declared work gets a factor, from a few timed runs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from al_core.cost.calibration import SelectionSpeed
from al_core.cost.stopwatch import Stopwatch
from al_core.query.selection import select
from al_core.query.strategies import Strategy
from al_core.testing import Evidence

# Candidates, labeled and asked for, of the timed runs: each size moves by itself at least once.
_RUNS: Final = ((1500, 40, 20), (6000, 40, 20), (6000, 40, 120), (6000, 400, 20), (3000, 200, 60))
_NUMBERS: Final = 6_000_000  # of one piece of evidence, at most
_DIRECTIONS: Final = 16  # along which passes of made-up evidence differ
_SECONDS: Final = 0.6  # a run that took longer is the last one


def measure(
    strategy: Strategy,
    options: Mapping[str, Any],
    *,
    num_classes: int,
    width: int,
    passes: int,
    members: int,
    control: Callable[[], None] = lambda: None,
) -> SelectionSpeed:
    """Time the strategy on made-up evidence of a few sizes, and find its factors.

    Raises:
        StrategyError: it does not say how its time grows, or fails on that evidence.
    """
    work, _ = strategy.growth
    widest = max(width, num_classes * max(passes, members))
    times, terms = [], []
    for n, m, k in _RUNS:
        control()
        n, m, k = max(200, min(n, _NUMBERS // widest)), min(m, n), min(k, n)
        evidence = clustered(n, m, num_classes=num_classes, width=width, passes=passes, members=members)
        sizes = {"n": n, "m": m, "k": k, "C": num_classes, "D": width, "T": passes, "M": members}
        terms.append(work.terms(sizes | defaults(strategy, options)))
        times.append(_seconds(strategy, evidence, n, k, options))
        if times[-1] > _SECONDS:
            break
    return fitted(np.array(terms), np.array(times))


def defaults(strategy: Strategy, options: Mapping[str, Any]) -> dict[str, float]:
    """The strategy's options that are numbers, as sizes for its work."""
    values = {option.name: options.get(option.name, option.default) for option in strategy.options}
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def _seconds(
    strategy: Strategy, evidence: Evidence, n: int, k: int, options: Mapping[str, Any], repeats: int = 3
) -> float:
    """The quickest of a few runs; of one that takes long, the first."""
    best = math.inf
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        watch = Stopwatch()
        select(strategy, evidence, num_candidates=n, k=k, rng=rng, options=options)
        best = min(best, watch.seconds())
        if best > _SECONDS / repeats:
            break
    return best


def fitted(terms: np.ndarray, times: np.ndarray) -> SelectionSpeed:
    """Factors that are not negative, and close to all times by ratio: the best over all sets of terms.

    Of sets that are about as good the smallest one is taken, as more factors than runs fit anything.
    """
    rows = np.concatenate([np.ones((len(times), 1)), terms], axis=1) / times[:, None]
    scale = rows.max(axis=0, initial=1e-300)
    best, best_error = np.zeros(rows.shape[1]), math.inf
    for columns in _subsets(rows.shape[1]):
        if len(columns) > max(1, len(times) - 1):
            continue
        found, *_ = np.linalg.lstsq(rows[:, columns] / scale[columns], np.ones(len(times)), rcond=None)
        error = float(np.abs(rows[:, columns] / scale[columns] @ found - 1).max())
        if (found >= 0).all() and error < 0.9 * best_error:
            best, best_error = np.zeros(rows.shape[1]), error
            best[columns] = found / scale[columns]
    return SelectionSpeed(float(best[0]), tuple(best[1:].tolist()))


def _subsets(num: int) -> Iterator[list[int]]:
    """Sets of columns, small ones first; a set without any term but the fixed part comes last."""
    sets = itertools.chain.from_iterable(
        itertools.combinations(range(num), size) for size in range(1, num + 1)
    )
    yield from sorted((list(s) for s in sets), key=lambda s: (s == [0], len(s)))


def clustered(
    n: int, m: int, *, num_classes: int, width: int, passes: int, members: int, seed: int = 0
) -> Evidence:
    """Made-up evidence with classes that lie apart, as a network's does: some strategies find that easier."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(num_classes, width))
    spread = 1 / np.sqrt(1 + np.arange(width))  # a few directions carry most, as in a network

    def points(count: int, classes: np.ndarray) -> np.ndarray:
        noise = 2 * rng.normal(size=(count, width)) * spread
        return np.maximum(middles[classes] + noise, 0).astype(np.float32)

    def probs(classes: np.ndarray) -> np.ndarray:
        logits = rng.normal(size=(len(classes), num_classes), scale=1.65)
        logits[np.arange(len(classes)), classes] += 4
        return _softmax(logits)

    def passes_of(classes: np.ndarray, num: int) -> np.ndarray:
        """Most images sure, a few in doubt, and a pass turning all images along directions of its own.

        A strategy that looks again at what may have changed does so for a few: with doubts everywhere, that
        differ from image to image, BatchBALD took ten times as long as on a network's.
        """
        logits = rng.normal(size=(len(classes), num_classes), scale=1.5)
        logits[np.arange(len(classes)), classes] += 2 + rng.gamma(2, 4, size=len(classes))
        seen = np.abs(rng.normal(size=(len(classes), _DIRECTIONS))) / _DIRECTIONS**0.5
        turned = seen @ rng.normal(size=(num, _DIRECTIONS, num_classes), scale=0.4)
        return _softmax(logits + turned)

    classes, labeled = rng.integers(num_classes, size=n), rng.integers(num_classes, size=m)
    embeddings, labeled_embeddings = points(n, classes), points(m, labeled)
    return {
        "num_candidates": n, "num_classes": num_classes, "labeled_classes": labeled,
        "probs": probs(classes), "mc_probs": passes_of(classes, passes),
        "committee_probs": passes_of(classes, members),
        "embeddings": embeddings, "labeled_embeddings": labeled_embeddings,
        "features": embeddings, "labeled_features": labeled_embeddings, "texture": embeddings,
        "head_weights": middles.astype(np.float32), "head_bias": np.zeros(num_classes, np.float32),
        "deepfool_distance": rng.gamma(2, size=n).astype(np.float32),
        "bim_distance": rng.gamma(2, size=n).astype(np.float32),
    }  # fmt: skip


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
