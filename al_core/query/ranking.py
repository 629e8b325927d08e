"""From scores to picks: the best, or the best with some chance."""

from __future__ import annotations

import numpy as np

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


def power_top_k(scores: Scores, k: int, beta: float, rng: np.random.Generator) -> Positions:
    """Draw k without replacement, each time with a chance proportional to score^beta.

    The k largest of beta log score + Gumbel noise are such a draw (Kirsch et al., 2023, arXiv 2106.12059). A
    score of 0 counts as the smallest number that there is.
    """
    logarithms = np.log(np.maximum(scores, np.finfo(np.float64).tiny))
    return top_k(beta * logarithms + rng.gumbel(size=len(scores)), k, rng)
