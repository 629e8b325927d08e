"""TypiClust on clusters whose answer is plain to see."""

import numpy as np
import pytest

from al_core.query.strategies import STRATEGIES
from al_core.query.strategies.typiclust import typicality, typiclust


def directions(sizes, spread=0.05, d=16, seed=0):
    """Clusters around directions, as unit features are; returns points and the cluster of each."""
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(d, d)))[0][: len(sizes)]
    which = np.repeat(np.arange(len(sizes)), sizes)
    return (centres[which] + spread * rng.normal(size=(len(which), d))).astype(np.float32), which


def ask(features, labeled, k, seed=0, **options):
    return typiclust(features, labeled, k=k, rng=np.random.default_rng(seed), **options)


def test_without_labels_every_cluster_is_asked_once():
    features, which = directions([40] * 6)
    covered = [len(set(which[ask(features, features[:0], 6, seed)])) for seed in range(10)]
    assert np.mean(covered) >= 5  # k-means finds five or six of the six


def test_clusters_that_have_labels_come_after_those_that_have_none():
    features, which = directions([60, 50, 40, 30], seed=1)
    labeled, classes = directions([60, 50, 40, 30], seed=1)
    known = labeled[np.isin(classes, [0, 1])][::20]
    for seed in range(5):
        picks = ask(features, known, 1, seed, max_clusters=4)
        assert (~np.isin(which[picks], [0, 1])).all()


def test_the_densest_image_is_the_most_typical():
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.normal(size=(200, 3)), 0.1 * rng.normal(size=(30, 3))])
    assert typicality(points, 20).argmax() >= 200
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    expected = 1 / (np.sort(distances, axis=1)[:, 1:21].mean(axis=1) + 1e-5)
    np.testing.assert_allclose(typicality(points, 20), expected, rtol=1e-4)


@pytest.mark.parametrize("num", [1, 2, 3])
def test_typicality_of_a_handful_is_finite(num):
    assert np.isfinite(typicality(np.ones((num, 4)), 20)).all()


def test_clusters_too_small_to_be_typical_of_anything_come_last():
    features, which = directions([50, 50, 3], spread=0.02, seed=3)
    for seed in range(5):
        assert 2 not in which[ask(features, features[:0], 3, seed)][:2]
        assert sorted(ask(features, features[:0], 103, seed)) == list(range(103))


def test_more_images_than_clusters_take_turns():
    features, which = directions([30, 30], seed=4)
    picks = ask(features, features[:0], 10, max_clusters=2)
    assert np.bincount(which[picks]).tolist() == [5, 5]
    assert which[picks[0]] != which[picks[1]]


def test_it_serves_a_cold_start():
    assert STRATEGIES.get("TypiClust").cold_start_able
