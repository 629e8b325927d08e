"""What is wrapped around strategies: mixtures, balance, no copies, power; each alone, and together."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from al_core import testing
from al_core.config import QueryConfig
from al_core.errors import StrategyError
from al_core.query.composition import Composition, deal
from al_core.query.ranking import powered
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES

COMPOSITIONS = {
    "mixture": {"strategy": "k_center", "second": "margin", "share": 0.4},
    "selectors": {"strategy": "kmeans", "second": "badge"},
    "balance": {"strategy": "margin", "balance": True},
    "balanced_set": {"strategy": "kmeans", "balance": True},
    "no_copies": {"strategy": "entropy", "min_distance": 0.05},
    "no_copies_in_a_set": {"strategy": "badge", "min_distance": 0.3},
    "power": {"strategy": "deep_fool", "power": 1.0},
    "all": {
        "strategy": "margin", "second": "typiclust", "share": 0.3, "balance": True, "min_distance": 0.1,
        "power": 2.0,
    },
}  # fmt: skip


def composed(**changes):
    return Composition.of(QueryConfig(**changes))


def choose(composition, evidence, k, seed=0, **more):
    return composition.choose(
        evidence, num_candidates=evidence["num_candidates"], k=k, rng=np.random.default_rng(seed), **more
    )


@pytest.mark.parametrize("check", testing.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("changes", COMPOSITIONS.values(), ids=COMPOSITIONS)
def test_a_composition_keeps_every_promise_of_a_strategy(changes, check):
    check(composed(**changes).as_strategy())


def test_nothing_wrapped_around_is_the_strategy_itself():
    evidence = testing.make_evidence(50)
    for name in ("margin", "badge", "random"):
        mine = choose(composed(strategy=name), evidence, 9)
        plain = select(STRATEGIES.get(name), evidence, num_candidates=50, k=9, rng=np.random.default_rng(0))
        assert mine.positions.tolist() == plain.positions.tolist()
        assert mine.members is None


def test_evidence_is_gathered_once_for_both():
    both = composed(strategy="margin", second="badge", balance=True, min_distance=0.1)
    assert both.evidence == ("probs", "embeddings", "labeled_classes", "features", "labeled_features")


def probs_of(margins, num_classes=3):
    """Predictions of class 0 whose smallest margins come first in the given order."""
    probs = np.full((len(margins), num_classes), 0.05, np.float32)
    probs[:, 0] = 0.5 + np.asarray(margins) / 200
    probs[:, 1] = 0.9 - probs[:, 0]
    probs[:, 2] = 0.1
    return probs


def test_two_scorers_take_turns_by_hand():
    """Margin alone would pick 0 1 2 3 4 5, the other strategy 5 4 3 2 1 0; a share of 1/3 is its."""
    n = 6
    evidence = {
        "probs": probs_of(np.arange(n)),
        "deepfool_distance": np.arange(n, 0, -1).astype(np.float32),
    }
    evidence["num_candidates"] = n
    found = choose(composed(strategy="margin", second="deep_fool", share=1 / 3), evidence, 5)
    assert found.members.tolist() == [0, 1, 0, 0, 1]
    assert found.positions.tolist() == [0, 5, 1, 2, 4]
    assert found.scores is not None


def test_each_strategy_of_a_mixture_has_its_own_options():
    evidence = testing.make_evidence(60)
    mixed = composed(strategy="margin", second="k_center", share=0.5, second_options={"metric": "cosine"})
    assert [dict(mixed.options_of(place)) for place in (0, 1)] == [{}, {"metric": "cosine"}]
    other = composed(strategy="margin", second="k_center", share=0.5)
    assert choose(mixed, evidence, 20).positions.tolist() != choose(other, evidence, 20).positions.tolist()
    arms = composed(strategy="bandit", options={"arms": "k_center, margin"})
    assert [dict(arms.options_of(place)) for place in (0, 1)] == [{}, {}]


@given(st.integers(0, 400), st.floats(0, 1))
def test_the_share_holds_for_every_beginning_of_a_query(k, share):
    dealt = deal(k, share)
    assert len(dealt) == k
    assert set(dealt.tolist()) <= {0, 1}
    assert np.abs(np.cumsum(dealt) - share * np.arange(1, k + 1)).max(initial=0) <= 0.5 + 1e-9


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_all_is_one_strategy_alone(share):
    evidence = testing.make_evidence(40)
    found = choose(composed(strategy="entropy", second="k_center", share=share), evidence, 10)
    alone = choose(composed(strategy="k_center" if share else "entropy"), evidence, 10)
    assert found.positions.tolist()[1:] == alone.positions.tolist()[1:]


@trials(deadline=None)  # a loaded machine is no reason to fail
@given(st.integers(1, 60), st.integers(0, 1000), st.floats(0, 1), st.booleans(), st.floats(0, 1))
def test_any_composition_gives_k_different_positions(k, seed, share, balance, min_distance):
    evidence = testing.make_evidence(40, seed=seed)
    composition = composed(
        strategy="margin", second="random", share=share, balance=balance, min_distance=min_distance
    )
    picks = choose(composition, evidence, k, seed).positions
    assert len(set(picks.tolist())) == len(picks) == min(k, 40)


def test_balance_fills_the_class_with_the_fewest_labels_first_by_hand():
    """Labels: 3 of class a, 1 of b, 0 of c. Two c, then b and c, then one of each."""
    likely = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    probs = np.full((10, 3), 0.1, np.float32)
    probs[np.arange(10), likely] = 0.8 - np.arange(10) / 100
    probs /= probs.sum(axis=1, keepdims=True)
    evidence = {"probs": probs, "labeled_classes": np.array([0, 0, 0, 1]), "num_candidates": 10}
    picks = choose(composed(strategy="least_confidence", balance=True), evidence, 6).positions
    # least confident last in each class; c: 9, then b and c tie and c's next is the less confident
    assert picks.tolist() == [9, 8, 5, 7, 4, 6]
    more = choose(composed(strategy="least_confidence", balance=True), evidence, 10).positions
    assert sorted(more.tolist()) == list(range(10))


def test_balance_evens_out_what_a_strategy_prefers():
    evidence = testing.make_evidence(400, num_classes=4)
    for name in ("margin", "k_center", "random"):
        picks = choose(composed(strategy=name, balance=True), evidence, 36).positions
        counts = np.bincount(evidence["labeled_classes"], minlength=4)
        counts += np.bincount(evidence["probs"][picks].argmax(1), minlength=4)
        assert counts.max() - counts.min() <= 1, name


def with_copies(seed=0):
    """Ten images, five times each, and a labeled one that copies the first."""
    rng = np.random.default_rng(seed)
    ten = rng.normal(size=(10, 6)).astype(np.float32)
    features = np.repeat(ten, 5, axis=0) * rng.uniform(0.5, 2, (50, 1)).astype(np.float32)
    probs = rng.dirichlet(np.ones(3), 50).astype(np.float32)
    return {
        "probs": probs, "features": features, "labeled_features": 3 * ten[:1], "num_candidates": 50,
        "embeddings": features, "labeled_embeddings": ten[:1],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["margin", "random", "kmeans_features", "badge"])
def test_copies_are_asked_for_last_and_never_make_a_query_short(name):
    evidence = with_copies()
    composition = composed(strategy=name, min_distance=1e-4)
    picks = choose(composition, evidence, 14).positions
    original = picks // 5
    assert sorted(original[:9].tolist()) == list(range(1, 10))
    assert len(picks) == len(set(picks.tolist())) == 14


def test_without_copies_the_order_stays_the_strategys():
    evidence = testing.make_evidence(60)
    plain = choose(composed(strategy="margin"), evidence, 20).positions
    assert choose(composed(strategy="margin", min_distance=1e-6), evidence, 20).positions.tolist() == (
        plain.tolist()
    )


def test_images_without_features_are_copies_of_each_other():
    evidence = testing.make_evidence(10)
    evidence["features"][:8] = 0
    picks = choose(composed(strategy="margin", min_distance=1e-6), evidence, 3).positions
    assert (picks >= 8).sum() == 2


def test_power_draws_by_score():
    """A score of 3 against 1 is drawn first with a chance of 3/4 at beta 1, and of 9/10 at beta 2."""
    rng = np.random.default_rng(0)
    for beta, chance in ((1.0, 0.75), (2.0, 0.9)):
        first = sum(powered(np.array([3.0, 1.0]), beta, rng).argmax() == 0 for _ in range(4000))
        assert first / 4000 == pytest.approx(chance, abs=0.03)


def test_negative_scores_are_drawn_by_rank():
    rng = np.random.default_rng(0)
    first = [powered(np.array([-5.0, -1.0, -5.0]), 1.0, rng).argmax() for _ in range(4000)]
    # ranks 2 1 2: chances 1/4 1/2 1/4
    assert np.bincount(first, minlength=3) / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)


def test_a_set_is_asked_for_more_where_its_picks_do_not_suffice():
    asked = []
    composition = composed(strategy="kmeans", balance=True)
    function = composition.strategies[0].function

    def counting(embeddings, *, k, rng, **options):
        asked.append((len(embeddings), k))
        return function(embeddings, k=k, rng=rng, **options)

    counted = dataclasses.replace(composition.strategies[0], function=counting)
    evidence = testing.make_evidence(100, num_classes=3)
    evidence["probs"] = np.full((100, 3), 0.05, np.float32)
    evidence["probs"][:, 0] = 0.9
    evidence["probs"][50] = (0.05, 0.9, 0.05)  # the only one of its class, which has no label
    evidence["labeled_classes"] = np.zeros(12, np.int64)
    found = choose(Composition((counted,), balance=True), evidence, 2)
    assert found.positions[0] == 50
    assert asked[:2] == [(100, 2), (100, 4)]


def test_what_is_missing_is_said_before_anything_is_chosen():
    evidence = testing.make_evidence(9)
    del evidence["labeled_features"]
    with pytest.raises(StrategyError, match="needs labeled_features"):
        choose(composed(strategy="margin", min_distance=0.1), evidence, 3)


def test_lots_deal_the_slots_and_tell_who_else_would_have_picked_the_same():
    evidence = testing.make_evidence(80)
    found = choose(composed(strategy="margin", second="random"), evidence, 60, chances=np.array([0.25, 0.75]))
    assert 5 < (found.members == 0).sum() < 25
    assert found.support[np.arange(60), found.members].all()
    same = choose(composed(strategy="margin", second="margin"), evidence, 10, chances=np.array([0.5, 0.5]))
    assert same.support.all()
