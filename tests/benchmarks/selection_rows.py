"""The rows of the selection benchmark: arrays, sides, what is to be reached and how answers are judged."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from al_core.query.clustering import kmeans
from al_core.query.geometry import kcenter, unit_rows
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.query.strategies.badge import badge
from al_core.query.strategies.prob_cover import Balls
from al_core.query.strategies.typiclust import typicality
from tests.benchmarks import selection_peers as peers
from tests.benchmarks.measuring import embedding_like, softmax_like

Arrays = dict[str, Any]
Aims = list[tuple[str, bool]]


@dataclass(frozen=True)
class Side:
    """One way to do it; a slow one runs at most so often, and one of a library only where that is."""

    name: str
    run: Callable[[Arrays], object]
    needs: str = ""
    at_most: int = 0
    with_memory: bool = True

    def available(self) -> bool:
        return not self.needs or importlib.util.find_spec(self.needs) is not None


@dataclass(frozen=True)
class Goal:
    """So many times as fast as the fastest of these."""

    times: float
    against: tuple[str, ...]


def no_aims(_: dict[str, object]) -> Aims:
    return []


def no_notes(_: Arrays, __: dict[str, object]) -> list[str]:
    return []


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    arrays: Callable[[], Arrays]
    small: Callable[[], Arrays]
    sides: tuple[Side, ...]
    goals: tuple[Goal, ...] = ()
    megabytes: int = 0
    quality: Callable[[dict[str, object]], Aims] = no_aims
    check: Callable[[Arrays, dict[str, object]], list[str]] = no_notes


def same_set(answers: dict[str, object], others: tuple[str, ...]) -> Aims:
    ours = set(np.asarray(answers["ours"]).tolist())
    return [
        (f"same picks as {name}: {len(ours & set(np.asarray(answers[name]).tolist()))} of {len(ours)}",
         ours == set(np.asarray(answers[name]).tolist()))
        for name in others if name in answers
    ]  # fmt: skip


def tight(answers: dict[str, object]) -> Aims:
    """Inertia within 1 % of the best."""
    inertias = {name: float(np.float64(answer)) for name, answer in answers.items()}  # type: ignore[arg-type]
    best = min(inertias, key=lambda name: inertias[name])
    share = inertias["ours"] / inertias[best]
    others = ", ".join(f"{name} {inertia / inertias[best]:.4f}" for name, inertia in inertias.items())
    return [(f"inertia within 1 % of the best ({best}): {share:.4f} (of the best: {others})", share <= 1.01)]


def clouds(n: int, d: int, m: int) -> Arrays:
    both = embedding_like(n + m, d, 0)
    return {"points": both[:n], "centres": both[n:]}


def predictions(n: int, d: int) -> Arrays:
    return {"points": embedding_like(n, d, 0), "probs": softmax_like(n, 10, 1)}


def kcenter_row(name: str, n: int, d: int, k: int, large: bool) -> Row:
    def of(function: Callable[..., np.ndarray]) -> Callable[[Arrays], np.ndarray]:
        return lambda a: function(a["points"], a["centres"], a["k"])

    def ours(a: Arrays) -> np.ndarray:
        return kcenter(a["points"], a["k"], centres=a["centres"])

    loops = ("badge-repo's loop", "scikit-activeml", "DISTIL's loop")
    return Row(
        name, f"k-center, {n:,} x {d}, {k} labeled, {k} picks",
        lambda: clouds(n, d, k) | {"k": k}, lambda: clouds(3000, d, 50) | {"k": 20},
        (
            Side("ours", ours),
            Side("plain incremental", of(peers.plain_kcenter), "", 1, False),
            Side("badge-repo's loop", of(peers.argmin_kcenter), "sklearn", 1, False),
            Side("scikit-activeml", of(peers.activeml_kcenter), "skactiveml", 1),
            Side("DISTIL's loop", of(peers.cdist_kcenter), "torch", 1, False),
        )[: 3 if large else 5],
        (Goal(35, loops),) if large else (Goal(18, loops), Goal(4, ("plain incremental",))),
        0 if large else 150,
        lambda answers: same_set(answers, ("plain incremental",)),
    )  # fmt: skip


def badge_row(n: int, d: int, k: int) -> Row:
    def of(function: Callable[..., np.ndarray]) -> Callable[[Arrays], np.ndarray]:
        return lambda a: function(a["probs"], a["points"], a["k"])

    def ours(a: Arrays, seed: int = 0) -> np.ndarray:
        return badge(a["probs"], a["points"], k=a["k"], rng=np.random.default_rng(seed))

    def check(full: Arrays, _: dict[str, object]) -> list[str]:
        a = full | {name: full[name][:10_000] for name in ("probs", "points")}
        mine = [peers.potential(ours(a, seed), a["probs"], a["points"]) for seed in range(10)]
        plain = [
            peers.potential(peers.plain_badge(a["probs"], a["points"], a["k"], seed), a["probs"], a["points"])
            for seed in range(10)
        ]
        share = float(np.mean(mine) / np.mean(plain))
        word = "reached" if abs(share - 1) <= 0.02 else "NOT REACHED"
        spread = f"{np.std(mine) / np.mean(mine):.3f} and {np.std(plain) / np.mean(plain):.3f} of it"
        means = f"mean potential of 10,000 images over 10 seeds {share:.4f} of plain's"
        return [f"{word}: {means} (deviations {spread})"]

    return Row(
        "badge", f"BADGE, {n:,} x {d}, 10 classes, {k} picks",
        lambda: predictions(n, d) | {"k": k}, lambda: predictions(3000, d) | {"k": 20},
        (
            Side("ours", ours),
            Side("plain factorised", of(peers.plain_badge), at_most=2),
            Side("badge-repo's factorised loop", of(peers.discrete_badge), "scipy", 1, False),
            Side(
                "scikit-activeml's way, k / 50 picks",
                lambda a: peers.materialised_badge(a["probs"], a["points"], max(2, a["k"] // 50)),
                "sklearn", 1, False,
            ),
        ),
        (Goal(12, ("plain factorised", "badge-repo's factorised loop")),), 200, check=check,
    )  # fmt: skip


def kmeans_row(n: int, d: int, k: int) -> Row:
    def ours(a: Arrays) -> float:
        return kmeans(a["points"], a["k"], np.random.default_rng(0)).inertia

    def of(function: Callable[..., float]) -> Callable[[Arrays], float]:
        return lambda a: function(a["points"], a["k"])

    names = ("scikit-learn MiniBatch", "faiss", "scikit-learn KMeans")
    return Row(
        f"kmeans-{k}", f"k-means, {n:,} x {d}, k = {k}",
        lambda: predictions(n, d) | {"k": k}, lambda: predictions(3000, d) | {"k": 20},
        (
            Side("ours", ours),
            Side("scikit-learn MiniBatch", of(peers.minibatch_kmeans), "sklearn", with_memory=False),
            Side("faiss", of(peers.faiss_kmeans), "faiss", 3 if k < 1000 else 1, False),
            Side("scikit-learn KMeans", of(peers.sklearn_kmeans), "sklearn", 1, False),
        ),
        (Goal(1, names),), quality=tight,
    )  # fmt: skip


def typiclust_row(n: int, d: int, k: int) -> Row:
    def arrays(n: int, k: int) -> Arrays:
        points = unit_rows(embedding_like(n, d, 0))
        members = kmeans(points, k, np.random.default_rng(0)).members
        return {"points": points, "own": [np.flatnonzero(members == c) for c in np.unique(members)]}

    def ours(a: Arrays) -> list[int]:
        return [int(own[typicality(a["points"][own], 20).argmax()]) for own in a["own"]]

    return Row(
        "typiclust", f"TypiClust, {n:,} x {d}, {k} picks from the same clusters",
        lambda: arrays(n, k), lambda: arrays(2000, 10),
        (
            Side("ours", ours),
            Side("scikit-activeml",
                 lambda a: peers.activeml_typicality(a["points"], a["own"], 20), "skactiveml"),
        ),
        (Goal(1, ("scikit-activeml",)),),
        quality=lambda answers: same_set(answers, ("scikit-activeml",)),
    )  # fmt: skip


def prob_cover_row(n: int, d: int, k: int) -> Row:
    def arrays(n: int, radius: float) -> Arrays:
        points = unit_rows(embedding_like(n, d, 0))
        return {"graph": Balls.of(points, np.arange(n), radius), "k": min(k, n // 20)}

    def loop(a: Arrays) -> np.ndarray:
        return peers.edges_cover(a["graph"].starts, a["graph"].inside, a["graph"].num_targets, a["k"])

    def check(a: Arrays, _: dict[str, object]) -> list[str]:
        return [f"{len(a['graph'].inside):,} edges; time is that of {a['k']} picks from the same graph"]

    return Row(
        "prob-cover", f"ProbCover, {n:,} images, {k} picks from the same graph",
        lambda: arrays(n, 0.98), lambda: arrays(1000, 0.98),
        (
            Side("ours", lambda a: a["graph"].cover(a["k"]), with_memory=False),
            Side("ProbCover's loop", loop, "", 1, False),
        ),
        (Goal(15, ("ProbCover's loop",)),),
        quality=lambda answers: same_set(answers, ("ProbCover's loop",)), check=check,
    )  # fmt: skip


def score_row(name: str, n: int) -> Row:
    found = STRATEGIES.get(name)

    def ours(a: Arrays) -> np.ndarray:
        draw = np.random.default_rng(0)
        evidence = {"probs": a["probs"]}
        return select(found, evidence, num_candidates=len(a["probs"]), k=a["k"], rng=draw).positions

    def arrays(n: int) -> Arrays:
        return {"probs": softmax_like(n, 10, 1), "k": n // 50}

    return Row(
        name.replace("_", "-"), f"{found.title}, {n:,} x 10, {n // 50} picks, with all checks",
        lambda: arrays(n), lambda: arrays(1000),
        (
            Side("ours", ours, with_memory=False),
            Side("seed 1", lambda a: peers.seed_scores(name, a["probs"], a["k"]), "torch", with_memory=False),
        ),
        (Goal(2, ("seed 1",)),),
        quality=lambda answers: same_set(answers, ("seed 1",)),
    )  # fmt: skip


_MAKERS: dict[str, Callable[[int], Row]] = {
    "k-center": lambda s: kcenter_row("k-center", 50_000 // s, 512, 1000 // s, False),
    "k-center-million": lambda s: kcenter_row("k-center-million", 1_000_000 // s, 128, 1000 // s, True),
    "badge": lambda s: badge_row(50_000 // s, 512, 1000 // s),
    "kmeans-100": lambda s: kmeans_row(50_000 // s, 512, 100),
    "kmeans-1000": lambda s: kmeans_row(50_000 // s, 512, 1000),
    "typiclust": lambda s: typiclust_row(50_000 // s, 512, 100),
    "prob-cover": lambda s: prob_cover_row(20_000 // s, 512, 100),
    **{name.replace("_", "-"): partial(lambda s, name: score_row(name, 50_000 // s), name=name)
       for name in ("entropy", "margin", "least_confidence")},
}  # fmt: skip
ROWS = tuple(_MAKERS)


def rows_of(quick: bool) -> dict[str, Row]:
    """All rows, a tenth of the size if quick."""
    return {name: make(10 if quick else 1) for name, make in _MAKERS.items()}
