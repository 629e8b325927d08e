"""Query by committee, entropy of the consensus (McCallum & Nigam, ICML 1998).

Formula: score(x) = H(1/M sum_m p_m(x)).

Score: entropy of the members' mean probabilities, in nats.

Cost: time M*n*C; memory 6*n*C.

Helps: better calibrated than one network's entropy: ensembles gave the best uncertainties, ahead of dropout,
on MNIST and CIFAR-10 (Beluch et al., CVPR 2018).

Hurts: M trainings a round; it cannot tell disagreement from an ambiguous image.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.entropy import entropy


@strategy(
    "Committee, consensus entropy", family="committee", aliases=("qbc_consensus_entropy", "consensus_entropy")
)
def qbc_consensus(committee_probs: Float[np.ndarray, "M n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images on which the members' mean prediction is spread over many classes."""
    return entropy(committee_probs.mean(axis=0, dtype=np.float64))
