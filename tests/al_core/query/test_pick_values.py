"""The number beside each pick: in the strategy's own terms, at the moment of picking, and never a choice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core import testing
from al_core.config import QueryConfig
from al_core.errors import StrategyError
from al_core.query.composition import Composition, deal
from al_core.query.geometry import unit_rows
from al_core.query.picks import Picks
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.query.strategies.margin import margin

N, K = 120, 25


def chosen(name, evidence=None, k=K, seed=0, **options):
    evidence = testing.make_evidence(N, m=12) if evidence is None else evidence
    return select(
        STRATEGIES.get(name), evidence, num_candidates=N, k=k, rng=np.random.default_rng(seed),
        options=options,
    )  # fmt: skip


@pytest.mark.parametrize("name", [n for n in STRATEGIES.names() if n != "random"])
def test_every_strategy_but_chance_gives_a_number_with_each_pick_and_says_what_it_is(name):
    found = chosen(name)
    assert STRATEGIES.get(name).score
    assert found.values.shape == (K,)
    assert found.values.dtype == np.float64
    known = found.values[np.isfinite(found.values)]
    assert len(known) >= (K // 2 if name != "bandit" else 1)  # an arm of the bandit's is chance
    # picks of one query differ, and so do their numbers: a constant would say nothing
    assert len(np.unique(known)) > 1


def test_chance_has_no_number():
    assert chosen("random").values is None
    assert STRATEGIES.get("random").score == ""


def test_the_number_of_k_center_is_the_distance_when_it_was_picked_by_brute_force():
    evidence = testing.make_evidence(N, m=12)
    found = chosen("k_center", evidence)
    centres = list(evidence["labeled_embeddings"].astype(np.float64))
    for position, value in zip(found.positions, found.values, strict=True):
        point = evidence["embeddings"][position].astype(np.float64)
        assert value == pytest.approx(np.linalg.norm(np.array(centres) - point, axis=1).min(), rel=1e-4)
        centres.append(point)
    assert (np.diff(found.values) <= 1e-5).all()


def test_the_first_of_a_traversal_without_labels_has_no_distance():
    found = chosen("k_center_features", testing.make_evidence(N, m=0))
    assert np.isnan(found.values[0])
    assert np.isfinite(found.values[1:]).all()


def test_the_number_of_badge_is_the_distance_of_gradients_by_brute_force():
    evidence = testing.make_evidence(N)
    found = chosen("badge", evidence)
    errors = evidence["probs"] - np.eye(evidence["probs"].shape[1])[evidence["probs"].argmax(1)]
    gradients = np.einsum("nc,nd->ncd", errors, evidence["embeddings"]).reshape(N, -1)
    before = np.zeros((1, gradients.shape[1]))
    for place, (position, value) in enumerate(zip(found.positions, found.values, strict=True)):
        distance = np.linalg.norm(before - gradients[position], axis=1).min()
        assert value == pytest.approx(distance, rel=1e-3, abs=2e-3)
        before = gradients[found.positions[: place + 1]]


def test_the_number_of_max_herding_is_what_coverage_gains_by_brute_force():
    evidence = testing.make_evidence(N, m=12)
    found = chosen("max_herding", evidence)
    pool, labeled = (unit_rows(evidence[name]) for name in ("features", "labeled_features"))

    def similar(some):
        apart = ((pool[:, None] - some[None]) ** 2).sum(-1)
        return np.exp(-apart).max(axis=1)

    covered = similar(labeled)
    for position, value in zip(found.positions, found.values, strict=True):
        after = np.maximum(covered, similar(pool[[position]]))
        assert value == pytest.approx((after - covered).mean(), abs=1e-5)
        covered = after
    assert (np.diff(found.values) <= 1e-6).all()


def test_a_ball_s_number_is_how_many_images_it_newly_holds():
    found = chosen("prob_cover")
    assert (found.values == np.round(found.values)).all()
    assert (np.diff(found.values) <= 0).all()
    assert 1 <= found.values.sum() <= N


def test_the_middle_of_a_cluster_says_how_large_it_is():
    found = chosen("kmeans")
    assert found.values.sum() == N
    copies = testing.taken(testing.make_evidence(5), np.arange(N) % 5)
    few = chosen("kmeans", copies)
    assert few.values[:5].sum() == N
    assert np.isnan(few.values[5:]).all()


def test_a_scorer_s_number_is_its_score_whether_drawn_or_top():
    evidence = testing.make_evidence(N)
    scores = margin(evidence["probs"])
    for name in ("margin", "power_margin", "cluster_margin"):
        found = chosen(name, evidence)
        np.testing.assert_allclose(found.values, scores[found.positions])


def compose(evidence, **query):
    composition = Composition.of(QueryConfig(**query))
    needed = {name: evidence[name] for name in (*composition.evidence, "num_candidates")}
    return composition, composition.choose(
        needed, num_candidates=N, k=K, rng=np.random.default_rng(0)
    )  # fmt: skip


def test_in_a_mixture_each_pick_has_the_number_of_the_strategy_that_picked_it():
    evidence = testing.make_evidence(N, m=12) | {"num_candidates": N}
    composition, found = compose(evidence, strategy="margin", second="k_center", share=0.4)
    scores, alone = margin(evidence["probs"]), chosen("k_center", evidence)
    distance = dict(zip(alone.positions.tolist(), alone.values, strict=True))
    for slot, (member, position) in enumerate(zip(found.members, found.positions, strict=True)):
        expected = distance.get(int(position)) if member else scores[position]
        assert expected is None or found.values[slot] == pytest.approx(expected)
        words = composition.score_words(slot, K)
        assert words == STRATEGIES.get("k_center" if member else "margin").score
    assert found.members.tolist() == deal(K, 0.4).tolist()


@pytest.mark.parametrize(
    "around", [{"balance": True}, {"min_distance": 0.02}, {"balance": True, "min_distance": 0.02}]
)
@pytest.mark.parametrize("name", ["u_herding", "badge", "entropy"])
def test_what_is_wrapped_around_a_strategy_keeps_its_numbers(name, around):
    evidence = testing.make_evidence(N, m=12) | {"num_candidates": N}
    composition, found = compose(evidence, strategy=name, **around)
    assert np.isfinite(found.values).all()
    assert composition.score_words(3, K) == STRATEGIES.get(name).score


def test_a_power_draws_by_chance_and_shows_the_score():
    evidence = testing.make_evidence(N) | {"num_candidates": N}
    _, found = compose(evidence, strategy="entropy", power=1.0)
    np.testing.assert_allclose(found.values, found.scores[found.positions])


@given(st.integers(0, 20), st.integers(0, 1000))
def test_picks_are_an_array_of_positions_and_parts_of_them_know_no_numbers(k, seed):
    positions = np.random.default_rng(seed).permutation(20)[:k]
    picks = Picks(positions, np.arange(k))
    np.testing.assert_array_equal(picks, positions)
    assert picks.values.tolist() == list(range(k))
    assert picks[: k // 2].values is None
    assert (picks + 1).values is None
    assert picks.of(np.arange(20)[::-1]).tolist() == (19 - positions).tolist()
    assert picks.of(np.arange(20)).values.tolist() == list(range(k))


def test_a_wrong_number_of_numbers_is_refused():
    def own(num_candidates, *, k, rng):
        """Ask for the first."""
        return Picks(np.arange(k), np.zeros(k + 1))

    strategy = Strategy.of(own, "Own", family="baseline")
    with pytest.raises(StrategyError, match=r"values of shape \(4,\) with 3 picks"):
        select(strategy, {}, num_candidates=9, k=3, rng=np.random.default_rng(0))
