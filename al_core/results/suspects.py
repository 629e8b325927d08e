"""Labels that are likely wrong: confident learning (Northcutt et al., 2021, arXiv:1911.00068).

Written here and not taken from cleanlab, whose licence (AGPL) would bind every user of this program; a test
holds it to the paper's definition.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from al_core.results.metrics import Probabilities
from al_core.types import Labels


def suspects(probs: Probabilities, given: Labels) -> pd.DataFrame:
    """Rows whose given label is doubtful, the most doubtful first: row, suggested, own, other, margin.

    `probs` must come from a model that never saw the row's own label. A class counts as claimed for a row
    where its probability reaches the mean that the class gets from rows given that label (the threshold of
    the confident joint); a row is a suspect where its likeliest claimed class is not the given one. `own` and
    `other` are the probabilities of the given and the suggested class, `margin` is other - own: the order.
    """
    classes = np.unique(given)
    thresholds = np.full(probs.shape[1], np.inf)
    for class_id in classes:
        thresholds[class_id] = probs[given == class_id, class_id].mean()
    claimed = np.where(probs >= thresholds, probs, -np.inf)
    best = claimed.argmax(axis=1)
    any_claimed = np.isfinite(claimed.max(axis=1))
    rows = np.flatnonzero(any_claimed & (best != given))
    own, other = probs[rows, given[rows]], probs[rows, best[rows]]
    frame = pd.DataFrame(
        {"row": rows, "suggested": best[rows], "own": own, "other": other, "margin": other - own}
    )
    return frame.sort_values("margin", ascending=False, kind="stable", ignore_index=True)
