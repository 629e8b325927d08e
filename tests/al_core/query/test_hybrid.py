"""FALCUN, DropQuery and Cluster-Margin against their definitions."""

import numpy as np
import pytest

from al_core.query.strategies.cluster_margin import cluster_margin, in_turn, linked
from al_core.query.strategies.drop_query import drop_query, unstable
from al_core.query.strategies.falcun import falcun
from al_core.query.strategies.margin import margin


def rows(n, num_classes=4, seed=0, concentration=0.5):
    return np.random.default_rng(seed).dirichlet(np.full(num_classes, concentration), n)


def second_chances(probs, gamma):
    """Chances of the second pick after each first one, written out from the paper."""
    uncertain = margin(probs)
    chances = np.zeros((len(probs), len(probs)))
    for first in range(len(probs)):
        distances = np.minimum(uncertain, np.abs(probs - probs[first]).sum(axis=1))
        distances = (distances - distances.min()) / np.ptp(distances)
        relevance = (uncertain + distances) ** gamma
        relevance[first] = 0
        chances[first] = relevance / relevance.sum()
    return chances


def test_falcun_draws_by_uncertainty_and_then_by_distance():
    probs = rows(6)
    first = (2 * margin(probs)) ** 3
    first /= first.sum()
    seen = np.zeros((6, 6))
    for seed in range(5000):
        one, two = falcun(probs, k=2, rng=np.random.default_rng(seed), gamma=3.0)
        seen[one, two] += 1
    np.testing.assert_allclose(seen / 5000, first[:, None] * second_chances(probs, 3.0), atol=0.025)


def test_falcun_has_the_chances_of_scikit_activeml():
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is not installed")
    from skactiveml.base import SkactivemlClassifier

    probs = rows(12, seed=4)

    class Known(SkactivemlClassifier):
        def fit(self, X, y, sample_weight=None):
            return self

        def predict_proba(self, X):
            return probs[X[:, 0].astype(int)]

    x, y = np.arange(12.0)[:, None], np.full(12, np.nan)
    for seed in range(5):
        picks, theirs = pool.Falcun(random_state=seed).query(
            x, y, Known(), fit_clf=False, batch_size=2, return_utilities=True
        )
        free = np.arange(12) != picks[0]
        np.testing.assert_allclose(second_chances(probs, 10)[picks[0]][free], theirs[1][free], rtol=1e-6)


def test_a_large_gamma_picks_the_most_uncertain_first():
    probs = rows(200, seed=1)
    for seed in range(5):
        pick = falcun(probs, k=1, rng=np.random.default_rng(seed), gamma=100.0)[0]
        assert margin(probs)[pick] > 0.85


def test_images_that_flip_in_most_passes_come_before_those_that_flip_in_some():
    flips = np.array([0, 3, 10, 11, 6, 20, 0])
    assert unstable(flips, 20, 1).tolist() == [3, 5]
    assert unstable(flips, 20, 4).tolist() == [2, 3, 4, 5]
    assert unstable(flips, 20, 50).tolist() == [1, 2, 3, 4, 5]
    assert unstable(np.array([2, 1, 3]), 3, 1).tolist() == [0, 2]


def drop_evidence(n=120, flipping=30, num_passes=8):
    rng = np.random.default_rng(0)
    probs = np.tile([0.7, 0.2, 0.1], (n, 1))
    mc_probs = np.tile(probs, (num_passes, 1, 1))
    mc_probs[: num_passes - 1, :flipping] = [0.2, 0.7, 0.1]
    centres = np.eye(6)[rng.integers(3, size=n)]
    return probs, mc_probs, centres + 0.02 * rng.normal(size=(n, 6)), centres.argmax(axis=1)


def test_drop_query_asks_one_of_each_cluster_of_what_flips():
    probs, mc_probs, embeddings, which = drop_evidence()
    for seed in range(5):
        picks = drop_query(probs, mc_probs, embeddings, k=3, rng=np.random.default_rng(seed), reserve=10)
        assert (picks < 30).all()
        assert len(set(which[picks])) >= 2


def test_where_too_few_flip_chance_fills_up():
    probs, mc_probs, embeddings, _ = drop_evidence(flipping=4)
    picks = drop_query(probs, mc_probs, embeddings, k=20, rng=np.random.default_rng(0))
    assert set(picks[:4]) == {0, 1, 2, 3}
    assert len(set(picks.tolist())) == 20


def test_clusters_take_turns_the_smallest_first():
    clusters = np.array([2, 0, 0, 2, 1, 0, 2, 2])
    for seed in range(5):
        picks = in_turn(clusters, 8, np.random.default_rng(seed))
        assert clusters[picks].tolist() == [1, 0, 2, 0, 2, 0, 2, 2]
        assert sorted(picks) == list(range(8))
    assert len({tuple(in_turn(clusters, 3, np.random.default_rng(s))) for s in range(10)}) > 3


def test_cluster_margin_spreads_small_margins_over_clusters():
    """Ten clusters of forty copies: margin sampling would take all its images from the first."""
    rng = np.random.default_rng(0)
    which = np.repeat(np.arange(10), 40)
    embeddings = np.eye(10)[which] + 0.01 * rng.normal(size=(400, 10))
    tops = 0.5 + 0.01 * which + 0.001 * rng.random(400)
    probs = np.stack([tops, 1 - tops], axis=1)
    assert set(which[np.argsort(-margin(probs))[:10]]) == {0}
    picks = cluster_margin(
        probs, embeddings, k=10, rng=np.random.default_rng(0), reserve=40.0, cluster_size=40.0
    )
    assert sorted(which[picks]) == list(range(10))


def test_more_images_than_linkage_can_hold_are_brought_together_first():
    rng = np.random.default_rng(0)
    which = rng.integers(5, size=2500)
    points = (np.eye(5)[which] + 0.02 * rng.normal(size=(2500, 5))).astype(np.float32)
    clusters = linked(points, 5, rng)
    assert len(np.unique(clusters)) == 5
    assert all(len(np.unique(which[clusters == c])) == 1 for c in range(5))
