"""Train a round: from labeled ids to a Network.

The labeled images are resident on the device as bytes; batches are cut from them. Every draw (weights, order,
augmentation, dropout) comes from (seed, purpose, round, epoch), so that neither the strategy nor an
interruption moves the result: on a processor, with the same number of threads, it is the same to the last
bit.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from al_core.config import ExperimentConfig, TrainConfig
from al_core.data.dataset import Dataset
from al_core.engine.augment import Source
from al_core.engine.checkpoint import Checkpoints, Snapshot, Standing
from al_core.engine.device import DevicePlan, choose, deterministic, free_memory, is_out_of_memory
from al_core.engine.group import ALONE, Group
from al_core.engine.inference import Control, chunk_of, evaluating, no_control
from al_core.engine.launch import OnEpoch, OnProgress, fit_in_group
from al_core.engine.linear import fit_head
from al_core.engine.network import Network, NetworkSpec, build_module, load_state, read_safetensors
from al_core.engine.schedule import rate
from al_core.engine.train_data import TrainData, check_trainable, read_images, split_evenly
from al_core.errors import DeviceError, TrainingError
from al_core.models import MODELS
from al_core.records import EpochRecord
from al_core.seeds import generator, seed_for
from al_core.settings import Settings
from al_core.words import tr

log = logging.getLogger(__name__)

MAX_ROLLBACKS = 3
VALIDATED_AT_ONCE = 64  # images, at least


def no_epoch(record: EpochRecord) -> None:
    """Tell nobody."""


def no_progress(done: int, total: int, eta_seconds: float) -> None:
    """Tell nobody."""


def fit(
    config: ExperimentConfig,
    dataset: Dataset,
    data: TrainData,
    *,
    round: int,
    checkpoints: Path,
    start: Mapping[str, np.ndarray] | Path | None = None,
    on_epoch: OnEpoch = no_epoch,
    on_progress: OnProgress = no_progress,
    control: Control = no_control,
    settings: Settings | None = None,
) -> Network:
    """Train on labeled images; `start` are the weights of a warm start, `checkpoints` a folder of its own.

    `settings` say where a frozen model's features are cached; without them they are computed each time.

    Raises:
        TrainingError: fewer than two classes, no validation to stop by, or training diverged.
        ModelError: the model or its weights cannot be had, or `start` does not fit it.
        DeviceError: the device is absent or its memory too small.
    """
    check_trainable(config.train, data)
    spec = NetworkSpec.of(config, dataset, round)
    if config.train.devices > 1 and not spec.frozen:
        return fit_in_group(
            config, dataset, data, round=round, checkpoints=checkpoints, start=start, on_epoch=on_epoch,
            on_progress=on_progress, control=control,
        )  # fmt: skip
    plan = choose(config.train, image_size=spec.image_size)
    plan.pin_threads()
    network = Network(build_module(spec, plan), plan, spec)
    if spec.frozen:
        return fit_head(
            network, config, dataset, data, round=round, settings=settings,
            on_epoch=on_epoch, on_progress=on_progress, control=control,
        )  # fmt: skip
    return train(
        network, config, dataset, data, round=round, checkpoints=checkpoints, start=start, on_epoch=on_epoch,
        on_progress=on_progress, control=control,
    )  # fmt: skip


def train(
    network: Network,
    config: ExperimentConfig,
    dataset: Dataset,
    data: TrainData,
    *,
    round: int,
    checkpoints: Path,
    start: Mapping[str, np.ndarray] | Path | None = None,
    on_epoch: OnEpoch = no_epoch,
    on_progress: OnProgress = no_progress,
    control: Control = no_control,
    group: Group = ALONE,
    micro_batch: int | None = None,
) -> Network:
    """Train a fresh network in this process, alone or as one of a group."""
    if start is not None:
        _warm_start(network, start)
    with deterministic(network.plan.device):
        training = _Training(config, dataset, data, network, round, checkpoints, control, group)
        training.standing.micro_batch = micro_batch or training.standing.micro_batch
        training.run(on_epoch, on_progress)
    network.module.eval()
    return network


def _warm_start(network: Network, start: Mapping[str, np.ndarray] | Path) -> None:
    if isinstance(start, Path):
        state, _ = read_safetensors(start)
    else:
        state = {name: torch.from_numpy(np.array(value)) for name, value in start.items()}
    load_state(network.module, state, start if isinstance(start, Path) else tr("the warm start"))


class _Training:
    """One round's training run: the loop, and what it does about divergence and full memory."""

    def __init__(
        self, config: ExperimentConfig, dataset: Dataset, data: TrainData, network: Network, round: int,
        checkpoints: Path, control: Control, group: Group = ALONE,
    ) -> None:  # fmt: skip
        self.train, self.seed, self.round = config.train, config.seed, round
        self.network, self.control, self.group = network, control, group
        self.module, self.plan = network.module, network.plan
        device = self.plan.device
        images = data.images(dataset.train, control)
        self.source = Source(images, dataset.augmentation if self.train.augment else None, device)
        self.classes = torch.from_numpy(np.array(data.targets, np.int64)).to(device)
        weights = data.target_weights
        self.weights = None if weights is None else torch.from_numpy(weights).to(device)
        self.validation: tuple[Source, Tensor] | None = None
        if data.has_validation and data.validation_ids is not None:
            held = read_images(dataset.train, data.validation_ids, control)
            labels = torch.from_numpy(np.array(data.validation_classes, np.int64)).to(device)
            self.validation = Source(held, None, device), labels
        norm = (nn.BatchNorm1d, nn.BatchNorm2d)
        needed = 2 if any(isinstance(m, norm) for m in self.module.modules()) else 1
        self.smallest = max(needed, group.size)
        self.batches = len(split_evenly(np.arange(data.num_images), self.train.batch_size, self.smallest))
        self.epochs = max(self.train.epochs, math.ceil(self.train.min_steps / self.batches))
        self.learning_rate = self.train.learning_rate or MODELS.get(network.spec.model).learning_rate
        identity = _identity(config, dataset, data, network, round)
        self.joined = group.join(self.module)
        self.optimizer = _optimizer(self.module, self.train, self.learning_rate, self.plan)
        self.checkpoints = Checkpoints(checkpoints, identity)
        self.snapshot = Snapshot(self.module, self.optimizer)
        self.standing = Standing(micro_batch=min(self.train.batch_size, data.num_images))
        self._began = time.perf_counter()

    def run(self, on_epoch: OnEpoch, on_progress: OnProgress) -> None:
        """Train to the end, or to early stopping, from the checkpoint if there is one."""
        resumed = self.checkpoints.resume(self.snapshot, self.plan.device)
        if resumed is not None:
            resumed.micro_batch = min(resumed.micro_batch, self.standing.micro_batch)
            self.standing = resumed
            for record in resumed.records():
                on_epoch(record)
        first, before = self.standing.epoch, self.standing.seconds
        while self.standing.epoch < self.epochs and not self._stale():
            record = self._try_epoch(before)
            if record is None:
                continue
            self.snapshot.take()
            on_epoch(record)
            if self.group.leads:
                self.checkpoints.write(self.snapshot, self.standing)
            done = self.standing.epoch
            left = (time.perf_counter() - self._began) / (done - first) * (self.epochs - done)
            on_progress(done, self.epochs, left)
        if self.train.early_stopping is not None:
            self.snapshot.restore_best()
        self.network.facts = self._facts()

    def _stale(self) -> bool:
        patience = self.train.early_stopping
        return patience is not None and self.standing.epoch - 1 - self.standing.best_epoch >= patience

    def _try_epoch(self, before: float) -> EpochRecord | None:
        """One epoch; None where it has to be tried again, from the state that it began with."""
        standing = self.standing
        try:
            loss, accuracy = self._epoch(standing.epoch)
            checked = self._validate()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or self.group.size > 1:  # the others wait in the middle of a step
                raise
            self._halve_micro_batch(error)
            return None
        if not math.isfinite(loss):
            self._roll_back()
            return None
        standing.steps += self.batches
        standing.seconds = before + time.perf_counter() - self._began
        record = EpochRecord(
            self.round, standing.epoch, standing.steps, loss, accuracy,
            self.optimizer.param_groups[0]["lr"], round(standing.seconds, 4), *checked,
        )  # fmt: skip
        # `not >=` counts a first loss, and a loss that is no number never as better
        if checked[0] is not None and (standing.best_loss is None or checked[0] < standing.best_loss):
            standing.best_loss, standing.best_epoch = checked[0], standing.epoch
            if self.train.early_stopping is not None:
                self.snapshot.take_best()
        standing.epoch += 1
        standing.history.append(asdict(record))
        return record

    def _epoch(self, epoch: int) -> tuple[float, float]:
        """Loss and accuracy over all samples (not batches); the loss is NaN if a weight is not finite."""
        self.module.train()  # validation has switched it off
        order = generator(self.seed, "order", self.round, epoch).permutation(len(self.source))
        batch_of = self.source.epoch(self.seed, self.round, epoch)
        device = self.plan.device
        totals = torch.zeros(2, device=device)
        total_steps = self.epochs * self.batches
        devices = [device] if device.type == "cuda" else []
        # dropout draws from torch's global generator: forked, so that nobody else's draws move
        with torch.random.fork_rng(devices):
            purpose = "dropout" if self.group.leads else f"dropout of process {self.group.rank}"
            torch.manual_seed(seed_for(self.seed, purpose, self.round, epoch))
            for i, positions in enumerate(split_evenly(order, self.train.batch_size, self.smallest)):
                self.control()
                factor = rate(self.train.schedule, epoch * self.batches + i, total_steps)
                self.optimizer.param_groups[0]["lr"] = self.learning_rate * self.standing.rate_scale * factor
                totals += self._step(positions, batch_of)
        norm = nn.utils.get_total_norm(list(self.module.parameters()))
        totals = self.group.sum(totals)
        loss, correct, finite = torch.cat([totals, (norm * 0)[None]]).tolist()  # one wait for the device
        return loss / len(order) + finite, correct / len(order)

    def _step(self, positions: np.ndarray, batch_of: Callable[[np.ndarray], Tensor]) -> Tensor:
        """One optimizer step, in parts where memory is short; returns summed loss and number of hits."""
        self.optimizer.zero_grad(set_to_none=True)
        sums = torch.zeros(2, device=self.plan.device)
        parts = split_evenly(positions, self.standing.micro_batch * self.group.size, self.smallest)
        for number, part in enumerate(map(self.group.share, parts), 1):
            chosen = torch.from_numpy(part).to(self.plan.device)
            with self.group.holding_back(self.joined, number < len(parts)):
                with self.plan.autocast():
                    logits = self.joined(batch_of(part))
                loss = self._loss(logits, chosen)
                (loss * self.group.size / len(positions)).backward()
            target = self.classes[chosen]
            sums += torch.stack((loss.detach(), (logits.argmax(1) == target).sum()))
        self.optimizer.step()
        return sums

    def _loss(self, logits: Tensor, chosen: Tensor) -> Tensor:
        """Summed over these images."""
        target, smoothing = self.classes[chosen], self.train.label_smoothing
        if self.weights is None:
            return F.cross_entropy(logits.float(), target, reduction="sum", label_smoothing=smoothing)
        each = F.cross_entropy(logits.float(), target, reduction="none", label_smoothing=smoothing)
        return (each * self.weights[chosen]).sum()

    def _validate(self) -> tuple[float | None, float | None]:
        if self.validation is None:
            return None, None
        source, target = self.validation
        batch_of = source.epoch(self.seed, self.round, 0)
        totals = torch.zeros(2, device=self.plan.device)
        size = max(self.standing.micro_batch, VALIDATED_AT_ONCE, chunk_of(self.network.spec.image_size))
        # in the precision of training: nobody ranks what an epoch's curve shows
        with evaluating(self.module), torch.inference_mode(), self.plan.autocast():
            share = self.group.share(np.arange(len(source)))
            for positions in split_evenly(share, size, 1) if len(share) else ():
                self.control()
                logits = self.module(batch_of(positions)).float()
                true = target[positions[0] : positions[-1] + 1]
                loss = F.cross_entropy(logits, true, reduction="sum")
                totals += torch.stack((loss, (logits.argmax(1) == true).sum()))
        loss, correct = self.group.sum(totals).tolist()
        return loss / len(source), correct / len(source)

    def _roll_back(self) -> None:
        standing = self.standing
        standing.rollbacks += 1
        standing.rate_scale /= 2
        tried = self.learning_rate * standing.rate_scale * 2
        log.warning("round %d, epoch %d diverged at learning rate %g", self.round, standing.epoch, tried)
        if standing.rollbacks > MAX_ROLLBACKS:
            raise TrainingError(
                tr(
                    "training diverged {rollbacks} times in round {round}, the last time in epoch {epoch} "
                    "with a learning rate of {tried:g}; set train.learning_rate below that (the "
                    "model's own is {learning_rate:g}), or precision=fp32",
                    rollbacks=standing.rollbacks,
                    epoch=standing.epoch,
                    round=self.round,
                    tried=tried,
                    learning_rate=MODELS.get(self.network.spec.model).learning_rate,
                )
            )
        self.snapshot.restore()

    def _halve_micro_batch(self, error: BaseException) -> None:
        standing = self.standing
        if standing.micro_batch <= self.smallest:
            raise DeviceError(
                tr(
                    "memory ran out on {device} with {micro_batch} images at a time; choose a smaller "
                    "model or image size, or device=cpu",
                    device=self.plan.describe,
                    micro_batch=standing.micro_batch,
                )
            ) from error
        standing.micro_batch = max(self.smallest, standing.micro_batch // 2)
        log.warning("out of memory: %d images at a time from now on, same batch size", standing.micro_batch)
        self.optimizer.zero_grad(set_to_none=True)
        free_memory(self.plan.device)
        self.snapshot.restore()

    def _facts(self) -> dict[str, Any]:
        """How it went, for the manifest."""
        standing = self.standing
        facts: dict[str, Any] = {
            "epochs": standing.epoch, "steps": standing.steps, "learning_rate": self.learning_rate,
        }  # fmt: skip
        if standing.rollbacks:
            facts |= {"rollbacks": standing.rollbacks, "learning_rate_scale": standing.rate_scale}
        if standing.micro_batch < min(self.train.batch_size, len(self.source)):
            facts["micro_batch"] = standing.micro_batch
        if self.group.size > 1:
            facts["devices"] = self.group.size
        if self.train.early_stopping is not None:
            facts["best_epoch"] = standing.best_epoch
        return facts


def _optimizer(
    module: nn.Module, train: TrainConfig, learning_rate: float, plan: DevicePlan
) -> torch.optim.Optimizer:
    options: dict[str, Any] = {"lr": learning_rate, "weight_decay": train.weight_decay, "fused": plan.fused}
    if train.optimizer == "sgd":
        return torch.optim.SGD(module.parameters(), momentum=train.momentum, **options)
    return torch.optim.Adam(module.parameters(), **options)


def _identity(
    config: ExperimentConfig, dataset: Dataset, data: TrainData, network: Network, round: int
) -> dict[str, Any]:
    """What a checkpoint must share with a run to be resumed by it."""
    settings = json.dumps({"seed": config.seed, "train": config.train.model_dump()}, sort_keys=True)
    return {
        "round": round,
        "data": data.hash(),
        "dataset": dataset.fingerprint,
        "config": hashlib.sha256((settings + network.spec.to_json()).encode()).hexdigest(),
        "weights": network.state_hash(),  # before the first step
    }
