"""Active learning by learning, ALBL (Hsu & Lin, AAAI 2015), with EXP4.P (Beygelzimer et al., AISTATS 2011).

Formula: each of the k places goes to an arm drawn by p_a = (1 - K p_min) w_a / sum_b w_b + p_min, where p_min
= sqrt(ln K / (K T)); that arm's next image is asked for, and q is the sum of p_b over the arms b that would
have asked for it too. After labeling, w_a grows by exp(p_min / 2 (r_a + sqrt(ln(K / delta) / (K T)) / p_a)),
where r_a is the mean over picks of reward [a supports the pick] / q.

Score: the number of the arm that drew it, in that arm's terms.

Cost: time n*C + n*m*D + n*k*D + m*min(m, D)**2; memory n*(2*C + 20) + (k + m)*D + 3*min(n, 2048)*D. That of
all arms, and a linear probe for each.

Helps: where nobody knows which strategy suits the data: ALBL stays near the best of its arms (Hsu & Lin,
2015). What it learns is shown, round by round.

Hurts: in short runs. Ten queries are ten lessons, and it spends part of each on the worse arms, so that one
good strategy alone is better.

Deviation: the paper rewards an arm by the importance-weighted accuracy of the model on images that it was
trained on. A deep network knows these by heart, and in its embeddings any probe tells them apart, so a linear
probe on frozen features is asked about images that it did not see (leave one out), weighted by 1 / q. The
paper asks for one image at a time, a query for many: each arm has a probe of its own, which learns from the
older labels and that arm's picks, and its reward is how far its accuracy lies above the other arms', as a
share of the largest difference so far (after Graves et al., 2017, arXiv 1704.03003). Importance weighting is
unbiased for single draws with replacement; for a query it is so approximately. p_min is at most 1 / 2K.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float, Int64

from al_core.query.bandit import arms_of
from al_core.query.composition import Composition
from al_core.query.picks import Picks
from al_core.query.strategies import Bounds, strategy
from al_core.types import Positions


@strategy(
    "Bandit over strategies",
    family="hybrid",
    aliases=("albl", "exp4p", "reinforcement_learning", "bandit_albl"),
)
def bandit(
    probs: Float[np.ndarray, "n C"],
    embeddings: Float[np.ndarray, "n D"],
    labeled_embeddings: Float[np.ndarray, "m D"],
    labeled_features: Float[np.ndarray, "m D"],
    labeled_classes: Int64[np.ndarray, " m"],
    *,
    k: int,
    rng: np.random.Generator,
    arms: Annotated[str, Bounds(help="strategies to choose among, by name; random is always one")] = (
        "margin, k_center, badge"
    ),
    horizon: Annotated[int, Bounds(0, 100_000, "queries to learn in; 0: those that are planned")] = 0,
    delta: Annotated[float, Bounds(0.0001, 1, "how seldom the bound on the regret may fail")] = 0.1,
) -> Positions:
    """Draw the strategy for each image by chances that are learnt from what earlier picks were worth."""
    # without earlier rounds all arms have the same chance; a run hands its chances to the composition itself
    composition = Composition(arms_of(arms))
    chances = np.full(len(composition.strategies), 1 / len(composition.strategies))
    evidence = {
        "probs": probs, "embeddings": embeddings, "labeled_embeddings": labeled_embeddings,
        "labeled_features": labeled_features, "labeled_classes": labeled_classes,
    }  # fmt: skip
    chosen = composition.choose(evidence, num_candidates=len(probs), k=k, rng=rng, chances=chances)
    return Picks(chosen.positions, chosen.values)
