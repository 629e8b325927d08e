"""Power BALD: a batch drawn by score instead of the top (Kirsch et al., TMLR 2023, arXiv 2106.12059).

Formula: draw k without replacement, P(x) proportional to BALD(x)^beta.

Score: mutual information between its label and the network, in nats.

Cost: time T*n*C; memory 6*n*C.

Helps: batches of any size at the cost of BALD. In its paper it matches BatchBALD on repeated MNIST, where
plain BALD falls below random.

Hurts: with one label a query, where the top alone is the better choice; beta then acts as noise.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float

from al_core.query.ranking import power_top_k
from al_core.query.strategies import Bounds, strategy
from al_core.query.strategies.bald import bald
from al_core.types import Positions


@strategy("Power BALD", family="hybrid")
def power_bald(
    mc_probs: Float[np.ndarray, "T n C"],
    *,
    k: int,
    rng: np.random.Generator,
    beta: Annotated[
        float, Bounds(0, 1000, "0 draws evenly, 1 by score; the larger, the closer to the top")
    ] = 1.0,
) -> Positions:
    """Draw images on which dropout passes disagree, so that a batch is not k times the same image."""
    return power_top_k(bald(mc_probs), k, beta, rng)
