"""Several processes that train one network: the batches of one process, each cut into a share for each.

Draws, batches and steps are those of one process; only sums are made across processes: of gradients (in
DistributedDataParallel), of BatchNorm's moments, of losses. So the result differs from one process's by
rounding alone, and with the same number of processes it is the same to the last bit.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Group:
    """The processes that train together, as one of them sees it."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes checkpoints and tells of progress."""
        return self.rank == 0

    def share(self, positions: np.ndarray) -> np.ndarray:
        """This process's part of a batch; sizes differ by one at most."""
        return positions if self.size == 1 else np.array_split(positions, self.size)[self.rank]

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, the same bits in each."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def join(self, module: nn.Module) -> nn.Module:
        """The module as training calls it; its BatchNorm layers see whole batches from now on.

        Its gradients are means over processes, so that a loss is to be multiplied by the group's size.
        """
        if self.size == 1:
            return module
        _share_moments(module)
        # Unused parameters are looked for so that buckets keep their order: by default the first step of a
        # process reorders them, and a resumed round of three processes or more would add in another order.
        return DistributedDataParallel(module, broadcast_buffers=False, find_unused_parameters=True)

    @contextmanager
    def holding_back(self, joined: nn.Module, held: bool) -> Iterator[None]:
        """Gradients are added up over the parts of a batch first, and over processes with the last part."""
        if held and isinstance(joined, DistributedDataParallel):
            with joined.no_sync():
                yield
        else:
            yield


ALONE = Group()


def leave() -> NoReturn:
    """End this process well, once every process of the group has come as far.

    Without the interpreter's own end: gloo's threads outlive their group, and about one process in six was
    aborted there ("terminate called without an active exception", torch 2.15), its work done and written.
    """
    dist.barrier()
    dist.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class _Sum(torch.autograd.Function):
    """A sum over processes that gradients flow through."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        total = grads[0].contiguous().clone()
        dist.all_reduce(total)
        return total


class _SharedBatchNorm(nn.BatchNorm2d):
    """BatchNorm over the batch of all processes; torch's SyncBatchNorm is for GPUs only."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions from two on."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input.float()
        over = [0, *range(2, x.dim())]
        shape = [1, -1] + [1] * (x.dim() - 2)
        count = torch.full((1,), x.numel() / x.shape[1], device=x.device)
        sums = _Sum.apply(torch.cat([x.sum(over), count]))
        total = sums[-1].detach()
        mean = sums[:-1] / total
        centred = x - mean.view(shape)
        variance = _Sum.apply(centred.square().sum(over)) / total
        self._remember(mean.detach(), variance.detach() * total / (total - 1).clamp_min(1))
        out = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.weight is not None and self.bias is not None:
            out = out * self.weight.view(shape) + self.bias.view(shape)
        return out.to(input.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            share = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance, share)


def _share_moments(module: nn.Module) -> None:
    """Replace BatchNorm layers in place; their weights and buffers stay the same tensors."""
    for name, child in module.named_children():
        if not isinstance(child, (nn.BatchNorm1d, nn.BatchNorm2d)):
            _share_moments(child)
            continue
        if next(module.parameters()).is_cuda:
            setattr(module, name, nn.SyncBatchNorm.convert_sync_batchnorm(child))
            continue
        shared = _SharedBatchNorm(
            child.num_features, child.eps, child.momentum, child.affine, child.track_running_stats
        )
        shared.weight, shared.bias = child.weight, child.bias
        shared.running_mean, shared.running_var = child.running_mean, child.running_var
        shared.num_batches_tracked = child.num_batches_tracked
        setattr(module, name, shared.train(child.training))
