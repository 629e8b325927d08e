"""MaxHerding and uncertainty herding against plain greedy search, and against scikit-activeml."""

import tracemalloc

import numpy as np
import pytest

from al_core.query.geometry import unit_rows
from al_core.query.herding import herd
from al_core.query.strategies import STRATEGIES
from al_core.query.strategies.margin import margin
from al_core.query.strategies.max_herding import max_herding
from al_core.query.strategies.u_herding import smallest_distance, tempered, u_herding


def points(n, d=8, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(7, d))
    return (centres[rng.integers(7, size=n)] + 0.4 * rng.normal(size=(n, d))).astype(np.float32)


def kernel(a, b, radius):
    return np.exp(-((a[:, None].astype(np.float64) - b[None]) ** 2).sum(axis=2) / radius**2)


def plain(features, labeled, k, radius, weights=None, follow=()):
    """All gains again after every pick, from the whole n x n matrix.

    Picks, and each one's share of the best gain: that is 1 unless others' picks are followed.
    """
    similar = kernel(unit_rows(features), unit_rows(features), radius)
    covered = np.zeros(len(features))
    if len(labeled):
        covered = kernel(unit_rows(features), unit_rows(labeled), radius).max(axis=1)
    weights = np.ones(len(features)) if weights is None else weights
    picks, shares = [], []
    for number in range(k):
        gains = np.maximum(similar - covered, 0) @ weights
        gains[picks] = -1
        picks.append(int(follow[number] if len(follow) else gains.argmax()))
        covered = np.maximum(covered, similar[picks[-1]])
        shares.append(gains[picks[-1]] / gains.max())
    return picks, shares


@pytest.mark.parametrize("m", [0, 9])
@pytest.mark.parametrize("radius", [0.3, 1.0])
def test_max_herding_is_the_plain_greedy_search(m, radius):
    features, labeled = points(400), points(m, seed=1)
    for seed in range(3):
        picks = max_herding(features, labeled, k=60, rng=np.random.default_rng(seed), radius=radius)
        # pairs of images may gain exactly the same, so that their order is free
        assert min(plain(features, labeled, 60, radius, follow=picks)[1]) > 1 - 1e-5
        assert picks[:40].tolist() == plain(features, labeled, 40, radius)[0]


def test_max_herding_picks_what_scikit_activeml_picks():
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is not installed")
    features, labeled = points(150, seed=3), points(10, seed=4)
    x = np.concatenate([features, labeled]).astype(np.float64)
    y = np.concatenate([np.full(150, np.nan), np.zeros(10)])
    theirs = pool.MaxHerding(metric_dict={"gamma": 1.0}, random_state=0).query(x, y, batch_size=25)
    ours = max_herding(features, labeled, k=25, rng=np.random.default_rng(0))
    assert ours.tolist() == np.asarray(theirs).tolist()


def test_uncertainty_herding_is_the_plain_greedy_search_with_weights():
    features, labeled = points(300), points(6, seed=1)
    probs = np.random.default_rng(2).dirichlet(np.full(4, 0.5), 300)
    radius = np.sort(np.linalg.norm(unit_rows(labeled)[:, None] - unit_rows(labeled)[None], axis=2).ravel())[
        6
    ]
    assert smallest_distance(unit_rows(labeled)) == pytest.approx(radius, rel=1e-4)
    expected, _ = plain(features, labeled, 40, float(radius), margin(probs))
    assert u_herding(probs, features, labeled, k=40, rng=np.random.default_rng(0)).tolist() == expected


def test_with_a_small_radius_only_uncertainty_counts():
    features, labeled = points(200), points(5, seed=1)
    probs = np.random.default_rng(2).dirichlet(np.ones(4), 200)
    picks = u_herding(probs, features, labeled, k=15, rng=np.random.default_rng(0), radius=0.001)
    assert picks.tolist() == np.argsort(-margin(probs))[:15].tolist()


def test_with_even_uncertainty_it_is_max_herding():
    features, labeled = points(200), points(5, seed=1)
    probs = np.full((200, 4), 0.25, np.float32)
    picks = u_herding(probs, features, labeled, k=30, rng=np.random.default_rng(0), radius=1.0)
    assert picks.tolist() == max_herding(features, labeled, k=30, rng=np.random.default_rng(0)).tolist()


def test_the_first_radius_without_two_labels_is_one_and_copies_do_not_shrink_it():
    assert smallest_distance(np.empty((0, 3), np.float32)) == 1
    assert smallest_distance(np.ones((1, 3), np.float32)) == 1
    apart = unit_rows(np.array([[1, 0], [0, 1], [1, 0], [1, 1e-5]]))
    assert smallest_distance(apart) == pytest.approx(2**0.5, rel=1e-4)


def test_temperature_is_that_of_the_logits():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    cool = np.exp(logits / 3) / np.exp(logits / 3).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(tempered(probs, 3.0), cool, rtol=1e-10)
    np.testing.assert_allclose(tempered(probs, 1.0), probs, rtol=1e-10)


def test_chance_decides_between_copies():
    features = np.repeat(points(3), 40, axis=0)
    firsts = {int(herd(features, 1, radius=1.0, rng=np.random.default_rng(seed))[0]) for seed in range(8)}
    assert len(firsts) > 3


def test_a_large_pool_is_covered_from_a_part_of_it_in_little_memory():
    """The whole matrix would be 1.6 GB."""
    features = unit_rows(points(20_000, d=16))
    tracemalloc.start()
    picks = herd(
        features, 50, radius=0.5, rng=np.random.default_rng(0), max_candidates=500, max_references=3000
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(picks.tolist())) == 50
    assert peak < 12e6
    covered = kernel(features, features[picks], 0.5).max(axis=1).mean()
    drawn = features[np.random.default_rng(1).choice(20_000, 50)]
    assert covered > kernel(features, drawn, 0.5).max(axis=1).mean() + 0.02


def test_auto_is_uncertainty_herding():
    assert STRATEGIES.get("auto").name == "u_herding"
    assert STRATEGIES.get("max_herding").cold_start_able
