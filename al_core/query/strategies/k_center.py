"""Core-set selection as greedy k-center (Gonzalez, 1985; Sener & Savarese, ICLR 2018, arXiv 1708.00489).

Formula: pick argmax_x min_{c in labeled + picked} |h(x) - h(c)|, k times.

Score: distance to the nearest image that was labeled or picked before it, in embeddings.

Cost: time n*m*D + n*k*D; memory 4*n + (k + m)*D + 3*min(n, 2048)*D. An upper bound: most distances are not
brought up to date.

Helps: large batches on a network that trains: CIFAR-10, ResNet-18, mean accuracy 84.8 against 82.9 of random
(Ji et al., WACV 2023), though below the uncertain ones.

Hurts: it runs after outliers. On frozen CLIP features 93.52, as random (Zhang et al., 2023, arXiv
2306.09910); over seven data sets its average rank is 8.9, random 7.0 (Werner et al., 2024, arXiv 2408.00426).

Deviation: greedy, which is within twice the best radius; the paper's mixed-integer refinement is left out.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from al_core.query.geometry import kcenter, unit_rows
from al_core.query.strategies import strategy
from al_core.types import Positions


@strategy("k-center (core-set)", family="diversity", aliases=("core_set", "k_center_greedy", "kcenter"))
def k_center(
    embeddings: Float[np.ndarray, "n D"],
    labeled_embeddings: Float[np.ndarray, "m D"],
    *,
    k: int,
    rng: np.random.Generator,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> Positions:
    """Ask for the image that the network sees farthest from all that is labeled or picked, k times."""
    if metric == "cosine":
        embeddings, labeled_embeddings = unit_rows(embeddings), unit_rows(labeled_embeddings)
    return kcenter(embeddings, k, centres=labeled_embeddings, rng=rng)
