"""Known answers, scipy's where it has them, and how often equal strategies are called different."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from al_core.results import comparison
from al_core.results.analysis import Curve
from al_core.results.comparison import Arm


def curve(values, labels=(10, 20, 30, 40)):
    return Curve(np.array(labels, float), np.array(values, float))


def test_the_interval_of_five_values_is_students():
    values = [0.80, 0.82, 0.79, 0.85, 0.81]
    found = comparison.mean_interval(values)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.deviation == pytest.approx(np.std(values, ddof=1))
    assert found.half == pytest.approx((high - low) / 2)


def test_one_value_has_a_mean_and_no_interval():
    found = comparison.mean_interval([0.5])
    assert (found.mean, found.low, found.high, found.half, found.n) == (0.5, None, None, None, 1)
    with pytest.raises(ValueError, match="at least one value"):
        comparison.mean_interval([])


def test_a_straight_line_has_its_middle_as_area():
    assert comparison.area(curve([0.2, 0.4, 0.6, 0.8])) == pytest.approx(0.5)
    assert comparison.area(curve([0.2, 0.4, 0.6, 0.8]), 30) == pytest.approx(0.4)


def test_the_log_area_weighs_doublings_alike():
    doubling = curve([0.0, 0.5, 1.0], labels=(10, 20, 40))
    assert comparison.area(doubling, log=True) == pytest.approx(0.5)
    assert comparison.area(doubling) == pytest.approx((0.25 * 10 + 0.75 * 20) / 30)
    assert comparison.area(doubling, 20, log=True) == pytest.approx(0.25)
    assert comparison.area(curve([1.0], labels=(10,)), log=True) is None


def test_differences_are_taken_within_a_seed():
    own, other = {0: 0.9, 1: 0.5, 2: 0.7}, {0: 0.8, 1: 0.4, 2: 0.6, 7: 0.1}
    found = comparison.paired(own, other)
    assert found.by_seed == pytest.approx({0: 0.1, 1: 0.1, 2: 0.1})
    assert found.interval.mean == pytest.approx(0.1)
    assert found.clear  # the spread over seeds is large, but both share it
    assert comparison.paired({0: 1.0}, {1: 1.0}) is None


def test_tests_of_a_difference_are_scipys():
    gaps = np.array([0.03, 0.01, 0.04, -0.01, 0.05, 0.02])
    found = comparison.paired(dict(enumerate(gaps)), dict.fromkeys(range(6), 0.0))
    assert found.p_value == pytest.approx(stats.ttest_1samp(gaps, 0).pvalue)
    assert found.p_wilcoxon == pytest.approx(stats.wilcoxon(gaps).pvalue)
    reference = stats.bootstrap((gaps,), np.mean, method="percentile", rng=np.random.default_rng(1))
    assert found.bootstrap == pytest.approx(reference.confidence_interval, abs=1e-3)


def test_equal_curves_do_not_differ_and_equal_gaps_always_do():
    same = comparison.paired({0: 0.5, 1: 0.5}, {0: 0.5, 1: 0.5})
    assert (same.p_value, same.p_wilcoxon, same.clear) == (1.0, 1.0, False)
    always = comparison.paired({0: 0.5, 1: 0.75}, {0: 0.25, 1: 0.5})
    assert (always.p_value, always.clear) == (0.0, True)


def test_holm_multiplies_the_smallest_by_their_number():
    assert comparison.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert comparison.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_never_lowers(p_values):
    adjusted = comparison.holm(p_values)
    assert all(a >= min(p, 1.0) for a, p in zip(adjusted, p_values, strict=True))
    assert all(a <= 1 for a in adjusted)
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


def test_the_penalty_matrix_counts_budgets_that_are_clearly_lost():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.001, (5, 4))
    better = Arm("better", {s: curve(np.array([0.5, 0.7, 0.8, 0.9]) + noise[s]) for s in range(5)})
    # equal at first, then clearly behind
    tail = rng.normal(0, 1e-5, (5, 3))
    worse = Arm(
        "worse",
        {
            s: curve(np.r_[better.curves[s].values[0], better.curves[s].values[1:] - 0.1 + tail[s]])
            for s in range(5)
        },
    )
    labels = comparison.shared_labels([better, worse])
    table = comparison.penalty_matrix([better, worse], labels)
    assert labels == [10, 20, 30, 40]
    assert table.tolist() == [[0, 0], [0.75, 0]]
    as_loss = comparison.penalty_matrix([better, worse], labels, higher_is_better=False)
    assert as_loss.tolist() == [[0, 0.75], [0, 0]]


def test_places_that_seeds_do_not_share_become_an_even_grid():
    arm = Arm("a", {s: curve([0.1, 0.2, 0.3, 0.4], labels=s + np.array([3.0, 5, 7, 9])) for s in range(3)})
    assert comparison.shared_labels([arm]) == [5, 6, 7, 8, 9]  # three seeds on whole numbers share them
    apart = Arm("b", {s: curve([0.1, 0.2, 0.3, 0.4], labels=s / 7 + np.arange(4.0)) for s in range(5)})
    grid = comparison.shared_labels([apart])
    assert len(grid) == 20
    assert (grid[0], grid[-1]) == pytest.approx((4 / 7, 3))
    assert np.ptp(np.diff(grid)) < 1e-9


def test_what_is_compared_ends_where_every_mean_has_come_to_the_ceiling():
    slow = Arm("slow", {0: curve([0.5, 0.9, 0.95, 0.96]), 1: curve([0.5, 0.9, 0.96, 0.96])})
    fast = Arm("fast", {0: curve([0.6, 0.96, 0.96, 0.96])})
    labels = [10, 20, 30, 40]
    assert comparison.unsaturated([slow, fast], labels, 0.96) == [10, 20, 30]  # .955 >= .9504
    assert comparison.unsaturated([fast], labels, 0.96) == [10, 20]
    assert comparison.unsaturated([slow, fast], labels, 0.999) == labels
    loss = Arm("loss", {0: curve([2.0, 1.0, 0.5, 0.5])})
    assert comparison.unsaturated([loss], labels, 0.5, higher_is_better=False) == [10, 20, 30]


def test_shared_labels_end_where_the_shortest_curve_ends():
    long = Arm("long", {0: curve([0.1, 0.2, 0.3, 0.4])})
    short = Arm("short", {0: curve([0.1, 0.3], labels=(15, 30))})
    assert comparison.shared_labels([long, short]) == [15, 20, 30]
    assert comparison.shared_labels([]) == []


def test_curves_that_begin_at_different_places_are_compared_over_the_same_range():
    """One law, ten labels at first or a hundred: over its own range the late one would be ahead."""
    rng = np.random.default_rng(2)
    early, late = np.arange(10, 210, 10), np.arange(100, 210, 10)

    def run(labels):
        return curve(0.9 - 2 / labels + rng.normal(0, 0.002, len(labels)), labels)

    few, many = (Arm(str(x[0]), {s: run(x) for s in range(5)}) for x in (early, late))
    (found,) = comparison.verdicts([few, many], few)
    assert abs(found.difference.interval.mean) < 0.002
    assert comparison.area(curve([0.0, 1.0], (10, 20)), 20, 15, log=True) == pytest.approx(0.75)


def test_curves_without_a_common_range_have_no_verdict():
    low = Arm("low", {s: curve([0.1, 0.2, 0.3, 0.4]) for s in range(3)})
    high = Arm("high", {s: curve([0.6, 0.7, 0.8, 0.9], labels=(50, 60, 70, 80)) for s in range(3)})
    assert comparison.verdicts([low, high], low) == []


def test_a_mean_curve_has_gaps_where_nothing_was_measured():
    arm = Arm("a", {0: curve([0.1, 0.2, 0.3, 0.4]), 1: curve([0.3, 0.4], labels=(10, 20))})
    means = [None if m is None else (m.mean, m.n) for m in arm.mean_curve([10, 20, 30, 50])]
    assert means[0] == (pytest.approx(0.2), 2)
    assert means[2] == (pytest.approx(0.3), 1)
    assert means[3] is None


def test_two_strategies_that_are_the_same_are_rarely_called_different():
    """200 studies of five paired seeds without any difference: 5 % and its noise, at most."""
    rng = np.random.default_rng(3)
    called = 0
    for _ in range(200):
        seeds = rng.normal(0.8, 0.05, 5)  # what a seed has in common
        own, other = (seeds + rng.normal(0, 0.01, 5) for _ in range(2))
        called += comparison.paired(dict(enumerate(own)), dict(enumerate(other))).clear
    assert called / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
    assert called > 0  # it does call at its rate: a test that never speaks would pass the line above


def test_the_seeds_needed_grow_as_the_difference_shrinks():
    noise = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])

    def needed(gap):
        return comparison.paired(dict(enumerate(gap + noise)), dict.fromkeys(range(5), 0.0)).seeds_needed()

    assert needed(0.1) == 5  # clear already
    assert 5 < needed(0.01) < needed(0.005)
    assert needed(0.0001) is None


def test_the_needed_seeds_do_find_the_difference_in_about_four_studies_of_five():
    rng = np.random.default_rng(5)
    gap, spread = 0.01, 0.015
    pilot = np.array([-1.0, 1.0, -1.0, 1.0, 0.0]) * spread * math.sqrt(4 / 4) + gap
    seeds = comparison.paired(dict(enumerate(pilot)), dict.fromkeys(range(5), 0.0)).seeds_needed()
    found = sum(
        comparison.paired(
            dict(enumerate(rng.normal(gap, spread, seeds))), dict.fromkeys(range(seeds), 0.0)
        ).clear
        for _ in range(150)
    )
    assert 0.65 < found / 150 < 0.95


def test_the_seeds_needed_grow_with_the_number_of_arms_and_of_looks():
    """Clear alone and not among eight: not one seed more, but those that Holm's smallest level takes."""
    shape = np.array([-1.0, 1.0, -1.0, 1.0, 0.0])

    def arm(name, gap):
        spread = 0.009 * shape if name != "base" else 0 * shape
        return Arm(name, {s: curve(np.full(4, 0.7 + gap + spread[s])) for s in range(5)})

    base, good = arm("base", 0.0), arm("good", 0.012)
    others = [arm(f"other {n}", 0.0001 * (n + 1)) for n in range(7)]
    (alone,) = comparison.verdicts([base, good], base)
    among = next(v for v in comparison.verdicts([base, good, *others], base) if v.arm == "good")
    assert alone.p_adjusted < 0.05 < among.p_adjusted
    needed = among.difference.seeds_needed(0.05 / 8)
    assert f"about {needed - 5} more seeds" in among.text
    assert needed > 8
    assert among.difference.seeds_needed() == 5
    (looked,) = comparison.verdicts([base, arm("good", 0.01)], base, looks=(5, 20))
    (once,) = comparison.verdicts([base, arm("good", 0.01)], base)
    assert looked.p_adjusted > once.p_adjusted
    assert "more seeds" in looked.text


