"""A committee: networks trained like the round's own, which is its first member.

Members differ in their fresh weights, order and dropout and see all labels (Lakshminarayanan et al., 2017,
arXiv:1612.01474). A frozen network's head has no random start, so that its committee is trained on bootstrap
samples, drawn within each class (Abe & Mamitsuka, 1998).
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np

from al_core.engine.inference import predict
from al_core.engine.network import Network
from al_core.engine.providers import EvidenceContext
from al_core.engine.trainer import TrainData, fit
from al_core.seeds import generator, seed_for

NAMES: Final = ("committee_probs",)


def provide(names: Collection[str], context: EvidenceContext) -> dict[str, np.ndarray]:
    """`committee_probs`."""
    first = context.trained("committee_probs")
    with tempfile.TemporaryDirectory(prefix="askwell-committee-") as scratch:
        folder = context.checkpoints or Path(scratch)
        rows = []
        for member in range(context.members):
            network = first if member == 0 else _train(member, context, folder)
            rows.append(
                predict(network, context.dataset.train, context.candidate_ids, control=context.control).probs
            )
            context.progress(member + 1, context.members)
    return dict.fromkeys(names, np.stack(rows))


def _train(member: int, context: EvidenceContext, folder: Path) -> Network:
    config, ids, classes = context.config, context.labeled_ids, context.labeled_classes
    if config.model.frozen:
        rng = generator(config.seed, "bootstrap", context.round, member)
        groups = [np.flatnonzero(classes == c) for c in np.unique(classes)]
        chosen = np.concatenate([rng.choice(group, len(group)) for group in groups])
        ids, classes = ids[chosen], classes[chosen]
    else:
        seed = seed_for(config.seed, "committee", context.round, member) % 2**32
        config = config.changed(seed=seed)
    # members train to the end: there is no validation set of theirs to stop by
    config = config.changed(train__early_stopping=None)
    return fit(
        config, context.dataset, TrainData(ids, classes), round=context.round,
        checkpoints=folder / f"member-{member}", control=context.control, settings=context.settings,
    )  # fmt: skip
