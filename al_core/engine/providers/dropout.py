"""Monte Carlo dropout (Gal & Ghahramani, 2016, arXiv:1506.02142): passes differ in what is left out.

Only dropout is active; BatchNorm stays in evaluation mode, as the network is not to change. What lies before
the first dropout is the same in every pass and is computed once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from al_core.data.dataset import Split
from al_core.engine.inference import Control, Progress, embed, evaluating, run_chunks, run_rows
from al_core.engine.network import ImageClassifier, Network
from al_core.engine.providers import EvidenceContext
from al_core.errors import StrategyError
from al_core.seeds import seed_for
from al_core.types import SampleIds

NAMES: Final = ("mc_probs",)


def provide(names: Collection[str], context: EvidenceContext) -> dict[str, np.ndarray]:
    """`mc_probs`."""
    probs = mc_predict(
        context.trained("mc_probs"), context.dataset.train, context.candidate_ids, passes=context.passes,
        seed=seed_for(context.config.seed, "dropout passes", context.round),
        progress=context.progress, control=context.control,
    )  # fmt: skip
    return dict.fromkeys(names, probs)


def mc_predict(
    network: Network,
    split: Split,
    ids: SampleIds,
    *,
    passes: int,
    seed: int,
    progress: Progress,
    control: Control,
) -> Float32[np.ndarray, "T n C"]:
    """Probabilities of `passes` passes; the network stays as it was.

    A frozen network's features are fixed, so that only its head's dropout acts.

    Raises:
        StrategyError: the model has no active dropout, so that all passes would be the same.
    """
    classifier = network.module.classifier
    active = [m for m in classifier.modules() if isinstance(m, nn.Dropout) and m.p > 0]
    if not active:
        raise StrategyError(
            f"{network.spec.model} has no dropout, so mc_probs cannot be computed: every pass would be the "
            "same; set model.dropout above 0, or choose a model with dropout or another strategy"
        )
    out = np.empty((len(ids), passes, network.num_classes), np.float32)
    frozen = network.spec.frozen
    block = 0

    def head_passes(shared: Tensor) -> Tensor:
        nonlocal block
        block += 1
        drawn = []
        for t in range(passes):
            torch.manual_seed(seed_for(seed, "pass", t, block))
            h = shared if frozen else classifier.neck(torch.flatten(shared, 1))
            drawn.append(classifier.forward_head(h).softmax(1))
        return torch.stack(drawn, 1)

    def image_passes(module: ImageClassifier, x: Tensor) -> Tensor:
        return head_passes(module.trunk(x))

    devices = [network.plan.device] if network.plan.device.type == "cuda" else []
    rows = embed(network, split, ids, progress=progress, control=control) if frozen else None
    # nn.Dropout draws from torch's global generator: forked, so that nobody else's draws move
    with evaluating(network.module), torch.inference_mode(), torch.random.fork_rng(devices):
        for module in [classifier.drop] if frozen else active:
            module.train()
        if rows is None:
            run_chunks(network, split, ids, image_passes, out, progress=progress, control=control)
        else:
            run_rows(network, rows, head_passes, out, control=control)
    return np.ascontiguousarray(out.transpose(1, 0, 2))
