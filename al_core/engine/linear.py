"""The head of a frozen network: multinomial logistic regression on its features, to convergence.

The problem is convex and starts from zero, so the result depends on the data alone: no seed, no schedule, and
a tenth of a second for a thousand labels.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from al_core.config import ExperimentConfig
from al_core.data.dataset import Dataset
from al_core.engine.features import FeatureTables
from al_core.engine.inference import Control, embed
from al_core.engine.network import Network
from al_core.engine.train_data import TrainData
from al_core.errors import TrainingError
from al_core.records import EpochRecord
from al_core.settings import Settings
from al_core.words import tr

ITERATIONS = 10  # of L-BFGS in what is told as one epoch
MAX_EPOCHS = 30
TOLERANCE = 1e-4  # relative change of the loss over one such epoch that ends it
# Penalty on the weights (features scaled to root mean square 1) as a share of 1 / m.
RIDGE = 1.0


def fit_head(
    network: Network,
    config: ExperimentConfig,
    dataset: Dataset,
    data: TrainData,
    *,
    round: int,
    settings: Settings | None,
    on_epoch: Callable[[EpochRecord], None],
    on_progress: Callable[[int, int, float], None],
    control: Control,
) -> Network:
    """Train the head in place; the features are read from the cache where `settings` name one."""
    if settings is not None:
        network.tables = FeatureTables(network, dataset, settings)
    device = network.plan.device

    def pair(ids: np.ndarray, classes: np.ndarray) -> tuple[Tensor, Tensor]:
        rows = torch.from_numpy(embed(network, dataset.train, ids, control=control)).to(device)
        return rows, torch.from_numpy(np.array(classes, np.int64)).to(device)

    h, y = pair(data.ids, data.classes)
    held = None
    if data.validation_ids is not None and data.validation_classes is not None and len(data.validation_ids):
        held = pair(data.validation_ids, data.validation_classes)
    weights = None if data.weights is None else torch.from_numpy(data.weights).to(device)
    problem = _Problem(
        h, y, network.num_classes, config.train.weight_decay, config.train.label_smoothing, weights
    )
    # the last ten steps make up the curvature: with torch's hundred, keeping them cost more than the sums
    optimizer = torch.optim.LBFGS(
        [problem.unknowns], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe"
    )

    began, last = time.perf_counter(), float("inf")
    for epoch in range(MAX_EPOCHS):
        control()
        before = float(optimizer.step(problem.loss))
        with torch.no_grad():
            problem.put(network.module.classifier.head)
            record = _record(network, round, epoch, (h, y), held, time.perf_counter() - began)
        if not np.isfinite(record.train_loss):
            raise TrainingError(
                tr(
                    "the head of {model} diverged in round {round}: its features are not finite; take "
                    "another model, or train the whole network (frozen off)",
                    model=network.spec.model,
                    round=round,
                )
            )
        network.facts = {"epochs": epoch + 1, "steps": record.steps, "penalty": problem.penalty}
        on_epoch(record)
        on_progress(epoch + 1, MAX_EPOCHS, 0.0)
        if last - before < TOLERANCE * abs(before):
            break
        last = before
    network.module.eval()
    return network


class _Problem:
    """The loss and its gradient in closed form, on centred features, which takes half the steps."""

    def __init__(
        self, h: Tensor, y: Tensor, num_classes: int, decay: float, smoothing: float,
        weights: Tensor | None = None,
    ) -> None:  # fmt: skip
        self.size = h.square().mean().sqrt().clamp_min(1e-6)
        self.mean = h.mean(0) / self.size  # the bias, which has no penalty, takes it up
        self.x = h / self.size - self.mean
        self.target = F.one_hot(y, num_classes).to(h.dtype) * (1 - smoothing) + smoothing / num_classes
        self.weights = None if weights is None else weights.to(h.dtype)[:, None]
        self.penalty = max(decay, RIDGE / len(y))
        self.unknowns = torch.zeros(num_classes * (h.shape[1] + 1), device=h.device, requires_grad=True)

    def _parts(self) -> tuple[Tensor, Tensor]:
        values, num_classes = self.unknowns.detach(), self.target.shape[1]
        return values[:-num_classes].view(num_classes, -1), values[-num_classes:]

    @torch.no_grad()
    def loss(self) -> Tensor:
        """Mean cross-entropy and penalty; fills in the gradient."""
        weight, bias = self._parts()
        logarithms = torch.addmm(bias, self.x, weight.T).log_softmax(1)
        error = (logarithms.exp() - self.target).div_(len(self.x))
        told = logarithms * self.target
        if self.weights is not None:
            error, told = error * self.weights, told * self.weights
        slope = torch.addmm(weight, error.T, self.x, beta=self.penalty)
        self.unknowns.grad = torch.cat((slope.flatten(), error.sum(0)))
        entropy = -told.sum() / len(self.x)
        return entropy + self.penalty / 2 * weight.square().sum()

    def put(self, head: nn.Linear) -> None:
        """The solution, for features as they are."""
        weight, bias = self._parts()
        head.weight.copy_(weight / self.size)
        head.bias.copy_(bias - weight @ self.mean)


def _record(
    network: Network, round: int, epoch: int, train: tuple[Tensor, Tensor], held: tuple[Tensor, Tensor] |
    None, seconds: float,
) -> EpochRecord:  # fmt: skip
    head = network.module.classifier.head

    def measure(pair: tuple[Tensor, Tensor]) -> tuple[float, float]:
        logits = head(pair[0])
        return float(F.cross_entropy(logits, pair[1])), float((logits.argmax(1) == pair[1]).float().mean())

    checked = (None, None) if held is None else measure(held)
    steps = (epoch + 1) * ITERATIONS
    return EpochRecord(round, epoch, steps, *measure(train), 1.0, seconds, *checked)
