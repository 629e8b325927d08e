"""From scores to picks: the best, or the best with some chance."""

from __future__ import annotations

import numpy as np

from al_core.query.picks import Picks
from al_core.types import Positions, Scores


def top_k(scores: Scores, k: int, rng: np.random.Generator) -> Positions:
    """Positions of the k highest scores, highest first; chance decides among equal ones, not the position."""
    if k == 0:
        return np.empty(0, np.int64)
    lots = rng.random(len(scores))
    threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
    contenders = np.flatnonzero(scores >= threshold)
    order = np.lexsort((lots[contenders], -scores[contenders]))
    return contenders[order[:k]].astype(np.int64)


def power_top_k(scores: Scores, k: int, beta: float, rng: np.random.Generator) -> Picks:
    """Draw k without replacement, each time with a chance proportional to score^beta.

    The k largest of beta log score + Gumbel noise are such a draw (Kirsch et al., 2023, arXiv 2106.12059). A
    score of 0 counts as the smallest number that there is.
    """
    picks = top_k(powered(scores, beta, rng), k, rng)
    return Picks(picks, scores[picks])


def powered(scores: Scores, beta: float, rng: np.random.Generator) -> Scores:
    """Scores moved by chance, whose order is that of draws without replacement.

    The chance is proportional to score^beta; where a score is negative, so that it has no power, to
    rank^-beta (the soft-rank variant of the same paper).
    """
    if scores.min(initial=0) >= 0:
        logarithms = np.log(np.maximum(scores, np.finfo(np.float64).tiny))
    else:
        _, place, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
        logarithms = -np.log(1 + np.cumsum(sizes) - sizes)[place]
    return beta * logarithms + rng.gumbel(size=len(scores))
