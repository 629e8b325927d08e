"""ProbCover: radius, graph and greedy cover against the definitions written out."""

import warnings

import numpy as np
import pytest

from al_core.query.clustering import kmeans
from al_core.query.geometry import unit_rows
from al_core.query.strategies import prob_cover as module
from al_core.query.strategies.prob_cover import Balls, prob_cover, pure_radius


def directions(sizes, spread=0.1, d=12, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(d, d)))[0][: len(sizes)]
    which = np.repeat(np.arange(len(sizes)), sizes)
    return (centres[which] + spread * rng.normal(size=(len(which), d))).astype(np.float32), which


def distances(features, others):
    a, b = unit_rows(features).astype(np.float64), unit_rows(others).astype(np.float64)
    return np.linalg.norm(a[:, None] - b[None], axis=2)


def newly_covered(features, labeled, picks, radius):
    """How many images each pick covers that nothing before it did, and how many the best one would."""
    near = distances(features, features) <= radius
    open_images = np.ones(len(features), bool)
    if len(labeled):
        open_images = distances(features, labeled).min(axis=1) > radius
    found, best = [], []
    for pick in picks:
        gains = (near & open_images).sum(axis=1)
        found.append(int(gains[pick]))
        best.append(int(gains.max()))
        open_images &= ~near[pick]
    return found, best


@pytest.mark.parametrize("m", [0, 5])
@pytest.mark.parametrize("radius", [0.2, 0.35, 0.6])
def test_every_pick_covers_as_many_as_any_could(m, radius):
    features, _ = directions([60, 40, 30, 10])
    labeled = features[::29][:m]
    picks = prob_cover(features, labeled, 4, k=40, rng=np.random.default_rng(0), radius=radius)
    found, best = newly_covered(features, labeled, picks, radius)
    assert found == best
    assert len(set(picks.tolist())) == 40


def test_scikit_activeml_covers_as_many():
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is not installed")
    features, _ = directions([60, 40, 30, 10], seed=2)
    x = unit_rows(features).astype(np.float64)
    labeled = features[::35]
    y = np.full(140, np.nan)
    y[::35] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that a single radius is not judged by purity
        theirs = pool.ProbCover(n_classes=4, deltas=[0.3], random_state=0).query(x, y, batch_size=20)
    ours = prob_cover(features[y != 0], labeled, 4, k=20, rng=np.random.default_rng(0), radius=0.3)
    found, best = newly_covered(features, labeled, theirs, 0.3)
    assert found == best  # the same rule; ties are broken by chance, and lead to other picks later
    mine, _ = newly_covered(features, labeled, np.flatnonzero(y != 0)[ours], 0.3)
    assert mine[0] == found[0]
    assert sum(mine) == pytest.approx(sum(found), abs=4)


def test_the_radius_is_the_largest_at_which_balls_are_pure():
    features, _ = directions([50, 50, 50], spread=0.25)
    points = unit_rows(features)
    clusters = kmeans(points, 3, np.random.default_rng(7)).members
    for purity in (0.5, 0.8, 0.95):
        radius = pure_radius(points, 3, purity, np.random.default_rng(7))
        between = distances(features, features)

        def share(r, between=between):
            return 1 - ((between <= r) & (clusters[:, None] != clusters)).any(axis=1).mean()

        assert share(radius * (1 - 1e-5)) >= purity
        assert share(radius * (1 + 1e-4)) < purity


def test_clusters_far_apart_are_asked_in_order_of_size():
    features, which = directions([20, 50, 35], spread=0.03)
    picks = prob_cover(features, features[:0], 3, k=3, rng=np.random.default_rng(0), purity=0.999)
    assert which[picks].tolist() == [1, 2, 0]


def test_a_labeled_cluster_is_not_asked_again():
    features, which = directions([20, 50, 35], spread=0.03)
    for seed in range(4):
        picks = prob_cover(features, features[which == 1][:3], 3, k=2, rng=np.random.default_rng(seed))
        assert 1 not in which[picks]


def test_once_all_is_covered_chance_decides():
    features, _ = directions([30, 30], spread=0.01)
    later = {tuple(prob_cover(features, features, 2, k=3, rng=np.random.default_rng(s))) for s in range(6)}
    assert len(later) > 3


def test_a_graph_with_too_many_edges_covers_a_part(monkeypatch):
    monkeypatch.setattr(module, "_MAX_EDGES", 2000)
    features, which = directions([200, 100], spread=0.05)
    order = np.random.default_rng(0).permutation(300)
    balls = Balls.of(unit_rows(features[order]), np.arange(300), 1.0)
    assert len(balls.inside) < 3000
    assert set(which[order][balls.cover(2)]) == {0, 1}
