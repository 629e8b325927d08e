"""Greedy k-center against brute force, and the cases in which float32 misleads."""

import tracemalloc

import numpy as np
import pytest

from al_core.errors import StrategyError
from al_core.query import geometry


def brute_force_distances(points, centres):
    """Distances in float64 from direct differences."""
    points, centres = points.astype(np.float64), centres.astype(np.float64)
    return np.array([np.linalg.norm(points - c, axis=1) for c in centres]).min(axis=0)


def assert_greedy(points, picks, centres):
    """Every pick is the farthest point from all before it, up to float32 ties."""
    points = points.astype(np.float64)
    assert len(set(picks.tolist())) == len(picks)
    if len(centres):
        nearest = brute_force_distances(points, centres)
    else:
        nearest, picks = np.linalg.norm(points - points[picks[0]], axis=1), picks[1:]
    scale = nearest.max()
    left = np.ones(len(points), bool)
    for pick in picks:
        assert nearest[pick] >= nearest[left].max() - 1e-5 * scale
        left[pick] = False
        nearest = np.minimum(nearest, np.linalg.norm(points - points[pick], axis=1))


def cloud(kind, n, d, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "isotropic":
        return rng.normal(size=(n, d)).astype(np.float32)
    if kind == "low rank":
        return (rng.normal(size=(n, 3)) @ rng.normal(size=(3, d))).astype(np.float32)
    if kind == "far from the origin":
        return (100 + rng.normal(size=(n, d))).astype(np.float32)
    centres = 5 * rng.normal(size=(7, d))
    return (centres[rng.integers(7, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


KINDS = ["isotropic", "low rank", "clustered", "far from the origin"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "m", "k"), [(200, 5, 200), (2000, 40, 150), (1500, 1, 300), (300, 0, 120)])
def test_kcenter_picks_what_brute_force_picks(kind, n, m, k):
    points = cloud(kind, n + m, 16)
    points, centres = points[:n], points[n:]
    picks = geometry.kcenter(points, k, centres=centres, rng=np.random.default_rng(0))
    assert len(picks) == k
    assert picks.dtype == np.int64
    assert_greedy(points, picks, centres)


@pytest.mark.parametrize("hot", [1, 2, 17, 5000])
def test_the_size_of_the_hot_block_changes_no_pick(monkeypatch, hot):
    points = cloud("clustered", 900, 12)
    expected = geometry.kcenter(points[50:], 200, centres=points[:50])
    monkeypatch.setattr(geometry, "_HOT", hot)
    monkeypatch.setattr(geometry, "_ROWS", 37)
    monkeypatch.setattr(geometry, "_CENTRES", 11)
    monkeypatch.setattr(geometry, "_STEP", 5)
    np.testing.assert_array_equal(geometry.kcenter(points[50:], 200, centres=points[:50]), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_covering_radius_never_rises_and_covers(kind):
    points = cloud(kind, 800, 10)
    picks, radii = geometry.farthest_first(points[30:], 60, centres=points[:30])
    assert (np.diff(radii) <= 1e-5 * radii[0]).all()
    left = brute_force_distances(points[30:], np.concatenate([points[:30], points[30:][picks]]))
    assert left.max() <= radii[-1] * (1 + 1e-5)


def test_greedy_is_within_twice_the_best_cover():
    """On a line of 3 pairs the best 3 centres cover with radius .5; greedy may take at most 1."""
    points = np.array([[0], [1], [10], [11], [20], [21]], np.float32)
    picks, _ = geometry.farthest_first(points, 3)
    assert brute_force_distances(points, points[picks]).max() <= 2 * 0.5


def test_near_duplicates_of_labeled_images_are_not_picked_first():
    """Seed 2's third defect: rounding made NaNs, and NaNs sorted near-duplicates of labeled images first."""
    rng = np.random.default_rng(3)
    labeled = (20 + 5 * rng.normal(size=(60, 256))).astype(np.float32)
    twins = labeled + rng.normal(scale=1e-4, size=labeled.shape).astype(np.float32)
    fresh = (20 + 5 * rng.normal(size=(40, 256))).astype(np.float32)
    picks = geometry.kcenter(np.concatenate([twins, fresh]), 40, centres=labeled)
    assert set(picks.tolist()) == set(range(60, 100))


def test_exact_duplicates_are_picked_once_until_nothing_else_is_left():
    distinct = cloud("isotropic", 10, 8)
    points = np.repeat(distinct, 5, axis=0)
    picks = geometry.kcenter(points, 50, rng=np.random.default_rng(1))
    assert sorted(set(picks[:10] // 5)) == list(range(10))
    assert sorted(picks) == list(range(50))


def test_points_that_are_all_the_same_give_distinct_positions():
    picks = geometry.kcenter(np.ones((20, 4), np.float32), 20, centres=np.ones((2, 4), np.float32))
    assert sorted(picks) == list(range(20))


def test_k_may_be_nothing_or_more_than_there_is():
    points = cloud("isotropic", 6, 3)
    assert len(geometry.kcenter(points, 0)) == 0
    assert sorted(geometry.kcenter(points, 99)) == list(range(6))
    assert len(geometry.kcenter(np.empty((0, 3), np.float32), 5)) == 0


def test_without_centres_the_first_pick_is_drawn_or_the_farthest_from_the_mean():
    points = cloud("isotropic", 500, 5)
    firsts = {int(geometry.kcenter(points, 3, rng=np.random.default_rng(s))[0]) for s in range(20)}
    assert len(firsts) > 10
    farthest = np.linalg.norm(points - points.mean(axis=0), axis=1).argmax()
    assert geometry.kcenter(points, 3)[0] == farthest
    empty = np.empty((0, 5), np.float32)
    assert geometry.kcenter(points, 3, centres=empty)[0] == farthest


def test_the_same_points_in_another_order_give_the_same_images():
    points = cloud("clustered", 700, 9)
    order = np.random.default_rng(2).permutation(600)
    expected = geometry.kcenter(points[:600], 90, centres=points[600:])
    np.testing.assert_array_equal(
        order[geometry.kcenter(points[:600][order], 90, centres=points[600:])], expected
    )


def test_moving_all_points_changes_no_pick():
    points = cloud("isotropic", 400, 8)
    near = geometry.kcenter(points[20:], 40, centres=points[:20])
    moved = points + np.float32(64)
    np.testing.assert_array_equal(geometry.kcenter(moved[20:], 40, centres=moved[:20]), near)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_points_of_any_float_type_are_left_as_they_were(dtype):
    points = cloud("isotropic", 300, 8).astype(dtype)
    before = points.copy()
    points.flags.writeable = False
    picks = geometry.kcenter(points[10:], 30, centres=points[:10])
    assert_greedy(points[10:], picks, points[:10])
    np.testing.assert_array_equal(points, before)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_points_without_finite_distances_are_refused(value):
    points = cloud("isotropic", 50, 4)
    points[7] = value
    with np.errstate(all="ignore"), pytest.raises(StrategyError, match="finite"):
        geometry.kcenter(points[5:], 10, centres=points[:5])


def test_memory_stays_far_below_a_matrix_of_all_pairs():
    """Seed 2's third defect: an n x n matrix (10 GB at 50,000)."""
    points = cloud("clustered", 20_000, 32)
    tracemalloc.start()
    geometry.kcenter(points[500:], 300, centres=points[:500])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6  # all pairs: 1.5 GB; the points themselves: 2.5 MB


def test_nearest_distances_equal_brute_force_and_are_infinite_without_centres():
    points = cloud("clustered", 3000, 20)
    measured = geometry.nearest_distances(points[700:], points[:700])
    np.testing.assert_allclose(measured, brute_force_distances(points[700:], points[:700]), rtol=1e-4)
    assert np.isinf(geometry.nearest_distances(points, points[:0])).all()


def test_unit_rows_have_length_one_and_nothing_stays_nothing():
    rows = geometry.unit_rows(np.array([[3, 4], [0, 0], [0, -2]], np.float64))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [0, -1]], rtol=1e-6)
    assert rows.dtype == np.float32
