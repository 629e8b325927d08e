"""MaxHerding (Bae, Noh & Sutherland, ECCV 2024, arXiv 2407.12212), for the first labels.

Formula: pick argmax_x sum_x' max(0, s(x, x') - max_{c in labeled + picked} s(c, x')), with s(x, x') =
exp(-(|f(x) - f(x')| / radius)^2) on unit features, k times.

Score: share of the pool that it covers and nothing labeled or picked before it did.

Cost: time min(n, max_candidates)*min(n, max_references)*D + k*min(n, max_references)*D + m*min(n,
max_references)*D; memory min(n, max_references)*(2*D + 260).

Helps: while labels are few and features are good (pretrained), where uncertainty knows nothing yet; in its
paper ahead of TypiClust and ProbCover at low budgets, and less sensitive to the radius.

Hurts: later, when what matters lies along class borders rather than where images are many: then u_herding,
badge or margin.

Deviation: of a larger pool, a random part can be picked and a random part is to be covered.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float

from al_core.query.herding import herd
from al_core.query.strategies import Bounds, strategy
from al_core.types import Positions


@strategy("MaxHerding", family="diversity", aliases=("herding", "generalized_coverage"))
def max_herding(
    features: Float[np.ndarray, "n D"],
    labeled_features: Float[np.ndarray, "m D"],
    *,
    k: int,
    rng: np.random.Generator,
    radius: Annotated[float, Bounds(0.001, 100, "how far an image speaks for others, on unit vectors")] = 1.0,
    max_candidates: Annotated[int, Bounds(1, 1_000_000, "images that can be asked for")] = 10_000,
    max_references: Annotated[int, Bounds(1, 1_000_000, "images that are to be covered")] = 20_000,
) -> Positions:
    """Ask for the image that most resembles many images which nothing labeled or picked resembles yet."""
    return herd(
        features, k, centres=labeled_features, radius=radius, rng=rng,
        max_candidates=max_candidates, max_references=max_references,
    )  # fmt: skip
