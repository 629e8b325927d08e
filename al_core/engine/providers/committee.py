"""A committee: the round's network and others that could as well have come out of its labels.

independent: trained like the network from other fresh weights, on all labels (Lakshminarayanan et al., 2017,
arXiv:1612.01474). bootstrap: trained like it on labels drawn with replacement, within each class (Abe &
Mamitsuka, ICML 1998). heads: last layers alone, each fitted on such a draw over the network's embeddings, in
seconds. snapshots: the network trained on through cycles of the learning rate, one member at the end of each,
for the price of one more training (Huang et al., 2017, arXiv:1704.00109).

A frozen network's head has no random start, so that its independent members are bootstrapped.

Where the network trains on adversarial copies, its members train on those of the labels that they are given.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float32
from torch import Tensor

from al_core.config import ExperimentConfig
from al_core.data.pixels import MemmapSplit
from al_core.engine.inference import embed, predict
from al_core.engine.network import Network
from al_core.engine.providers import EvidenceContext
from al_core.engine.trainer import TrainData, fit
from al_core.seeds import generator, seed_for
from al_core.types import Labels, Positions

NAMES: Final = ("committee_probs",)

_ITERATIONS: Final = 100  # of L-BFGS for one head
_RIDGE: Final = 1.0  # penalty on a head's weights, as a share of 1 / m


def provide(names: Collection[str], context: EvidenceContext) -> dict[str, np.ndarray]:
    """`committee_probs`: the network's own, then those of the other members."""
    first = context.trained("committee_probs")
    rows: list[np.ndarray] = []
    with tempfile.TemporaryDirectory(prefix="askwell-committee-") as scratch:
        for probs in _members(first, context, context.checkpoints or Path(scratch)):
            rows.append(probs)
            context.progress(len(rows), context.members)
    return dict.fromkeys(names, np.stack(rows))


def _members(first: Network, context: EvidenceContext, folder: Path) -> Iterator[Float32[np.ndarray, "n C"]]:
    kind = context.config.query.committee
    if kind == "heads":
        yield from _heads(first, context)
        return
    yield _predict(first, context)
    network = first
    for member in range(1, context.members):
        place = folder / f"member-{member}"
        if kind == "snapshots":
            network = _cycle(network, member, context, place)
        else:
            network = _train(member, context, place)
        yield _predict(network, context)


def _predict(network: Network, context: EvidenceContext) -> Float32[np.ndarray, "n C"]:
    return predict(network, context.dataset.train, context.candidate_ids, control=context.control).probs


def _train(member: int, context: EvidenceContext, folder: Path) -> Network:
    """A member of its own, from fresh weights."""
    config, data = context.config, _known(context)
    if config.query.committee == "bootstrap" or config.model.frozen:
        chosen = _drawn(member, context, data.classes)
        weights = None if data.weights is None else data.weights[chosen]
        data = TrainData(data.ids[chosen], data.classes[chosen], weights=weights)
    data = replace(data, **context.copies(data.ids, data.classes))
    return _fit(_seeded(config, member, context), context, data, folder)


def _known(context: EvidenceContext) -> TrainData:
    """What members learn from: the labels that count at all."""
    ids, classes, weights = context.labeled_ids, context.labeled_classes, context.labeled_weights
    if weights is None:
        return TrainData(ids, classes)
    counts = weights > 0
    return TrainData(ids[counts], classes[counts], weights=weights[counts])


def _cycle(before: Network, member: int, context: EvidenceContext, folder: Path) -> Network:
    """The last member trained on: the learning rate up again, and down along a cosine."""
    config, cycles = context.config, context.members - 1
    config = _seeded(config, member, context).changed(
        train__schedule="cosine",
        train__epochs=math.ceil(config.train.epochs / cycles),
        train__min_steps=math.ceil(config.train.min_steps / cycles),
    )
    start = {name: value.cpu().numpy() for name, value in before.module.state_dict().items()}
    data = _known(context)
    data = replace(data, **context.copies(data.ids, data.classes))
    return _fit(config, context, data, folder, start)