def test_no_number_of_seeds_tells_equal_curves_apart():
    same = comparison.paired({0: 0.5, 1: 0.5}, {0: 0.5, 1: 0.5})
    assert same.seeds_needed() is None


def test_two_strategies_that_are_the_same_save_nothing():
    """300 studies of five seeds: no seed is dropped, and labels saved are zero within the noise."""
    rng = np.random.default_rng(7)
    labels = np.arange(1, 9) * 20
    law = 0.9 - 0.6 * (labels / 20) ** -0.5
    saved = []
    for _ in range(300):
        own, other = (
            Arm(name, {s: curve(law + rng.normal(0, 0.01, 8), labels) for s in range(5)}) for name in "ab"
        )
        found = comparison.saving(own, other)
        assert found.interval.n == 5
        saved.append(found.interval.mean)
    assert abs(np.mean(saved)) < 3 * np.std(saved) / math.sqrt(len(saved))
    assert comparison.saving(own, own).interval.mean == 0


def test_labels_saved_are_counted_to_what_both_reach():
    own = Arm("a", {0: curve([0.5, 0.7, 0.9, 0.9]), 1: curve([0.5, 0.6, 0.7, 0.7])})
    other = Arm("b", {0: curve([0.5, 0.6, 0.7, 0.6]), 1: curve([0.5, 0.7, 0.8, 0.9])})
    found = comparison.saving(own, other)  # to .6: 15 against 20; to .7: 30 against 20
    assert found.by_seed == pytest.approx({0: 5 / 20, 1: -10 / 20})
    assert found.interval.mean == pytest.approx(1 - (15 + 30) / (20 + 20))
    to_target = comparison.saving(own, other, target=0.65)  # 17.5 and 25 against 25 and 17.5
    assert to_target.interval.mean == pytest.approx(0)
    assert comparison.saving(own, other, target=0.95) is None
    nothing = Arm("c", {0: curve([0.5, 0.6, 0.7, 0.8], labels=(0, 1, 2, 3))})
    assert comparison.saving(nothing, nothing, target=0.4) is None  # of no minutes none can be saved


@pytest.mark.slow
def test_of_several_equal_strategies_hardly_ever_one_is_called_different():
    """200 studies of four arms and five seeds: Holm keeps those with any false verdict at 5 %."""
    rng = np.random.default_rng(11)
    mean = np.linspace(0.5, 0.8, 4)
    called = 0
    for _ in range(200):
        values = mean + rng.normal(0, 0.05, (1, 5, 1)) + rng.normal(0, 0.01, (4, 5, 4))  # seeds are shared
        arms = [Arm(name, dict(enumerate(map(curve, own)))) for name, own in zip("abcd", values, strict=True)]
        called += any(v.p_adjusted < 0.05 for v in comparison.verdicts(arms, arms[0]))
    assert called / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
    assert called > 0  # as above: it does speak
