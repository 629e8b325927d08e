"""FALCUN (Gilhuber, Beer, Ma & Seidl, ECML PKDD 2024): BADGE's aim, in the space of probabilities.

Formula: draw with P(x) proportional to (u(x) + d(x))^gamma, u = 1 - (p_1 - p_2), d(x) the scaled distance min
over picks s of |p(x) - p(s)|_1.

Score: uncertainty by margin plus the scaled distance of its probabilities from those drawn before it.

Cost: time n*k*C; memory 2*n*C + 10*n.

Helps: large batches and many features, as it looks at C numbers an image only: in its paper close to BADGE or
better at a fraction of the time.

Hurts: where the network is sure of what it does not know: images that all look certain are told apart by
nothing else.
"""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from jaxtyping import Float

from al_core.query.picks import Picks
from al_core.query.strategies import Bounds, strategy
from al_core.query.strategies.margin import margin
from al_core.types import Positions

_WHOLE: Final = range(1, 33)


@strategy("FALCUN", family="hybrid", aliases=("contrastive_uncertainty",))
def falcun(
    probs: Float[np.ndarray, "n C"],
    *,
    k: int,
    rng: np.random.Generator,
    gamma: Annotated[float, Bounds(0, 100, "0 draws evenly; the larger, the closer to the top")] = 10.0,
) -> Positions:
    """Draw images that are uncertain and whose probabilities differ from those already drawn."""
    uncertain = margin(probs)
    distances, picks, values = uncertain.copy(), np.empty(k, np.int64), np.empty(k)
    free, by_class = np.ones(len(probs), bool), np.ascontiguousarray(probs.T)
    for made in range(k):
        chances = np.cumsum(relevance(uncertain, distances, gamma) * free)
        if chances[-1] <= 0:
            chances = np.cumsum(free, dtype=np.float64)
        lot = rng.random() * chances[-1]
        pick = min(int(np.searchsorted(chances, lot, side="right")), len(probs) - 1)
        if not free[pick]:  # the lot was rounded up to the very end
            pick = int(np.flatnonzero(free)[-1])
        picks[made], free[pick] = pick, False
        values[made] = uncertain[pick] + distances[pick]
        np.minimum(distances, taxi_distances(by_class, by_class[:, pick]), out=distances)
        distances -= distances.min()
        distances /= distances.max() or 1.0
    return Picks(picks, values)


def relevance(
    uncertain: Float[np.ndarray, " n"], distances: Float[np.ndarray, " n"], gamma: float
) -> Float[np.ndarray, " n"]:
    """What an image's chance is proportional to."""
    base = uncertain + distances
    if gamma not in _WHOLE:
        return base**gamma
    # 10 times faster than a general power
    result = np.ones_like(base)
    for bit in f"{int(gamma):b}":
        result *= result
        if bit == "1":
            result *= base
    return result


def taxi_distances(
    by_class: Float[np.ndarray, "C n"], one: Float[np.ndarray, " C"]
) -> Float[np.ndarray, " n"]:
    """Sum over classes of the absolute difference from one image."""
    total = np.zeros(by_class.shape[1])
    for row, value in zip(by_class, one, strict=True):
        apart = row - value
        total += np.abs(apart, out=apart)
    return total
