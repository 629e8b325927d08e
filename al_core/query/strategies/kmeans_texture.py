"""k-means on texture: DalMax's VCTex and SSRAE k-means (Fares & Ribas, 2025), here with other descriptors.

Formula: pick the member nearest to each of the k centres that make sum_x min_j |t(x) - c_j|^2 small; t(x) are
local binary patterns at three scales, a histogram of colours and colour moments.

Score: images in the cluster that it is the middle of.

Cost: time n*k*D; memory 4*n + 3*k*D + 2*min(n, 2048)*(k + D). D is 190, once for each data set some 10 s for
50,000 images of 32 px.

Helps: before there is a network, on surfaces, tissue, leaves and the like, whose classes differ by colour and
texture; nothing has to be downloaded.

Hurts: on objects, whose class is a matter of shape: clusters of texture then mix the classes. Like all
clustering it does not know what is labeled.

Deviation: the randomised networks of VCTex and SSRAE are replaced by local binary patterns (Ojala et al.,
PAMI 2002), which need no training at all.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.clustering import kmeans_query
from al_core.query.strategies import strategy
from al_core.types import Positions


@strategy(
    "k-means on texture", family="diversity",
    aliases=("texture_kmeans", "ssrae_kmeans_sampling", "vctex_kmeans_sampling"),
)  # fmt: skip
def kmeans_texture(texture: Float[np.ndarray, "n D"], *, k: int, rng: np.random.Generator) -> Positions:
    """Cluster colours and textures into k groups and ask for the image in the middle of each."""
    return kmeans_query(texture, k, rng)
