"""One of two processes that share a batch: how far its BatchNorm is from the one that sees all of it."""

import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from al_core.engine.group import Group, leave


def main(folder):
    dist.init_process_group("gloo")
    group = Group(dist.get_rank(), dist.get_world_size())
    torch.manual_seed(0)
    batch, weights = torch.randn(7, 3, 4, 4), torch.randn(7, 3, 4, 4)
    alone, shared = (nn.Sequential(nn.BatchNorm2d(3)) for _ in range(2))
    group.join(shared)
    own = torch.arange(7).tensor_split(2)[group.rank]

    whole = batch.clone().requires_grad_()
    expected = alone(whole)
    (expected * weights).sum().backward()
    part = batch[own].clone().requires_grad_()
    found = shared[0](part)
    (found * weights[own]).sum().backward()
    gradient = group.sum(shared[0].weight.grad)

    def far(one, other):
        return float((one - other).abs().max())

    told = {
        "output": far(found, expected[own]),
        "input gradient": far(part.grad, whole.grad[own]),
        "weight gradient": far(gradient, alone[0].weight.grad),
        "mean": far(shared[0].running_mean, alone[0].running_mean),
        "variance": far(shared[0].running_var, alone[0].running_var),
        "evaluated": far(shared.eval()(batch), alone.eval()(batch)),
    }
    (Path(folder) / f"{os.environ['RANK']}.json").write_text(json.dumps(told))
    leave()


if __name__ == "__main__":
    main(sys.argv[1])
