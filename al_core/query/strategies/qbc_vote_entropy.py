"""Query by committee, vote entropy (Seung, Opper & Sompolinsky, COLT 1992; Dagan & Engelson, ICML 1995).

Formula: score(x) = H(v(x)), with v(y|x) the share of the M members that predict y; ties are broken by the KL
divergence.

Score: entropy of the members' votes, in nats.

Cost: time M*n*C; memory 4*n*C.

Helps: with members that were really trained apart. A committee was among the best on CIFAR-10 with VGG-16 at
40 % of the labels, about 85.0 against 83.0 of random (Munjal et al., CVPR 2022, arXiv 2002.09564).

Hurts: M trainings a round; few members give few different votes; with strong regularisation the gain is gone,
91.0 against 90.9 (the same).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.bald import disagreement
from al_core.query.strategies.entropy import entropy

# Few members give few different votes, so most images tie. The divergence decides among them, scaled to stay
# far below the step between two vote entropies (.1 nats with 5 members, .0001 with 20).
_TIE_BREAK = 1e-6


@strategy("Committee, vote entropy", family="committee", aliases=("vote_entropy",))
def qbc_vote_entropy(committee_probs: Float[np.ndarray, "M n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images on which the members' votes are most divided."""
    return entropy(vote_shares(committee_probs)) + _TIE_BREAK * disagreement(committee_probs)


def vote_shares(committee_probs: Float[np.ndarray, "M n C"]) -> Float[np.ndarray, "n C"]:
    """Share of the members that vote for each class."""
    num_members, n, num_classes = committee_probs.shape
    shares = np.zeros((n, num_classes))
    for probs in committee_probs:
        shares[np.arange(n), probs.argmax(axis=1)] += 1 / num_members
    return shares
