"""Query by committee, variation ratio (Freeman, 1965; with deep ensembles Beluch et al., CVPR 2018).

Formula: score(x) = 1 - max_y v(y|x), with v the shares of the members' votes; ties are broken by the KL
divergence.

Score: share of members that vote against the majority.

Cost: time M*n*C; memory 4*n*C.

Helps: with members that were trained apart: ensembles beat dropout and geometry on MNIST and CIFAR-10
(Beluch et al., CVPR 2018, who show this score).

Hurts: M trainings a round; with M members there are few different scores; late in the curve it can be no
better than random: CIFAR-10, ResNet-18, 60 % of the labels, 89.87 against 89.80 (three runs, README of Munjal
et al.'s toolkit, acl21/deep-active-learning-pytorch).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from al_core.query.strategies import strategy
from al_core.query.strategies.bald import disagreement
from al_core.query.strategies.qbc_vote_entropy import vote_shares

# as in vote entropy; with M members two ratios differ by 1 / M at least
_TIE_BREAK = 1e-6


@strategy("Committee, variation ratio", family="committee", aliases=("variation_ratio",))
def qbc_variation_ratio(committee_probs: Float[np.ndarray, "M n C"]) -> Float[np.ndarray, " n"]:
    """Prefer images on which many members vote against the majority."""
    return 1 - vote_shares(committee_probs).max(axis=1) + _TIE_BREAK * disagreement(committee_probs)
