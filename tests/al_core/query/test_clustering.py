"""k-means++ by rejection has the law of k-means++, and k-means is as good as scikit-learn's."""

import itertools
import tracemalloc

import numpy as np
import pytest
from scipy.stats import chisquare
from sklearn.cluster import KMeans

from al_core.query import clustering
from al_core.query.clustering import Rigid, kmeans, kmeans_query, spread_sample
from al_core.query.geometry import Cloud


def space(points):
    return Rigid(Cloud(np.asarray(points, np.float32)))


def blobs(num_blobs, each, d=5, seed=0):
    rng = np.random.default_rng(seed)
    centres = 20 * rng.normal(size=(num_blobs, d))
    return (np.repeat(centres, each, axis=0) + rng.normal(size=(num_blobs * each, d))).astype(np.float32)


def law(points, k):
    """The chance of each ordered k-means++ draw, by enumeration."""
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    chances = {}
    for draw in itertools.permutations(range(len(points)), k):
        chance = 1 / len(points)
        for place in range(1, k):
            nearest = squares[list(draw[:place])].min(axis=0)
            chance *= nearest[draw[place]] / nearest.sum()
        chances[draw] = chance
    return chances


@pytest.mark.parametrize(
    "pending", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(256, marks=pytest.mark.slow)]
)
def test_spread_sampling_has_the_law_of_k_means_plus_plus(monkeypatch, pending):
    monkeypatch.setattr(clustering, "_PROPOSALS", pending)
    points = np.array([[0, 0], [1, 0], [0, 2], [4, 1], [5, 5], [1, 3]], np.float64)
    expected, where, rng = law(points, 3), space(points), np.random.default_rng(7)
    counts = dict.fromkeys(expected, 0)
    for _ in range(12_000):
        counts[tuple(spread_sample(where, 3, rng).tolist())] += 1
    result = chisquare(list(counts.values()), 12_000 * np.array(list(expected.values())))
    assert result.pvalue > 1e-3


def test_spread_sampling_stays_as_good_when_old_distances_are_used_for_long(monkeypatch):
    points = blobs(40, 30)

    def potential(pending, seed):
        monkeypatch.setattr(clustering, "_PROPOSALS", pending)
        picks = spread_sample(space(points), 40, np.random.default_rng(seed))
        return ((points[:, None] - points[picks][None]) ** 2).sum(axis=2).min(axis=1).sum()

    lazy, eager = ([potential(pending, seed) for seed in range(30)] for pending in (256, 1))
    assert np.median(lazy) == pytest.approx(np.median(eager), rel=0.35)


def test_spread_sampling_takes_no_copy_while_something_different_is_left():
    points = np.repeat(blobs(12, 1), 9, axis=0)
    for seed in range(20):
        picks = spread_sample(space(points), 12, np.random.default_rng(seed))
        assert sorted(picks // 9) == list(range(12))
    assert sorted(spread_sample(space(points), 108, np.random.default_rng(0))) == list(range(108))


def test_the_first_can_be_given_and_the_edges_hold():
    where = space(blobs(3, 5))
    assert spread_sample(where, 4, np.random.default_rng(0), first=7)[0] == 7
    assert len(spread_sample(where, 0, np.random.default_rng(0))) == 0
    assert sorted(spread_sample(where, 99, np.random.default_rng(0))) == list(range(15))


@pytest.mark.parametrize(("n", "d", "k"), [(2000, 8, 10), (3000, 16, 60)])
def test_kmeans_is_as_tight_as_scikit_learns(n, d, k):
    rng = np.random.default_rng(1)
    points = (rng.normal(size=(25, d))[rng.integers(25, size=n)] * 3 + rng.normal(size=(n, d))).astype(
        np.float32
    )
    ours = [kmeans(points, k, np.random.default_rng(seed)).inertia for seed in range(5)]
    theirs = [KMeans(k, n_init=1, random_state=seed).fit(points).inertia_ for seed in range(5)]
    assert np.median(ours) <= 1.05 * np.median(theirs)


def test_kmeans_finds_clear_clusters_and_their_means():
    points = blobs(6, 50, seed=4)
    found = min((kmeans(points, 6, np.random.default_rng(s)) for s in range(8)), key=lambda f: f.inertia)
    for blob in range(6):
        (own,) = set(found.members[blob * 50 : blob * 50 + 50].tolist())
        np.testing.assert_allclose(
            found.centres[own], points[blob * 50 : blob * 50 + 50].mean(axis=0), atol=1e-3
        )
    direct = ((points - found.centres[found.members]) ** 2).sum(axis=1)
    np.testing.assert_allclose(found.distances, direct, rtol=1e-2, atol=1e-2)


def test_a_query_asks_for_the_member_nearest_to_each_centre_largest_cluster_first():
    points = np.concatenate([blobs(1, 60, seed=1), blobs(1, 30, seed=2), blobs(1, 10, seed=3)])
    picks = min(
        (kmeans_query(points, 3, np.random.default_rng(s)) for s in range(5)),
        key=lambda picks: ((points[:, None] - points[picks][None]) ** 2).sum(axis=2).min(axis=1).sum(),
    )
    assert [0 if p < 60 else 1 if p < 90 else 2 for p in picks] == [0, 1, 2]
    for pick, rows in zip(picks, (slice(0, 60), slice(60, 90), slice(90, 100)), strict=True):
        own = points[rows]
        assert rows.start + np.linalg.norm(own - own.mean(axis=0), axis=1).argmin() == pick


@pytest.mark.parametrize("k", [1, 4, 5, 6, 17, 40])
def test_a_query_gives_k_different_images_even_of_copies(k):
    """Seed 2's k-means lost images to empty clusters and asked for one image twice."""
    points = np.repeat(blobs(5, 1), 8, axis=0)
    picks = kmeans_query(points, k, np.random.default_rng(k))
    assert len(set(picks.tolist())) == k
    assert len(set((picks // 8).tolist())) == min(k, 5)


def test_memory_stays_near_that_of_the_points():
    points = blobs(50, 400, d=32)
    tracemalloc.start()
    kmeans(points, 200, np.random.default_rng(0), max_iterations=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6


def test_kmeans_repeats_itself():
    points = blobs(10, 30)
    first, second = (kmeans_query(points, 10, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
