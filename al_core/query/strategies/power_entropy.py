"""Power entropy: a batch drawn by score instead of the top (Kirsch et al., TMLR 2023, arXiv 2106.12059).

Formula: draw k without replacement, P(x) proportional to H(p(x))^beta.

Score: entropy of its probabilities, in nats.

Cost: time n*C; memory 2*n*C + 4*n.

Helps: large batches on pools with copies, at no cost: in its paper the drawn variants of scorers are as good
as their top k or better.

Hurts: with few labels a query; and it keeps entropy's liking for the tail of unlikely classes.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float

from al_core.query.ranking import power_top_k
from al_core.query.strategies import Bounds, strategy
from al_core.query.strategies.entropy import entropy
from al_core.types import Positions


@strategy("Power entropy", family="hybrid")
def power_entropy(
    probs: Float[np.ndarray, "n C"],
    *,
    k: int,
    rng: np.random.Generator,
    beta: Annotated[
        float, Bounds(0, 1000, "0 draws evenly, 1 by score; the larger, the closer to the top")
    ] = 1.0,
) -> Positions:
    """Draw images whose probabilities are spread, so that a batch is not k times the same image."""
    return power_top_k(entropy(probs), k, beta, rng)
