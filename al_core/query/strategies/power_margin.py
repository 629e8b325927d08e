"""Power margin: a batch drawn by score instead of the top (Kirsch et al., TMLR 2023, arXiv 2106.12059).

Formula: draw k without replacement, P(x) proportional to (1 - (p_1 - p_2))^beta.

Score: 1 - (p_1 - p_2), 1 where the two likeliest classes are tied.

Cost: time n*C; memory n*C + 8*n.

Helps: large batches on pools with copies, at no cost: in its paper the drawn variants of scorers are as good
as their top k or better.

Hurts: with few labels a query, and with beta near 1 on pools of which most is easy: much of the draw is then
random.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float

from al_core.query.ranking import power_top_k
from al_core.query.strategies import Bounds, strategy
from al_core.query.strategies.margin import margin
from al_core.types import Positions


@strategy("Power margin", family="hybrid")
def power_margin(
    probs: Float[np.ndarray, "n C"],
    *,
    k: int,
    rng: np.random.Generator,
    beta: Annotated[
        float, Bounds(0, 1000, "0 draws evenly, 1 by score; the larger, the closer to the top")
    ] = 1.0,
) -> Positions:
    """Draw images with nearly tied classes, so that a batch is not k times the same image."""
    return power_top_k(margin(probs), k, beta, rng)
