"""The usual way, written out: torchvision's networks, PIL transforms, DataLoader, fp32, NCHW.

What `engine.py` measures the product against. Two whole loops restate published programs' defaults:

- `seed1_loop`: SqueezeNet 1.1 from scratch, weights and optimizer kept from round to round, validation on a
  fifth of the train split after each epoch (batches of 100).
- `deepal_loop`: ResNet-18 retrained from scratch at each budget, entropy over the whole pool, and the pool
  scored with the training transform (that program does so; it changes no cost).

They repeat the programs' work, not their code. One thread, no loader workers: more of them only lose on small
pictures.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms

CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass(frozen=True)
class Arrays:
    """A data set as two arrays of pictures (n, S, S, 3) and their classes."""

    train: np.ndarray
    train_classes: np.ndarray
    test: np.ndarray
    test_classes: np.ndarray


class Pictures(Dataset):
    """Torchvision's way: a PIL image is made of each row, and transformed, each time that it is asked for."""

    def __init__(self, images, classes, transform):
        self.images, self.classes, self.transform = images, classes, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.images[index])), int(self.classes[index]), index


def crop_and_flip(size: int = 32, padding: int = 4):
    """DeepAL's chain for CIFAR-10."""
    return transforms.Compose(
        [
            transforms.RandomCrop(size, padding=padding),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(CIFAR_MEAN, CIFAR_STD),
        ]
    )


def plain():
    return transforms.Compose([transforms.ToTensor(), transforms.Normalize(CIFAR_MEAN, CIFAR_STD)])


def probabilities(network: nn.Module, pictures: Dataset, batch: int) -> np.ndarray:
    """Softmax of each picture, in order."""
    network.eval()
    found = []
    with torch.no_grad():
        for x, _, _ in DataLoader(pictures, batch):
            found.append(F.softmax(network(x), dim=1))
    return torch.cat(found).numpy()


def accuracy(network: nn.Module, pictures: Dataset, classes: np.ndarray, batch: int) -> float:
    return float((probabilities(network, pictures, batch).argmax(1) == classes).mean())


def train_epoch(network: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer) -> None:
    network.train()
    for x, y, _ in loader:
        optimizer.zero_grad()
        F.cross_entropy(network(x), y).backward()
        optimizer.step()


def thirds(classes: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stratified 20 % validation 1, 20 % validation 2, 60 % pool."""
    rng, parts = np.random.default_rng(seed), ([], [], [])
    for c in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == c))
        fifth = len(members) // 5
        for part, ids in zip(
            parts, (members[:fifth], members[fifth : 2 * fifth], members[2 * fifth :]), strict=True
        ):
            part.append(ids)
    return tuple(np.sort(np.concatenate(part)) for part in parts)


def per_class(classes: np.ndarray, ids: np.ndarray, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(ids[classes[ids] == c])[:n] for c in np.unique(classes)])


def seed1_loop(
    data: Arrays, seed: int, *, rounds: int = 3, epochs: int = 50, n_start: int = 100, n_new: int = 100,
    validate: bool = True, on_round: Callable[[dict], None] = lambda facts: None,
) -> dict:  # fmt: skip
    """The first seed's default run. Each round trains, looks at validation 2, scores the pool, asks."""
    torch.manual_seed(seed)
    pictures = Pictures(data.train, data.train_classes, transforms.ToTensor())
    held = Pictures(data.test, data.test_classes, transforms.ToTensor())
    first, second, pool = thirds(data.train_classes, seed)
    labeled = per_class(data.train_classes, pool, n_start, seed)
    network = torchvision.models.squeezenet1_1(num_classes=int(data.train_classes.max()) + 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    seconds = dict.fromkeys(("train", "validate", "score", "test"), 0.0)
    curve = []
    for round_ in range(rounds):
        loader = DataLoader(Subset(pictures, labeled.tolist()), 50, shuffle=True)
        for _ in range(epochs):
            began = cpu_seconds()
            train_epoch(network, loader, optimizer)
            seconds["train"] += cpu_seconds() - began
            if validate:
                began = cpu_seconds()
                accuracy(network, Subset(pictures, first.tolist()), data.train_classes[first], 100)
                seconds["validate"] += cpu_seconds() - began
        began = cpu_seconds()
        curve.append(accuracy(network, Subset(pictures, second.tolist()), data.train_classes[second], 100))
        pool = np.setdiff1d(pool, labeled)
        p = probabilities(network, Subset(pictures, pool.tolist()), 100)
        asked = pool[torch.sort(torch.from_numpy(p.max(1))).indices[:n_new].numpy()]
        seconds["score"] += cpu_seconds() - began
        on_round({"round": round_, "labels": len(labeled), "validation": curve, "seconds": seconds})
        labeled = np.concatenate([labeled, asked])
    began = cpu_seconds()
    final = accuracy(network, held, data.test_classes, 100)
    seconds["test"] += cpu_seconds() - began
    return {
        "accuracy": final, "validation": curve, "seconds": seconds, "cpu": sum(seconds.values()),
        "validated": validate,
    }  # fmt: skip


def resnet18(num_classes: int, wide_stem: bool = False) -> nn.Module:
    """torchvision's; its ImageNet stem (7x7, stride 2, and a pooling) leaves 1x1 places of 32 px."""
    network = torchvision.models.resnet18(num_classes=num_classes)
    if wide_stem:
        network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    return network


def deepal_loop(
    data: Arrays, seed: int, *, budgets: tuple[int, ...] = (1000, 2000, 3000, 4000, 5000), epochs: int = 30,
    wide_stem: bool = False, state: dict | None = None,
    on_round: Callable[[dict], None] = lambda facts: None,
) -> dict:  # fmt: skip
    """DeepAL+'s CIFAR-10 defaults. A round begins from fresh weights, so `state` lets a run go on later."""
    state = state or {"labels": [], "accuracy": [], "seconds": dict.fromkeys(("train", "score", "test"), 0.0)}
    state.setdefault(
        "labeled", np.random.default_rng(seed).permutation(len(data.train))[: budgets[0]].tolist()
    )
    augmented = Pictures(data.train, data.train_classes, crop_and_flip(data.train.shape[1]))
    held = Pictures(data.test, data.test_classes, plain())
    num_classes, seconds = int(data.train_classes.max()) + 1, state["seconds"]
    for number, budget in enumerate(budgets):
        if number < len(state["accuracy"]):
            continue
        torch.manual_seed(1000 * seed + number)
        network, began = resnet18(num_classes, wide_stem), cpu_seconds()
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        loader = DataLoader(Subset(augmented, state["labeled"]), 128, shuffle=True)
        for _ in range(epochs):
            train_epoch(network, loader, optimizer)
        seconds["train"] += cpu_seconds() - began
        began = cpu_seconds()
        state["accuracy"].append(accuracy(network, held, data.test_classes, 1000))
        seconds["test"] += cpu_seconds() - began
        state["labels"].append(len(state["labeled"]))
        began = cpu_seconds()
        if number + 1 < len(budgets):
            pool = np.setdiff1d(np.arange(len(data.train)), state["labeled"])
            p = torch.from_numpy(probabilities(network, Subset(augmented, pool.tolist()), 1000))
            uncertainty = (p * torch.log(p)).sum(1)
            asked = pool[uncertainty.sort()[1][: budgets[number + 1] - budget].numpy()]
            state["labeled"] = [*state["labeled"], *asked.tolist()]
        seconds["score"] += cpu_seconds() - began
        on_round(state)
    return state | {"cpu": sum(seconds.values())}
