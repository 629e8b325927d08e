"""DropQuery and Cluster-Margin against the same rule written by others, by brute force, and by hand."""

from itertools import product

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from al_core.query.geometry import unit_rows
from al_core.query.strategies.cluster_margin import cluster_margin, linked
from al_core.query.strategies.drop_query import drop_query
from al_core.query.strategies.margin import margin


def passes_of(flips, num_passes):
    """Dropout passes in which image i predicts class 1 as often as `flips` says, and class 0 otherwise."""
    late = np.arange(num_passes)[:, None] < flips
    return np.stack([np.where(late, 0.2, 0.8), np.where(late, 0.8, 0.2)], axis=2)


def certain(n):
    return np.tile([0.8, 0.2], (n, 1))


def arms(k, per_arm, rng, num_features=5):
    """Points about k directions, in mixed order, and whose arm each is."""
    which = rng.permutation(np.repeat(np.arange(k), per_arm))
    return np.eye(num_features)[which] + 0.1 * rng.normal(size=(k * per_arm, num_features)), which


# --- DropQuery


def test_drop_query_by_hand():
    """Angles of 0, 10, 20 and 90, 100, 110 degrees flip in 3 of 4 passes: either middle is asked for.

    What flips in 2 of 4 is left out, though 45 degrees would be the middle of all; and so is what never does.
    """
    degrees = np.deg2rad([0, 10, 20, 90, 100, 110, 45, 46, 10, 100])
    flips = np.array([3, 3, 3, 3, 3, 3, 2, 2, 0, 0])
    embeddings = np.stack([np.cos(degrees), np.sin(degrees)], axis=1) * np.arange(1, 11)[:, None]
    for seed in range(10):
        picks = drop_query(
            certain(10), passes_of(flips, 4), embeddings, k=2, rng=np.random.default_rng(seed), reserve=3
        )
        assert sorted(picks) == [1, 4]
        assert picks.values.tolist() == [0.75, 0.75]


@pytest.mark.parametrize("num_passes", [3, 4, 9])
@pytest.mark.parametrize("seed", range(4))
def test_drop_query_asks_what_scikit_activemls_does(seed, num_passes):
    """It clusters the flipping images alone, as ours does where that many are held in reserve."""
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is not installed")
    from skactiveml.base import SkactivemlClassifier

    rng = np.random.default_rng(seed)
    points, _ = arms(4, 15, rng)
    embeddings = unit_rows(points)
    flips = rng.integers(0, num_passes + 1, len(points))
    mc_probs, answers = passes_of(flips, num_passes), []

    class Known(SkactivemlClassifier):
        def fit(self, X, y, sample_weight=None):
            return self

        def predict_proba(self, X):
            raise NotImplementedError

        def predict(self, X):
            answers.append(len(answers))
            return np.zeros(len(X)) if answers == [0] else mc_probs[len(answers) - 2].argmax(axis=1)

    theirs = pool.DropQuery(
        n_dropout_samples=num_passes, random_state=seed,
        cluster_algo_dict={"n_init": 10, "random_state": seed},
    ).query(embeddings, np.full(len(points), np.nan), Known(), fit_clf=False, batch_size=4)  # fmt: skip
    assert len(answers) == num_passes + 1
    ours = drop_query(certain(len(points)), mc_probs, points, k=4, rng=np.random.default_rng(seed), reserve=1)
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("seed", range(6))
def test_drop_query_finds_the_best_two_clusters_of_all_there_are(seed):
    """Ten flipping images: each of the 511 ways to part them in two is tried."""
    rng = np.random.default_rng(seed)
    points, _ = arms(2, 9, rng, num_features=3)
    flips = np.where(np.arange(18) < 10, 5, 1)
    found = [parted(unit_rows(points)[:10], (0, *rest)) for rest in product((0, 1), repeat=9) if any(rest)]
    expected = min(found)[1]
    picks = drop_query(certain(18), passes_of(flips, 6), points, k=2, rng=np.random.default_rng(0), reserve=5)
    assert sorted(picks) == expected


def parted(points, sides):
    """Sum of squares of two clusters, and whoever is nearest to the mean of either."""
    spread, nearest, sides = 0.0, [], np.array(sides)
    for side in (0, 1):
        members = np.flatnonzero(sides == side)
        squares = ((points[members] - points[members].mean(axis=0)) ** 2).sum(axis=1)
        spread += squares.sum()
        nearest.append(int(members[squares.argmin()]))
    return spread, sorted(nearest)


# --- Cluster-Margin


@pytest.mark.parametrize("seed", range(6))
def test_linkage_makes_the_clusters_that_scipys_makes(seed):
    rng = np.random.default_rng(seed)
    points = unit_rows(rng.normal(size=(80, 4)))
    theirs = fcluster(linkage(points, "average"), 9, "maxclust")
    ours = linked(points, 9, rng)
    same = theirs[:, None] == theirs
    np.testing.assert_array_equal(ours[:, None] == ours, same)


@pytest.mark.parametrize("seed", range(8))
def test_cluster_margin_is_the_papers_two_algorithms(seed):
    """The reserve by sorting, scipy's average linkage, and one image after another from the clusters in turn.

    Which image of a cluster, and which of two clusters of one size, is chance; all else is not.
    """
    rng, k, reserve, size = np.random.default_rng(seed), 17, 4.0, 8.0
    points, probs = rng.normal(size=(150, 4)), rng.dirichlet(np.ones(5), 150)
    picks = cluster_margin(
        probs, points, k=k, rng=np.random.default_rng(seed), reserve=reserve, cluster_size=size
    )
    ordered = np.sort(probs, axis=1)
    held = np.argsort(ordered[:, -1] - ordered[:, -2], kind="stable")[: round(reserve * k)]
    tree = linkage(points[held] / np.linalg.norm(points[held], axis=1, keepdims=True), "average")
    cluster_of = dict(zip(held.tolist(), fcluster(tree, round(len(held) / size), "maxclust"), strict=True))
    full = {c: list(cluster_of.values()).count(c) for c in set(cluster_of.values())}
    left, waiting = dict(full), set()
    assert len(set(picks.tolist())) == k
    for pick in picks.tolist():
        assert pick in cluster_of, "not among the smallest margins"
        waiting = waiting or {c for c in left if left[c]}
        here = cluster_of[pick]
        assert here in waiting, "its cluster had its turn"
        assert full[here] == min(full[c] for c in waiting), "a smaller cluster waits"
        waiting.remove(here)
        left[here] -= 1
    np.testing.assert_allclose(picks.values, margin(probs)[picks])


def test_cluster_margin_by_hand():
    """Seven small margins in clusters of one, two and four; four asked: one, one, one, and one of the two."""
    points = np.repeat(np.eye(3), [1, 2, 4], axis=0)
    points = np.concatenate([points, np.eye(3)[:1].repeat(3, axis=0)])  # nearer to the one, but certain
    tops = np.array([0.52, 0.53, 0.50, 0.54, 0.51, 0.55, 0.56, 0.9, 0.95, 0.99])
    probs = np.stack([tops, 1 - tops], axis=1)
    seen = set()
    for seed in range(30):
        picks = cluster_margin(
            probs, points, k=4, rng=np.random.default_rng(seed), reserve=1.75, cluster_size=7 / 3
        )
        assert picks[0] == 0
        assert picks[1] in (1, 2)
        assert picks[2] in (3, 4, 5, 6)
        assert {picks[1], picks[3]} == {1, 2}
        seen.add(tuple(picks.tolist()))
    assert len(seen) > 4  # chance within clusters
