"""Each stop at the round that it names, the labelling rate and the measures of stability, worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score

from al_core.config import QueryConfig, StopConfig
from al_core.records import RoundRecord
from al_core.stopping import (
    AGREEMENT,
    CLASS_CHANGE,
    class_change,
    kappa,
    query_size,
    stop_reason,
    stop_set,
)

ENDLESS = StopConfig()


def rounds(*accuracies, first=20, step=20, **others):
    metrics = [{} if a is None else {"validation_accuracy": a} for a in accuracies]
    for key, values in others.items():
        for found, value in zip(metrics, values, strict=True):
            found |= {} if value is None else {key: value}
    return [
        RoundRecord("e", i, first + i * step, i, m, None, (), {}, {}, {}, 0.0) for i, m in enumerate(metrics)
    ]


@pytest.mark.parametrize(
    ("stop", "accuracies", "said"),
    [
        (StopConfig(n_rounds=3), (0.1, 0.2, 0.3), "all 3 rounds done"),
        (StopConfig(budget=60), (0.1, 0.2, 0.3), "budget of 60"),
        (StopConfig(target_accuracy=0.3), (0.1, 0.2, 0.3), "target accuracy"),
        (StopConfig(patience=2), (0.5, 0.4, 0.5), "in 2 rounds"),
    ],
)
def test_each_stop_holds_when_it_should_and_not_a_round_earlier(stop, accuracies, said):
    assert stop_reason(stop, rounds(*accuracies[:-1]), 100) is None
    assert said in stop_reason(stop, rounds(*accuracies), 100)


def test_patience_begins_anew_with_each_better_round():
    assert stop_reason(StopConfig(patience=2), rounds(0.5, 0.4, 0.6, 0.5), 100) is None


def test_an_empty_pool_ends_every_experiment():
    assert "every image" in stop_reason(StopConfig(), rounds(0.1), 0)


def test_without_a_stop_it_goes_on():
    assert stop_reason(StopConfig(), rounds(*[0.1] * 50), 100) is None


def test_only_an_end_makes_a_config_end():
    assert StopConfig().is_open
    assert StopConfig(stable_rounds=2, stop_images=50).is_open
    assert not StopConfig(agreement=0.99).is_open
    assert not StopConfig(class_change=0.01).is_open


class TestStability:
    def test_agreement_is_averaged_over_its_rounds_and_the_first_has_none(self):
        stop = StopConfig(agreement=0.95, stable_rounds=2)
        kappas = (None, 0.90, 0.94, 0.97)
        for n in (1, 2, 3):  # (.90 + .94) / 2 = .92 is not enough
            assert stop_reason(stop, rounds(*[0.5] * n, **{AGREEMENT: kappas[:n]}), 9) is None
        said = stop_reason(stop, rounds(*[0.5] * 4, **{AGREEMENT: kappas}), 9)
        assert said == "predictions are stable: kappa 0.955 over 2 rounds, 0.95 is enough"

    def test_a_class_that_still_changes_keeps_it_going(self):
        stop = StopConfig(class_change=0.02, stable_rounds=1)
        assert stop_reason(stop, rounds(0.5, 0.5, **{CLASS_CHANGE: (None, 0.03)}), 9) is None
        said = stop_reason(stop, rounds(0.5, 0.5, **{CLASS_CHANGE: (None, 0.01)}), 9)
        assert said.startswith(
            "predictions of every class are stable: F1 changes by 0.010 at most in the last"
        )

    def test_a_round_without_a_value_is_not_skipped_over(self):
        stop = StopConfig(agreement=0.9, stable_rounds=2)
        assert stop_reason(stop, rounds(*[0.5] * 3, **{AGREEMENT: (0.99, None, 0.99)}), 9) is None

    def test_kappa_by_hand(self):
        # both say 0 twice of five, agree on four of five; expected .4 * .6 + .6 * .4 = .48
        one, other = np.array([0, 0, 1, 1, 1]), np.array([0, 0, 0, 1, 1])
        assert kappa(one, other) == pytest.approx((0.8 - 0.48) / 0.52)

    def test_models_that_say_one_thing_agree_and_opposite_ones_do_not(self):
        assert kappa(np.zeros(5, int), np.zeros(5, int)) == 1.0
        assert kappa(np.zeros(5, int), np.ones(5, int)) == 0.0
        with pytest.raises(ValueError, match="same images"):
            kappa(np.zeros(5, int), np.zeros(4, int))

    def test_the_change_of_the_worst_class_by_hand(self):
        # class 0: F1 2*2/(3+2) = .8; class 1: 2*2/(2+3) = .8; class 4: both agree
        one, other = np.array([0, 0, 1, 1, 1, 4]), np.array([0, 0, 0, 1, 1, 4])
        assert class_change(one, other) == pytest.approx(0.2)
        assert class_change(one, one) == 0.0
        assert class_change(np.zeros(3, int), np.ones(3, int)) == 1.0

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
    def test_both_are_sklearns(self, pairs):
        one, other = (np.array(side) for side in zip(*pairs, strict=True))
        if len(set(one) | set(other)) > 1:
            assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))
        worst = min(f1_score(one, other, average=None, labels=np.union1d(one, other), zero_division=0))
        assert class_change(one, other) == pytest.approx(1 - worst)

    def test_the_stop_set_is_the_seed_s_and_no_larger_than_the_pool(self):
        pool = np.arange(100, 400)
        drawn = stop_set(pool, 50, seed=3)
        assert len(np.unique(drawn)) == 50
        assert np.isin(drawn, pool).all()
        assert drawn.tolist() == stop_set(pool, 50, seed=3).tolist() == sorted(drawn)
        assert drawn.tolist() != stop_set(pool, 50, seed=4).tolist()
        assert stop_set(pool, 1000, seed=3).tolist() == pool.tolist()


class TestQuerySize:
    rate = QueryConfig(n_new=20, size_schedule="rate", gain=0.02, least_gain=0.002, max_new=150)

    def size(self, *accuracies, query=rate, stop=ENDLESS, step=20, labeled=100):
        return query_size(query, stop, rounds(*accuracies, step=step), labeled)

    def test_it_never_exceeds_what_the_budget_leaves(self):
        plain = QueryConfig(n_new=20)
        assert query_size(plain, StopConfig(), rounds(0.1), 500) == 20
        assert query_size(plain, StopConfig(budget=50), rounds(0.1), 40) == 10
        assert query_size(plain, StopConfig(budget=50), rounds(0.1), 60) == 0
        assert self.size(0.50, 0.501, stop=StopConfig(budget=130)) == 30

    def test_the_first_query_is_the_query_size(self):
        assert self.size(0.5) == 20
        assert self.size(None, 0.5) == 20

    @pytest.mark.parametrize(
        ("accuracies", "step", "expected"),
        [
            ((0.50, 0.54), 20, 10),  # 20 labels brought .04: half of them bring .02
            ((0.50, 0.51), 20, 40),
            ((0.50, 0.53), 20, 14),  # .02 / (.03 / 20) = 13.3, rounded up
            ((0.50, 0.504), 20, 100),
            ((0.50, 0.50), 20, 150),  # nothing: counts as .002, asks for 200, and 150 is the most
            ((0.60, 0.50), 20, 150),  # a fall counts as nothing
            ((0.95, 0.99), 20, 5),  # only .01 is left to gain
            ((0.50, 1.00), 20, 1),  # nothing is left: one at least, else it would never end by itself
            ((0.20, 0.50, 0.54), 10, 5),  # the last round alone counts, with the labels that it had
        ],
    )
    def test_the_labelling_rate_by_hand(self, accuracies, step, expected):
        assert self.size(*accuracies, step=step) == expected

    def test_without_a_cap_ten_query_sizes_are_the_most(self):
        free = QueryConfig(n_new=20, size_schedule="rate", least_gain=1e-6)
        assert self.size(0.5, 0.5, query=free) == 200

    def test_a_fixed_size_looks_at_nothing(self):
        assert query_size(QueryConfig(n_new=7), StopConfig(), rounds(0.5, 0.9), 100) == 7
