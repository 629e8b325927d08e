"""Selection side by side with plain references: `python -m tests.benchmarks.selection [--quick]`.

Each row runs the reference and the product on the same inputs in one process, in turn, and prints medians of
wall time and numpy's peak memory beyond the inputs. The references restate the usual pattern in short.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from al_core.query.geometry import kcenter
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES


@dataclass(frozen=True)
class Measured:
    milliseconds: list[float]
    peak_megabytes: float
    answer: object

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)


def peak_of(function: Callable[[], object]) -> float:
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def compare(
    reference: Callable[[], object], product: Callable[[], object], repeats: int
) -> tuple[Measured, Measured]:
    """Interleaved A, B, A, B ... after one warm-up each; memory in a further run each."""
    answers = reference(), product()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for function, series in zip((reference, product), times, strict=True):
            start = time.perf_counter()
            function()
            series.append(1e3 * (time.perf_counter() - start))
    peaks = peak_of(reference), peak_of(product)
    first, second = (Measured(t, p, a) for t, p, a in zip(times, peaks, answers, strict=True))
    return first, second


def show(path: str, reference: Measured, product: Measured, note: str) -> None:
    spread = max(product.milliseconds) / min(product.milliseconds) - 1
    print(
        f"{path:<34}{reference.median:>11.1f}{product.median:>11.1f}"
        f"{reference.median / product.median:>8.1f}x"
        f"{reference.peak_megabytes:>9.0f}{product.peak_megabytes:>9.0f}{spread:>8.0%}  {note}"
    )


def plain_kcenter(points: np.ndarray, centres: np.ndarray, k: int) -> np.ndarray:
    """One matrix-vector product over all points for each centre and each pick."""
    squares = np.einsum("nd,nd->n", points, points)
    nearest = np.full(len(points), np.inf, np.float32)

    def lower(centre):
        np.minimum(nearest, squares - 2 * (points @ centre) + centre @ centre, out=nearest)

    for centre in centres:
        lower(centre)
    picks = []
    for _ in range(k):
        picks.append(int(nearest.argmax()))
        lower(points[picks[-1]])
        nearest[picks[-1]] = -1
    return np.array(picks)


def clustered(n: int, d: int, seed: int, clusters: int = 50) -> np.ndarray:
    """Points like a network's embeddings: clusters of different width, and a common offset."""
    rng = np.random.default_rng(seed)
    centres, widths = 3 * rng.normal(size=(clusters, d)), rng.uniform(0.5, 1.5, clusters)
    which = rng.integers(clusters, size=n)
    return (centres[which] + widths[which, None] * rng.normal(size=(n, d)) + 1).astype(np.float32)


def seed_scores(name: str, probs: np.ndarray, k: int) -> np.ndarray:
    """The first seed's way: torch, and a sort of the whole pool."""
    import torch

    p = torch.from_numpy(probs)
    if name == "least_confidence":
        return torch.sort(p.max(dim=1).values).indices[:k].numpy()
    if name == "margin":
        ordered = torch.sort(p, dim=1, descending=True).values
        return torch.sort(ordered[:, 0] - ordered[:, 1]).indices[:k].numpy()
    entropies = torch.distributions.Categorical(probs=p).entropy()
    return torch.sort(entropies, descending=True).indices[:k].numpy()


def run_scores(n: int, repeats: int) -> None:
    rng = np.random.default_rng(0)
    logits = 3 * rng.normal(size=(n, 10))
    probs = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float32)
    probs /= probs.sum(axis=1, keepdims=True)
    for name in ("least_confidence", "margin", "entropy"):
        found = STRATEGIES.get(name)

        def product(found=found):
            draw = np.random.default_rng(0)
            return select(found, {"probs": probs}, num_candidates=n, k=100, rng=draw).positions

        reference, ours = compare(lambda name=name: seed_scores(name, probs, 100), product, repeats)
        shared = len(np.intersect1d(reference.answer, ours.answer))
        show(f"{name} {n} x 10, k=100", reference, ours, f"{shared} of 100 picks shared")


def run_kcenter(n: int, d: int, m: int, k: int, repeats: int) -> None:
    both = clustered(n + m, d, 0)
    points, centres = both[:n], both[n:]
    reference, ours = compare(
        lambda: plain_kcenter(points, centres, k), lambda: kcenter(points, k, centres=centres), repeats
    )
    shared = len(np.intersect1d(reference.answer, ours.answer))
    show(f"k-center {n} x {d}, m={m}, k={k}", reference, ours, f"{shared} of {k} picks shared")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    scale = 10 if args.quick else 1
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, numpy {np.__version__}; medians of {args.repeats}")
    print(f"{'path':<34}{'plain ms':>11}{'ours ms':>11}{'ratio':>9}{'MB':>9}{'MB':>9}{'spread':>8}")
    run_scores(50_000 // scale, max(args.repeats, 9))
    run_kcenter(50_000 // scale, 512, 1000 // scale, 1000 // scale, args.repeats)


if __name__ == "__main__":
    main()
