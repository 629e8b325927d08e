"""Factors of declared work, from timed runs."""

import numpy as np
import pytest

from al_core.cost.selecting import clustered, defaults, fitted, measure
from al_core.errors import StrategyError
from al_core.query.evidence import KINDS
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.testing import make_evidence

TERMS = np.array([[1e4, 3e3], [6e4, 3e3], [6e4, 2e4], [6e4, 3e4], [3e4, 9e3]])


def test_the_factors_of_times_that_follow_the_terms_are_found():
    found = fitted(TERMS, 0.001 + TERMS @ [2e-7, 5e-7])
    assert found.fixed == pytest.approx(0.001, rel=1e-6)
    assert found.factors == pytest.approx((2e-7, 5e-7), rel=1e-6)
    assert found.seconds([1e6, 1e6]) == pytest.approx(0.701)


def test_no_factor_is_negative_whatever_was_timed():
    times = np.array([0.005, 0.001, 0.004, 0.002, 0.009])
    found = fitted(TERMS, times)
    assert min(found.fixed, *found.factors) >= 0
    assert found.seconds(list(TERMS[0])) > 0


def test_one_run_is_enough_for_one_factor():
    found = fitted(TERMS[:1], np.array([0.5]))
    assert found.seconds(list(TERMS[0])) == pytest.approx(0.5)


def test_a_strategy_is_timed_on_evidence_that_it_accepts():
    found = measure(STRATEGIES.get("falcun"), {}, num_classes=3, width=8, passes=4, members=2)
    small, large = ({"n": n, "k": 10, "C": 3} for n in (1000, 100_000))
    time, _ = STRATEGIES.get("falcun").growth
    assert 0 < found.seconds(time.terms(small)) < found.seconds(time.terms(large)) < 100


def test_a_strategy_that_does_not_say_how_it_grows_is_not_timed():
    def own(probs):
        """Prefer the last class."""
        return probs[:, -1]

    with pytest.raises(StrategyError, match="does not begin with 'time EXPRESSION"):
        measure(
            Strategy.of(own, "Own", family="uncertainty"), {}, num_classes=3, width=4, passes=2, members=2
        )


def test_made_up_evidence_is_of_every_kind_and_of_the_shapes_of_the_kit():
    ours = clustered(30, 12, num_classes=4, width=6, passes=5, members=5)
    theirs = make_evidence(30, m=12, num_classes=4, width=6, passes=5)
    assert ours.keys() == theirs.keys() == KINDS.keys()
    assert {k: np.shape(v) for k, v in ours.items()} == {k: np.shape(v) for k, v in theirs.items()}


def test_options_that_are_numbers_count_as_sizes():
    strategy = STRATEGIES.get("k_center")
    assert defaults(strategy, {}) == {}  # its only option is a word
    assert defaults(STRATEGIES.get("typiclust"), {"max_clusters": 7})["max_clusters"] == 7
