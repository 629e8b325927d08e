"""Probabilities and embeddings of the round's network: one pass over the candidates, one over the labeled."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from al_core.engine.inference import embed, predict
from al_core.engine.providers import EvidenceContext

NAMES: Final = ("probs", "embeddings", "labeled_embeddings", "head_weights", "head_bias")


def provide(names: Collection[str], context: EvidenceContext) -> dict[str, np.ndarray]:
    """Those of NAMES that are asked for."""
    network = context.trained(next(iter(names)))
    found: dict[str, np.ndarray] = {}
    train = context.dataset.train
    if "probs" in names or "embeddings" in names:
        prediction = predict(
            network, train, context.candidate_ids, embeddings="embeddings" in names,
            progress=context.progress, control=context.control,
        )  # fmt: skip
        found["probs"] = prediction.probs
        if prediction.embeddings is not None:
            found["embeddings"] = prediction.embeddings
    if "labeled_embeddings" in names:
        found["labeled_embeddings"] = embed(network, train, context.labeled_ids, control=context.control)
    head = network.module.classifier.head
    found["head_weights"] = head.weight.detach().float().cpu().numpy()
    found["head_bias"] = head.bias.detach().float().cpu().numpy()
    return {name: found[name] for name in names}
