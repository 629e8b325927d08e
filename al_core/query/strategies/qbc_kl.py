"""Query by committee, mean KL divergence to the consensus (McCallum & Nigam, ICML 1998)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.bald import disagreement


@strategy("Committee, KL divergence", family="committee", aliases=("qbc", "query_by_committee"))
def qbc_kl(committee_probs: Float[np.ndarray, "M n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images on which the members' probabilities differ most from their mean."""
    return disagreement(committee_probs)
