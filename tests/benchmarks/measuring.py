"""What benchmarks share: points and probabilities like a network's, time in turn, memory of a process."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


def embedding_like(n: int, d: int, seed: int, groups: int = 50, rank: int = 32) -> np.ndarray:
    """Like the inputs of a last layer: not negative, in groups of different width, each of low rank."""
    rng = np.random.default_rng(seed)
    centres, widths = rng.normal(size=(groups, d)) + 0.5, rng.uniform(0.5, 1.5, groups)
    bases = rng.normal(size=(groups // 5 + 1, rank, d)).astype(np.float32)
    spectrum = 1 / np.sqrt(1 + np.arange(rank))
    which, points = rng.integers(groups, size=n), np.empty((n, d), np.float32)
    for start in range(0, n, 4096):
        some = which[start : start + 4096]
        within = rng.normal(size=(len(some), rank)) * spectrum * widths[some, None]
        block = centres[some] + 0.3 * rng.normal(size=(len(some), d))
        for basis in np.unique(some // 5):
            rows = np.flatnonzero(some // 5 == basis)
            block[rows] += within[rows] @ bases[basis]
        points[start : start + 4096] = np.maximum(block, 0)
    return points


def softmax_like(n: int, num_classes: int, seed: int) -> np.ndarray:
    """Probabilities of a network that is sure of most images."""
    logits = 3 * np.random.default_rng(seed).normal(size=(n, num_classes))
    probs = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float32)
    return probs / probs.sum(axis=1, keepdims=True)


def load_of_machine() -> str:
    """The machine in a line; never its name."""
    model = platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model
        )
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return f"{model}, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}, load {os.getloadavg()[0]:.1f}"


def highest_memory() -> int:
    """Bytes that this process ever held at once (Linux), since the last `forget_memory`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return 1024 * int(line.split()[1])
    return 0


def forget_memory() -> int:
    """Let `highest_memory` begin anew; returns the bytes held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return highest_memory()


@dataclass
class Times:
    """Seconds of repeated runs, and the last answer."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    answer: object = None

    def add(self, function: Callable[[], object]) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        self.answer = function()
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)

    @property
    def median(self) -> float:
        return statistics.median(self.processor)


def in_turn(functions: Sequence[Callable[[], object]], repeats: Sequence[int]) -> list[Times]:
    """A, B, C, A, B, C ...: each as often as it says; a warm-up for those that run more than once."""
    series = [Times() for _ in functions]
    for function, repeat in zip(functions, repeats, strict=True):
        if repeat > 1:
            function()
    for turn in range(max(repeats)):
        for function, repeat, times in zip(functions, repeats, series, strict=True):
            if turn < repeat:
                times.add(function)
    return series
