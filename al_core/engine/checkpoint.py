"""The state of an unfinished round, kept after an epoch: in memory to roll back to, on disk to resume from.

Seeding is stateless (each epoch draws from seed, round and epoch), so weights, optimizer state and a few
numbers are all there is: a resumed round is bit for bit the whole one, from whichever epoch it
resumes.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from al_core.engine.network import read_safetensors, write_safetensors
from al_core.errors import ModelError
from al_core.records import EpochRecord

log = logging.getLogger(__name__)

FILE = "epoch.safetensors"
# Epochs of a few milliseconds are not worth a write each; what is lost is trained again in less than this.
SECONDS_BETWEEN_WRITES = 1.0


@dataclass
class Standing:
    """Where a round's training stands; `epoch` is the next one."""

    micro_batch: int
    epoch: int = 0
    steps: int = 0
    rate_scale: float = 1.0  # halved at each rollback
    rollbacks: int = 0
    seconds: float = 0.0
    best_loss: float | None = None
    best_epoch: int = -1
    history: list[dict[str, Any]] = field(default_factory=list)  # EpochRecords, told again on resuming

    def records(self) -> list[EpochRecord]:
        """The epochs so far."""
        return [EpochRecord(**values) for values in self.history]


class Snapshot:
    """Copies of weights and optimizer state at the end of the last good epoch."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._module, self._optimizer = module, optimizer
        self.best: dict[str, Tensor] = {}
        self.tensors: dict[str, Tensor] = {}
        self.take()

    def _live(self) -> dict[str, Tensor]:
        live = {f"model.{name}": value for name, value in self._module.state_dict().items()}
        for i, parameter in enumerate(self._module.parameters()):
            for key, value in self._optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    live[f"optimizer.{i}.{key}"] = value
        return live

    def take(self) -> None:
        """Copy the present state, into the buffers of the last copy where they fit."""
        with torch.no_grad():
            for name, value in self._live().items():
                if name in self.tensors:
                    self.tensors[name].copy_(value)
                else:
                    self.tensors[name] = value.detach().clone()

    def take_best(self) -> None:
        """Keep the present weights as the best ones."""
        self.best = {name: value.detach().clone() for name, value in self._module.state_dict().items()}

    def restore(self) -> None:
        """Put the copied state back."""
        own = self._module.state_dict()
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(self.tensors[f"model.{name}"])
        self._optimizer.state.clear()
        parameters = list(self._module.parameters())
        for name, value in self.tensors.items():
            if name.startswith("optimizer."):
                _, i, key = name.split(".", 2)
                parameter = parameters[int(i)]
                # fused steps walk memory: a moment must lie as its parameter does; a file's does not
                fits = value.shape == parameter.shape
                place = torch.empty_like(parameter) if fits else torch.empty_like(value)
                self._optimizer.state[parameter][key] = place.detach().copy_(value)

    def restore_best(self) -> None:
        """Put the best weights in place, if any were kept."""
        own = self._module.state_dict()
        with torch.no_grad():
            for name, value in self.best.items():
                own[name].copy_(value)


class Checkpoints:
    """The one checkpoint file of a round; `identity` names round, data, config and first weights."""

    def __init__(self, folder: Path, identity: dict[str, Any], *, interval: float | None = None) -> None:
        self.path = folder / FILE
        self._identity = identity
        self._interval = SECONDS_BETWEEN_WRITES if interval is None else interval
        self._written = time.monotonic()

    def resume(self, snapshot: Snapshot, device: torch.device) -> Standing | None:
        """Fill the snapshot from the file and restore it, if it is of this very round; None otherwise."""
        if not self.path.exists():
            return None
        try:
            tensors, metadata = read_safetensors(self.path)
            if json.loads(metadata["identity"]) != self._identity:
                return None
            standing = Standing(**json.loads(metadata["standing"]))
        except (ModelError, KeyError, ValueError, TypeError) as error:
            log.warning("checkpoint %s is of no use, the round begins anew: %s", self.path, error)
            return None
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "best":
                snapshot.best[rest] = value.to(device)
            else:
                # optimizer step counters stay where torch keeps them, beside their parameters
                snapshot.tensors[name] = value.to(device)
        snapshot.restore()
        return standing

    def write(self, snapshot: Snapshot, standing: Standing) -> None:
        """Write the snapshot, unless the last write was a moment ago."""
        if time.monotonic() - self._written < self._interval:
            return
        tensors = dict(snapshot.tensors) | {f"best.{name}": value for name, value in snapshot.best.items()}
        metadata = {"identity": json.dumps(self._identity), "standing": json.dumps(asdict(standing))}
        write_safetensors(self.path, tensors, metadata)
        self._written = time.monotonic()
