"""Verdicts of a study that is looked at after every seed, and stopped by what is seen.

A paired t test that is repeated until it speaks errs far more often than its 5 %: looked at from 5 seeds to
20, in some 15 % of studies without any difference. Pocock (1977, "Group sequential methods in the design and
analysis of clinical trials", Biometrika 64) takes one smaller level for every look instead, such that over
all of them 5 % remain. The t statistics of a growing normal sample depend neither on its mean nor on its
spread, so that the smallest p of a study without a difference has one distribution for each first look and
cap. It is simulated here for a look after every seed, and says what a p is worth: the share of such studies
that see one as small. Any rule may end the study; only the cap has to be named before the first look.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float

from al_core.seeds import generator

MOST_SEEDS: Final = 50
_STUDIES: Final = 20_000


@lru_cache(maxsize=16)
def smallest_p(first: int, most: int) -> Float[np.ndarray, " studies"]:
    """The smallest p of studies without a difference, sorted: looks after `first` to `most` seeds.

    Raises:
        ValueError: there is no look, or one at a single seed.
    """
    if not 2 <= first <= most:
        raise ValueError(
            f"looks from {first} to {most} seeds: two seeds are the least, and the cap comes last"
        )
    from scipy import stats  # noqa: PLC0415 - half a second, and most studies need none of it

    gaps = generator(0, "looks", 0, first, most).standard_normal((_STUDIES, most))
    n = np.arange(first, most + 1)
    means = np.cumsum(gaps, axis=1)[:, first - 1 :] / n
    squares = np.cumsum(gaps**2, axis=1)[:, first - 1 :]
    deviations = np.sqrt(np.maximum(squares - n * means**2, 0) / (n - 1))
    p = 2 * stats.t.sf(np.abs(means) * np.sqrt(n) / deviations, n - 1)
    return np.sort(p.min(axis=1))


def adjusted(p: float, first: int, most: int) -> float:
    """A look's p, made good for all looks up to the cap: never smaller than it was."""
    found = smallest_p(first, most)
    return max(p, float(np.searchsorted(found, p, side="right")) / len(found))


def level(first: int, most: int, alpha: float = 0.05) -> float:
    """The level of each look that leaves `alpha` over all."""
    return float(np.quantile(smallest_p(first, most), alpha))
