"""k-means: one image of each part of the pool (Nguyen & Smeulders, ICML 2004; Zhdanov, arXiv 1901.05954).

Formula: pick the member nearest to each of the k centres that make sum_x min_j |h(x) - c_j|^2 small.

Score: images in the cluster that it is the middle of.

Cost: time n*k*D; memory 4*n + 3*k*D + 2*min(n, 2048)*(k + D).

Helps: large first batches, which it spreads over all kinds of images.

Hurts: it does not look at the labels: what is known is asked again, and k clusters need not be classes. Among
uncertain images only it is much better (Zhdanov, 2019): that is cluster_margin and drop_query here.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from al_core.query.clustering import kmeans_query
from al_core.query.geometry import unit_rows
from al_core.query.strategies import strategy
from al_core.types import Positions


@strategy("k-means", family="diversity", aliases=("kmeans_sampling", "diversity"))
def kmeans(
    embeddings: Float[np.ndarray, "n D"],
    *,
    k: int,
    rng: np.random.Generator,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> Positions:
    """Cluster what the network sees into k groups and ask for the image in the middle of each."""
    return kmeans_query(unit_rows(embeddings) if metric == "cosine" else embeddings, k, rng)
