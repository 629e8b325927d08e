"""Evidence that no training changes: counts, paid labels, frozen features."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from al_core.engine.features import frozen_features
from al_core.engine.providers import EvidenceContext

NAMES: Final = ("num_candidates", "num_classes", "labeled_classes", "features", "labeled_features", "texture")


def provide(names: Collection[str], context: EvidenceContext) -> dict[str, np.ndarray]:
    """Those of NAMES that are asked for."""
    found: dict[str, np.ndarray] = {
        "num_candidates": np.asarray(len(context.candidate_ids)),
        "num_classes": np.asarray(context.dataset.num_classes),
        "labeled_classes": np.asarray(context.labeled_classes),
    }
    config = context.config
    for name, ids, source in (
        ("features", context.candidate_ids, config.query.features),
        ("labeled_features", context.labeled_ids, config.query.features),
        ("texture", context.candidate_ids, "texture"),
    ):
        if name in names:
            found[name] = frozen_features(
                config.changed(query__features=source), context.dataset, context.settings, ids,
                progress=lambda _, done, total: context.progress(done, total), control=context.control,
            )  # fmt: skip
    return {name: found[name] for name in names}
