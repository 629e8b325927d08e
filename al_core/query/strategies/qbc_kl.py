"""Query by committee, mean KL divergence to the consensus (McCallum & Nigam, ICML 1998).

Formula: score(x) = 1/M sum_m KL(p_m(x) || q(x)), with q = 1/M sum_m p_m; the same as BALD over members.

Score: mean divergence of the members from their mean, in nats.

Cost: time M*n*C; memory 6*n*C.

Helps: where some images are ambiguous in themselves, as those do not count here. Committees beat dropout on
MNIST and CIFAR-10 (Beluch et al., CVPR 2018).

Hurts: M trainings a round; and like BALD it asks for all copies of an image.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.bald import disagreement


@strategy("Committee, KL divergence", family="committee", aliases=("qbc", "query_by_committee"))
def qbc_kl(committee_probs: Float[np.ndarray, "M n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images on which the members' probabilities differ most from their mean."""
    return disagreement(committee_probs)
