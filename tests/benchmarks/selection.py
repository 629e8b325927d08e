"""Selection side by side with plain references: `python -m tests.benchmarks.selection [--quick]`.

Each row runs the reference and the product on the same inputs in one process, in turn, and prints medians of
wall time, the ratio of wall and of processor time, and numpy's peak memory beyond the inputs. On a shared
machine processor time is the fairer one; OMP_NUM_THREADS=1 gives figures for one thread. The references
restate the usual pattern in short.
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

from al_core.query.clustering import kmeans
from al_core.query.geometry import kcenter
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.query.strategies.badge import Gradients, badge
from al_core.query.strategies.max_herding import max_herding
from al_core.query.strategies.prob_cover import prob_cover


@dataclass(frozen=True)
class Measured:
    wall: list[float]
    processor: list[float]
    peak_megabytes: float
    answer: object


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
    times: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for _ in range(repeats):
        for function, series in zip((reference, product), times, strict=True):
            wall, processor = time.perf_counter(), time.process_time()
            function()
            series.append((1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)))
    first, second = (
        Measured([t[0] for t in series], [t[1] for t in series], peak_of(function), answer)
        for function, series, answer in zip((reference, product), times, answers, strict=True)
    )
    return first, second


def show(path: str, reference: Measured, product: Measured, note: str) -> None:
    plain, ours = statistics.median(reference.wall), statistics.median(product.wall)
    processor = statistics.median(reference.processor) / statistics.median(product.processor)
    spread = max(product.wall) / min(product.wall) - 1
    print(
        f"{path:<36}{plain:>10.1f}{ours:>10.1f}{plain / ours:>7.1f}x{processor:>7.1f}x"
        f"{reference.peak_megabytes:>8.0f}{product.peak_megabytes:>8.0f}{spread:>8.0%}  {note}"
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


def plain_badge(probs: np.ndarray, embeddings: np.ndarray, k: int) -> np.ndarray:
    """k-means++ with two matrix-vector products over all images for each pick."""
    errors = probs - np.eye(probs.shape[1], dtype=np.float32)[probs.argmax(axis=1)]
    squares = (errors**2).sum(axis=1) * (embeddings**2).sum(axis=1)
    picks, nearest = [int(squares.argmax())], np.full(len(probs), np.inf, np.float32)
    rng = np.random.default_rng(0)
    while len(picks) < k:
        last = picks[-1]
        products = (errors @ errors[last]) * (embeddings @ embeddings[last])
        np.minimum(nearest, np.maximum(squares + squares[last] - 2 * products, 0), out=nearest)
        nearest[picks] = 0
        chances = np.cumsum(nearest, dtype=np.float64)
        picks.append(int(np.searchsorted(chances, rng.random() * chances[-1], side="right")))
    return np.array(picks)


def potential(picks: np.ndarray, probs: np.ndarray, embeddings: np.ndarray) -> float:
    """What k-means++ keeps small: the sum of squared distances to the nearest pick."""
    gradients, total = Gradients(probs, embeddings), 0.0
    for start in range(0, len(probs), 2048):
        rows = np.arange(start, min(start + 2048, len(probs)))
        total += float(gradients.to(rows, picks).min(axis=1).sum())
    return total


def run_badge(n: int, d: int, k: int, repeats: int) -> None:
    probs, embeddings = np.random.default_rng(0).dirichlet(np.full(10, 0.3), n), clustered(n, d, 0)
    probs = probs.astype(np.float32)
    reference, ours = compare(
        lambda: plain_badge(probs, embeddings, k),
        lambda: badge(probs, embeddings, k=k, rng=np.random.default_rng(0)),
        repeats,
    )
    plain, lazy = (potential(np.asarray(m.answer), probs, embeddings) for m in (reference, ours))
    show(f"BADGE {n} x {d} x 10, k={k}", reference, ours, f"potential {lazy / plain:.3f} of plain")


def run_kmeans(n: int, d: int, k: int, repeats: int) -> None:
    from sklearn.cluster import KMeans

    points = clustered(n, d, 0)
    reference, ours = compare(
        lambda: KMeans(k, n_init=1, random_state=0).fit(points).inertia_,
        lambda: kmeans(points, k, np.random.default_rng(0)).inertia,
        repeats,
    )
    share = float(ours.answer) / float(reference.answer)
    show(f"k-means {n} x {d}, k={k}", reference, ours, f"inertia {share:.3f} of scikit-learn")


def plain_herding(points: np.ndarray, k: int) -> np.ndarray:
    """The whole matrix of similarities, and all gains again for each pick."""
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    similar = np.exp(2 * (unit @ unit.T) - 2)
    covered, picks = np.zeros(len(points), np.float32), []
    for _ in range(k):
        gains = np.maximum(similar - covered, 0).mean(axis=1)
        gains[picks] = -1
        picks.append(int(gains.argmax()))
        np.maximum(covered, similar[picks[-1]], out=covered)
    return np.array(picks)


def plain_cover(points: np.ndarray, k: int, radius: float) -> np.ndarray:
    """The whole matrix of balls, and all counts again for each pick."""
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    near, picks = 2 - 2 * (unit @ unit.T) <= radius**2, []
    for _ in range(k):
        counts = near.sum(axis=1)
        counts[picks] = -1
        picks.append(int(counts.argmax()))
        near[:, near[picks[-1]]] = False
    return np.array(picks)


def run_covers(n: int, d: int, k: int, repeats: int) -> None:
    points, rng = clustered(n, d, 0), np.random.default_rng
    none, radius = points[:0], 0.5
    reference, ours = compare(
        lambda: plain_herding(points, k), lambda: max_herding(points, none, k=k, rng=rng(0)), repeats
    )
    shared = len(np.intersect1d(reference.answer, ours.answer))
    show(f"MaxHerding {n} x {d}, k={k}", reference, ours, f"{shared} of {k} picks shared")
    reference, ours = compare(
        lambda: plain_cover(points, k, radius),
        lambda: prob_cover(points, none, 10, k=k, rng=rng(0), radius=radius),
        repeats,
    )
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    plain, lazy = (
        int((2 - 2 * (unit @ unit[np.asarray(m.answer)].T) <= radius**2).any(axis=1).sum())
        for m in (reference, ours)
    )
    show(f"ProbCover {n} x {d}, k={k}", reference, ours, f"covers {lazy} images, plain {plain}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    scale = 10 if args.quick else 1
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, numpy {np.__version__}; medians of {args.repeats}")
    print(
        f"{'path':<36}{'plain ms':>10}{'ours ms':>10}{'wall':>8}{'cpu':>8}{'MB':>8}{'our MB':>8}{'spread':>8}"
    )
    run_scores(50_000 // scale, max(args.repeats, 9))
    run_kcenter(50_000 // scale, 512, 1000 // scale, 1000 // scale, args.repeats)
    run_badge(50_000 // scale, 512, 1000 // scale, args.repeats)
    run_kmeans(50_000 // scale, 512, 100, args.repeats)
    run_covers(10_000 // scale, 512, 100, args.repeats)


if __name__ == "__main__":
    main()