def _seeded(config: ExperimentConfig, member: int, context: EvidenceContext) -> ExperimentConfig:
    """Other draws of weights, order, augmentation and dropout; a frozen trunk must stay the same one."""
    # members train to the end: there is no validation set of theirs to stop by
    config = config.changed(train__early_stopping=None)
    if config.model.frozen:
        return config
    return config.changed(seed=seed_for(config.seed, "committee", context.round, member) % 2**32)


def _fit(
    config: ExperimentConfig, context: EvidenceContext, data: TrainData, folder: Path,
    start: dict[str, np.ndarray] | None = None,
) -> Network:  # fmt: skip
    return fit(
        config, context.dataset, data, round=context.round, start=start, checkpoints=folder,
        control=context.control, settings=context.settings,
    )  # fmt: skip


def _drawn(member: int, context: EvidenceContext, classes: Labels) -> Positions:
    """As many of the labeled as there are, with replacement; each class keeps its number."""
    rng = generator(context.config.seed, "bootstrap", context.round, member)
    groups = [np.flatnonzero(classes == c) for c in np.unique(classes)]
    return np.concatenate([rng.choice(group, len(group)) for group in groups])


def _heads(network: Network, context: EvidenceContext) -> Iterator[Float32[np.ndarray, "n C"]]:
    """One pass of the network, then a linear head for each member; the first is the network's own."""
    train, device = context.dataset.train, network.plan.device
    prediction = predict(
        network, train, context.candidate_ids, embeddings=True, progress=context.progress,
        control=context.control,
    )  # fmt: skip
    yield prediction.probs
    if context.members < 2 or prediction.embeddings is None:
        return
    data = _known(context)
    known = embed(network, train, data.ids, control=context.control)
    candidates = torch.from_numpy(prediction.embeddings).to(device)
    scale = float(np.sqrt(np.square(known).mean()).clip(1e-6))
    for member in range(1, context.members):
        context.control()
        chosen = _drawn(member, context, data.classes)
        weights = None if data.weights is None else data.weights[chosen]
        drawn = TrainData(data.ids[chosen], data.classes[chosen], weights=weights)
        drawn = replace(drawn, **context.copies(drawn.ids, drawn.classes))
        x = torch.from_numpy(_with_copies(network, known[chosen], drawn, context)).to(device)
        y = torch.from_numpy(np.array(drawn.targets, np.int64)).to(device)
        w = None if drawn.target_weights is None else torch.from_numpy(drawn.target_weights).to(device)
        weight, bias = _fit_linear(x / scale, y, network.num_classes, w)
        with torch.no_grad():
            yield F.linear(candidates / scale, weight, bias).softmax(1).cpu().numpy()


def _with_copies(
    network: Network, rows: Float32[np.ndarray, "m D"], drawn: TrainData, context: EvidenceContext
) -> Float32[np.ndarray, "c D"]:
    """Embeddings of some labeled images, and of their adversarial copies after them."""
    if drawn.copies is None or drawn.copy_classes is None:
        return rows
    split = MemmapSplit("train", np.asarray(drawn.copy_classes, np.int64), drawn.copies, None)
    more = embed(network, split, np.arange(len(split)), control=context.control)
    return np.concatenate([rows, more])


def _fit_linear(
    x: Tensor, y: Tensor, num_classes: int, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression from zero: convex, so that the data alone decide."""
    weight = torch.zeros(num_classes, x.shape[1], device=x.device, requires_grad=True)
    bias = torch.zeros(num_classes, device=x.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_ITERATIONS, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        optimizer.zero_grad()
        logits = F.linear(x, weight, bias)
        if weights is None:
            loss = F.cross_entropy(logits, y)
        else:
            loss = (F.cross_entropy(logits, y, reduction="none") * weights).mean()
        loss = loss + _RIDGE / (2 * len(y)) * weight.square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        optimizer.step(objective)
    return weight.detach(), bias.detach()
