"""Monte Carlo dropout (Gal & Ghahramani, 2016, arXiv:1506.02142): a pass is one network drawn by its masks.

All images of a pass share its masks, so that passes are networks and what they say of two images together
has a meaning (BatchBALD needs it: Kirsch et al., 2019, arXiv:1906.08158). Only dropout is active; BatchNorm
stays in evaluation mode, as the network is not to change. What lies before the first dropout is the same in
every pass and is computed once; dropout in front of the last layer alone is one matrix product for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float32
from torch import Tensor, nn

from al_core.data.dataset import Split
from al_core.engine.inference import Control, Progress, embed, evaluating, run_chunks, run_rows
from al_core.engine.network import ImageClassifier, Network
from al_core.engine.providers import EvidenceContext
from al_core.errors import StrategyError
from al_core.seeds import seed_for
from al_core.types import SampleIds
from al_core.words import tr

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier

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
            tr(
                "{model} has no dropout, so mc_probs cannot be computed: every pass would be the "
                "same; set model.dropout above 0, or choose a model with dropout or another strategy",
                model=network.spec.model,
            )
        )
    out = np.empty((len(ids), passes, network.num_classes), np.float32)
    frozen = network.spec.frozen
    seeds = [seed_for(seed, "pass", t) for t in range(passes)]
    in_head = frozen or active == [classifier.drop]
    of_features = _head_passes(classifier, seeds) if in_head else _passes(classifier, active, seeds)

    def of_images(module: ImageClassifier, x: Tensor) -> Tensor:
        shared = torch.flatten(module.trunk(x), 1)
        return of_features(classifier.neck(shared) if in_head else shared)

    rows = embed(network, split, ids, progress=progress, control=control) if frozen else None
    with evaluating(network.module), torch.inference_mode():
        if rows is None:
            run_chunks(network, split, ids, of_images, out, progress=progress, control=control)
        else:
            run_rows(network, rows, of_features, out, control=control)
    return np.ascontiguousarray(out.transpose(1, 0, 2))


def _head_passes(classifier: Classifier, seeds: Sequence[int]) -> Callable[[Tensor], Tensor]:
    """Embeddings (r, D) to probabilities (r, T, C): masking features masks the head's columns."""
    head, dropout = classifier.head, classifier.drop
    with torch.no_grad():
        masks = torch.stack([_mask(dropout, head.weight[0], seed) for seed in seeds])
        weight = (masks[:, None, :] * head.weight).flatten(0, 1)
        bias = None if head.bias is None else head.bias.repeat(len(seeds))

    def probs(h: Tensor) -> Tensor:
        return F.linear(h, weight, bias).view(len(h), len(seeds), -1).softmax(2)

    return probs


def _passes(
    classifier: Classifier, active: Sequence[nn.Dropout], seeds: Sequence[int]
) -> Callable[[Tensor], Tensor]:
    """What the trunk gives to probabilities (r, T, C), one pass after the other."""

    def probs(shared: Tensor) -> Tensor:
        drawn = []
        for seed in seeds:
            with _masked(active, seed):
                drawn.append(classifier.forward_head(classifier.neck(shared)).softmax(1))
        return torch.stack(drawn, 1)

    return probs


@contextmanager
def _masked(active: Sequence[nn.Dropout], seed: int) -> Iterator[None]:
    """Dropouts apply one mask to all rows, although they are in evaluation mode."""

    def hook(place: int) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
        def apply(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> Tensor:
            return output * _mask(active[place], output[0], seed_for(seed, "layer", place))

        return apply

    handles = [module.register_forward_hook(hook(place)) for place, module in enumerate(active)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _mask(dropout: nn.Dropout, like: Tensor, seed: int) -> Tensor:
    """Zeros with the dropout's probability and 1 / (1 - p) elsewhere, drawn on the processor."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    kept = torch.rand(like.shape, generator=generator) >= dropout.p
    return (kept / (1 - dropout.p)).to(like)
