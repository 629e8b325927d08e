"""Hierarchical k-means: even shares by hand, k to the letter, balance where one group is most of the pool."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.query.strategies.hierarchical_kmeans import dealt, even, hierarchical_kmeans, levels, nearest
from al_core.query.strategies.kmeans import kmeans


def rng(seed=0):
    return np.random.default_rng(seed)


def test_even_shares_by_hand():
    assert even(np.array([10, 10, 10]), np.array([0, 0, 0]), 6, rng()).tolist() == [2, 2, 2]
    assert even(np.array([1, 10, 10]), np.array([0, 0, 0]), 9, rng()).tolist() == [1, 4, 4]
    assert even(np.array([10, 10, 10]), np.array([5, 1, 0]), 5, rng()).tolist() == [0, 2, 3]
    assert even(np.array([2, 1]), np.array([0, 0]), 99, rng()).tolist() == [2, 1]
    assert sorted(even(np.array([9, 9, 9]), np.array([0, 0, 0]), 4, rng()).tolist()) == [1, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12), st.integers(0, 60))
def test_even_shares_give_all_that_there_is_and_never_help_the_richer(clusters, k):
    sizes, served = np.array(clusters).T
    given_ = even(sizes, served, k, rng())
    assert given_.sum() == min(k, sizes.sum())
    assert (given_ <= sizes).all()
    assert (given_ >= 0).all()
    totals = served + given_
    for i in np.flatnonzero(given_):  # nobody who could still give is two behind one who gave
        behind = (given_ < sizes) & (totals < totals[i] - 1)
        assert not behind.any()


def test_shares_are_even_at_every_level():
    parents = [np.array([0, 0, 0, 1])]
    # two halves get four each, however many clusters they have
    assert dealt(parents, np.array([9, 9, 9, 9]), np.zeros(4, np.int64), 8, rng()).tolist()[3] == 4
    assert sum(dealt(parents, np.array([9, 9, 9, 2]), np.zeros(4, np.int64), 8, rng()).tolist()[:3]) == 6


def test_the_levels_shrink_to_a_few():
    above = levels(rng().normal(size=(200, 5)).astype(np.float32), rng())
    assert len(above[0]) == 200
    assert above[0].max() + 1 <= 15
    assert above[-1].max() + 1 <= 15


def test_nearest_is_the_brute_force():
    points, centres = rng(1).normal(size=(500, 7)) + 100, rng(2).normal(size=(20, 7)) + 100
    squares = ((points[:, None] - centres) ** 2).sum(2)
    members, distances = nearest(points.astype(np.float32), centres.astype(np.float32))
    assert (members == squares.argmin(1)).mean() > 0.99
    np.testing.assert_allclose(distances, squares.min(1), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("k", [1, 2, 9, 40, 119, 120])
def test_k_is_honoured_to_the_letter(k):
    features = np.repeat(rng(3).normal(size=(30, 4)), 4, axis=0).astype(np.float32)
    picks = hierarchical_kmeans(features, features[:2], k=k, rng=rng())
    assert len(set(picks.tolist())) == len(picks) == k


def test_a_small_group_gets_more_than_its_share():
    """970 images of one kind and 30 of another, far away: k-means follows the numbers, the levels do not."""
    large, small = rng(4).normal(size=(970, 8)), rng(5).normal(size=(30, 8)) + 30
    features = np.concatenate([large, small]).astype(np.float32)
    none = np.empty((0, 8), np.float32)
    hierarchical = [hierarchical_kmeans(features, none, k=40, rng=rng(seed)) >= 970 for seed in range(6)]
    plain = [kmeans(features, k=40, rng=rng(seed)) >= 970 for seed in range(6)]
    assert np.sum(hierarchical) >= 1.7 * np.sum(plain)


def test_what_is_labeled_counts_as_served():
    groups = (10 * np.eye(4, 6)[np.repeat(np.arange(4), 50)]).astype(np.float32)
    features = groups + rng(6).normal(size=(200, 6)).astype(np.float32)
    picks = hierarchical_kmeans(features, features[:30], k=4, rng=rng())
    assert set((picks // 50).tolist()) <= {1, 2, 3}


def test_centres_may_come_from_a_sample():
    features = rng(7).normal(size=(3000, 5)).astype(np.float32)
    picks = hierarchical_kmeans(features, features[:3], k=50, rng=rng(), sample=200)
    assert len(set(picks.tolist())) == 50
