"""The same arrays to scikit-activeml: same picks where nothing is drawn, same objective where something is.

MaxHerding, ProbCover and FALCUN are compared in their own tests. Its Badge draws from another stream
of random numbers, so that the law is compared. Its DropQuery drops inputs of a classifier of its own; ours
is compared with its rule written out (test_hybrid).
"""

import itertools
import warnings

import numpy as np
import pytest
from scipy.stats import chisquare

from al_core.query.geometry import farthest_first, kcenter, unit_rows
from al_core.query.strategies.badge import Gradients, badge
from al_core.query.strategies.bald import bald
from al_core.query.strategies.batch_bald import batch_bald
from al_core.query.strategies.entropy import entropy
from al_core.query.strategies.least_confidence import least_confidence
from al_core.query.strategies.margin import margin
from al_core.query.strategies.qbc_kl import qbc_kl
from al_core.query.strategies.qbc_variation_ratio import qbc_variation_ratio
from al_core.query.strategies.typiclust import typicality

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is not installed")


def softmax(shape, seed=0, scale=2.0):
    logits = scale * np.random.default_rng(seed).normal(size=shape)
    probs = np.exp(logits)
    return probs / probs.sum(axis=-1, keepdims=True)


def clusters(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return (4 * rng.normal(size=(6, d))[rng.integers(6, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize("num_classes", [2, 10, 40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_uncertainties_are_the_same(num_classes, dtype):
    probs = softmax((300, num_classes)).astype(dtype)
    for ours, method in (
        (entropy, "entropy"), (margin, "margin_sampling"), (least_confidence, "least_confident")
    ):  # fmt: skip
        theirs = pool.uncertainty_scores(probs.astype(np.float64), method=method)
        np.testing.assert_allclose(ours(probs), theirs, atol=1e-6 if dtype == np.float32 else 1e-12)
        if dtype == np.float64:
            np.testing.assert_array_equal(np.argsort(-ours(probs))[:50], np.argsort(-theirs)[:50])


def test_committees_disagree_as_much():
    members = softmax((5, 200, 4), seed=1)
    np.testing.assert_allclose(qbc_kl(members), pool.average_kl_divergence(members), atol=1e-6)
    votes = members.argmax(axis=2).T
    np.testing.assert_allclose(qbc_variation_ratio(members).round(3), pool.variation_ratios(votes), atol=2e-3)


@pytest.mark.parametrize("m", [1, 30])
def test_k_center_makes_the_same_picks(m):
    points = clusters(600 + m, 12, seed=m)
    labels = np.concatenate([np.full(600, np.nan), np.zeros(m)])
    theirs, utilities = pool.k_greedy_center(points.astype(np.float64), labels, batch_size=80, random_state=0)
    np.testing.assert_array_equal(kcenter(points[:600], 80, centres=points[600:]), theirs)
    _, radii = farthest_first(points[:600], 80, centres=points[600:])
    np.testing.assert_allclose(radii, np.nanmax(utilities, axis=1), rtol=1e-4)


def test_the_most_typical_of_the_same_clusters_are_the_same():
    from skactiveml.pool._typi_clust import _typicality

    points = unit_rows(clusters(500, 8))
    which = np.random.default_rng(0).integers(5, size=500)
    for cluster in range(5):
        own = np.flatnonzero(which == cluster)
        theirs = _typicality(points, own, 20)
        np.testing.assert_allclose(typicality(points[own], 20), theirs[own], rtol=1e-3)
        assert own[typicality(points[own], 20).argmax()] == theirs.argmax()


def joint_information(passes, batch):
    """I(labels of the batch; pass), by all configurations."""
    joint = np.ones((len(passes), 1))
    for image in batch:
        joint = (joint[:, :, None] * passes[:, image][:, None, :]).reshape(len(passes), -1)
    mean, each = joint.mean(axis=0), -(joint * np.log(joint)).sum(axis=1).mean()
    return -(mean * np.log(mean)).sum() - each


def test_batch_bald_finds_a_batch_that_says_as_much():
    for seed in range(3):
        passes = softmax((12, 40, 3), seed=seed, scale=1.5)
        theirs = np.nanargmax(pool.batch_bald(passes, 4, n_MC_samples=2000, random_state=seed), axis=1)
        ours = batch_bald(passes, k=4, rng=np.random.default_rng(seed))
        assert joint_information(passes, ours) >= joint_information(passes, theirs) - 1e-3
        assert ours[0] == theirs[0] == bald(passes).argmax()


def gradient_law(gradients, first, k):
    """The chance of each ordered draw of BADGE after its first pick, by enumeration."""
    squares = gradients.to(slice(None), np.arange(len(gradients)))
    chances = {}
    for rest in itertools.permutations([i for i in range(len(gradients)) if i != first], k - 1):
        draw, chance = [first, *rest], 1.0
        for place in range(1, k):
            nearest = squares[draw[:place]].min(axis=0)
            chance *= nearest[draw[place]] / nearest.sum()
        chances[tuple(draw)] = chance
    return chances


def test_badge_has_the_law_of_k_means_plus_plus_on_gradients_as_they_are_written_out():
    probs, embeddings = softmax((6, 3), seed=2).astype(np.float32), clusters(6, 4)
    gradients = Gradients(probs, embeddings)
    errors = probs - np.eye(3, dtype=np.float32)[probs.argmax(axis=1)]
    written = (errors[:, :, None] * embeddings[:, None]).reshape(6, -1)
    direct = ((written[:, None] - written[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(gradients.to(slice(None), np.arange(6)), direct, rtol=1e-3, atol=1e-3)
    expected, rng = gradient_law(gradients, int(gradients.squares.argmax()), 3), np.random.default_rng(11)
    counts = dict.fromkeys(expected, 0)
    for _ in range(3000):
        counts[tuple(badge(probs, embeddings, k=3, rng=rng).tolist())] += 1
    likely = [draw for draw, chance in expected.items() if chance * 3000 >= 5]
    seen = np.array([*(counts[draw] for draw in likely), 3000 - sum(counts[draw] for draw in likely)])
    chances = np.array([expected[draw] for draw in likely])
    chances = np.append(chances, max(1 - chances.sum(), 1e-12))
    if chances[-1] * 3000 < 5:
        seen, chances = seen[:-1], chances[:-1] / chances[:-1].sum()
    assert chisquare(seen, seen.sum() * chances).pvalue > 1e-3


def test_badge_leaves_as_little_as_its_loop_over_ten_seeds():
    probs, embeddings = softmax((1500, 5), seed=3).astype(np.float32), clusters(1500, 16)
    gradients = Gradients(probs, embeddings)

    def left(picks):
        return float(gradients.to(slice(None), picks).min(axis=1).sum())

    def loop(rng):
        picks = [int(gradients.squares.argmax())]
        while len(picks) < 150:
            nearest = np.float64(gradients.to(slice(None), np.array(picks)).min(axis=1))
            picks.append(int(rng.choice(1500, p=nearest / nearest.sum())))
        return np.array(picks)

    ours = [left(badge(probs, embeddings, k=150, rng=np.random.default_rng(s))) for s in range(10)]
    plain = [left(loop(np.random.default_rng(100 + s))) for s in range(10)]
    assert np.mean(ours) == pytest.approx(np.mean(plain), rel=0.02)
