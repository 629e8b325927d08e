"""Looking after every seed and stopping when it is clear: false positives stay at 5 %, and power is left."""

import math

import numpy as np
import pytest
from scipy import stats

from al_core.results.analysis import Curve
from al_core.results.comparison import Arm, verdicts
from al_core.results.looks import adjusted, level, smallest_p

FIRST, MOST = 5, 20


def share_called(gaps, first=FIRST, most=MOST, *, corrected=True):
    """Share of studies that call a difference at some look; rows of `gaps` are studies, columns seeds."""
    limit = level(first, most) if corrected else 0.05
    n = np.arange(first, most + 1)
    p = np.stack([stats.ttest_1samp(gaps[:, :k], 0, axis=1).pvalue for k in n], axis=1)
    return float((p < limit).any(axis=1).mean())


def noise(kind, studies=3000, seeds=MOST):
    """Differences of two equal strategies, whose own values scatter in that way."""
    rng = np.random.default_rng(17)  # another source than the table's own
    drawn = {
        "normal": lambda shape: rng.standard_normal(shape),
        "uniform": lambda shape: rng.uniform(-1, 1, shape),
        "heavy tails": lambda shape: rng.standard_t(4, shape),
        "skewed": lambda shape: rng.exponential(size=shape),
    }
    own, other = (drawn[kind]((studies, seeds)) for _ in range(2))
    return own - other


@pytest.mark.parametrize("kind", ["normal", "uniform", "heavy tails", "skewed"])
def test_equal_strategies_are_called_different_in_5_of_100_studies_at_most(kind):
    gaps = noise(kind)
    assert share_called(gaps) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(gaps))


def test_without_the_correction_it_would_be_thrice_as_many():
    assert share_called(noise("normal"), corrected=False) > 0.12


def test_a_difference_is_still_found_and_with_fewer_seeds_than_the_cap():
    gaps = noise("normal", 1000) / math.sqrt(2) + 1.2
    limit = level(FIRST, MOST)
    n = np.arange(FIRST, MOST + 1)
    p = np.stack([stats.ttest_1samp(gaps[:, :k], 0, axis=1).pvalue for k in n], axis=1)
    found = (p < limit).any(axis=1)
    assert found.mean() > 0.95
    assert n[(p < limit)[found].argmax(axis=1)].mean() < 12


def test_one_look_is_the_t_test_itself():
    assert level(8, 8) == pytest.approx(0.05, abs=0.006)
    assert adjusted(0.3, 8, 8) == pytest.approx(0.3, abs=0.02)


def test_more_looks_ask_for_more_and_a_p_is_never_made_smaller():
    assert level(5, 50) < level(5, 20) < level(5, 8) < 0.05
    table = smallest_p(FIRST, MOST)
    for p in (0.0, 1e-6, 0.01, 0.2, 1.0):
        assert adjusted(p, FIRST, MOST) >= p
    assert adjusted(float(table[-1]), FIRST, MOST) == 1.0
    assert adjusted(level(FIRST, MOST), FIRST, MOST) == pytest.approx(0.05, abs=0.001)


def test_looks_need_two_seeds_and_a_cap_beyond_them():
    for first, most in ((1, 5), (6, 5)):
        with pytest.raises(ValueError, match="two seeds are the least"):
            smallest_p(first, most)


def test_a_verdict_that_was_looked_for_is_wider_and_no_more_certain():
    rng = np.random.default_rng(0)
    x = np.array([10.0, 20.0, 30.0])
    arms = [
        Arm(name, {s: Curve(x, np.array([0.5, 0.6, 0.7]) + lead + rng.normal(0, 0.01, 3)) for s in range(7)})
        for name, lead in (("random", 0.0), ("margin", 0.012))
    ]
    (once,) = verdicts(arms, arms[0])
    (often,) = verdicts(arms, arms[0], looks=(FIRST, MOST))
    assert often.difference.interval.mean == once.difference.interval.mean
    assert often.difference.interval.half > 1.2 * once.difference.interval.half
    assert often.p_adjusted > once.p_adjusted
    assert often.difference.clear is (often.p_adjusted < 0.05)
