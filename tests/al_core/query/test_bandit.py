"""The bandit: its arithmetic by hand, what it learns, and a probe that is never asked what it saw."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from al_core import testing
from al_core.config import QueryConfig
from al_core.errors import StrategyError
from al_core.query.bandit import (
    Turn,
    arm_accuracies,
    arms_of,
    chances_of,
    learned,
    least_chance,
    left_out,
    rewards_of,
    updated,
)
from al_core.query.composition import Composition


def turn(chances, members, num_arms=None, support=None, accuracies=None):
    num_arms = num_arms or len(chances)
    members = np.asarray(members)
    support = np.eye(num_arms, dtype=bool)[members] if support is None else np.asarray(support, bool)
    accuracies = np.full(num_arms, np.nan) if accuracies is None else np.asarray(accuracies, float)
    return Turn(np.asarray(chances, float), members, support, accuracies)


def test_the_update_by_hand():
    """Two arms, p = .75 and .25; the first picked one image that both support, the second one of its own."""
    played = turn([0.75, 0.25], [0, 1], support=[[1, 1], [0, 1]])
    assert played.odds.tolist() == [1.0, 0.25]
    new = updated(np.zeros(2), played, np.array([0.5, 1.0]), least=0.1, horizon=10, delta=0.1)
    # r_0 = (.5 / 1) / 2 = .25; r_1 = (.5 / 1 + 1 / .25) / 2 = 2.25
    bonus = math.sqrt(math.log(2 / 0.1) / 20)
    assert new == pytest.approx([0.05 * (0.25 + bonus / 0.75), 0.05 * (2.25 + bonus / 0.25)])


@given(
    arrays(float, st.integers(2, 9), elements=st.floats(-1e6, 1e6)),
    st.integers(1, 10_000),
)
def test_chances_sum_to_one_and_none_is_below_the_least(log_weights, horizon):
    least = least_chance(len(log_weights), horizon)
    chances = chances_of(log_weights, least)
    assert chances.sum() == pytest.approx(1)
    assert (chances >= least * (1 - 1e-12)).all()
    assert 0 < least <= 1 / (2 * len(log_weights))


def test_one_arm_alone_has_every_chance():
    assert chances_of(np.zeros(1), least_chance(1, 10)).tolist() == [1.0]


def play(rounds, k, payoff, seed=0, horizon=None):
    """The chances of each round, where an arm's accuracy is its payoff with some noise."""
    rng = np.random.default_rng(seed)
    num_arms, turns, seen = len(payoff), [], []
    for _ in range(rounds):
        chances = learned(turns, num_arms, horizon=horizon or rounds, delta=0.1)
        members = rng.choice(num_arms, k, p=chances)
        accuracies = np.full(num_arms, np.nan)
        drawn = np.unique(members)
        accuracies[drawn] = np.asarray(payoff)[drawn] + rng.normal(0, 0.01, len(drawn))
        turns.append(turn(chances, members, accuracies=accuracies))
        seen.append(chances)
    return np.array(seen)


@pytest.mark.parametrize("seed", range(3))
def test_with_an_oracle_arm_and_a_useless_one_the_chances_go_to_the_oracle(seed):
    seen = play(200, 10, [0.9, 0.1], seed)
    least = least_chance(2, 200)
    assert seen[0].tolist() == [0.5, 0.5]
    # where p_1 is so small that the bonus for arms that are seldom tried makes up for the difference
    assert seen[-1, 0] > 0.85
    assert seen[-1, 0] <= 1 - least + 1e-12
    assert seen[::25, 0][:5].tolist() == sorted(seen[::25, 0][:5])


def test_arms_that_are_worth_the_same_keep_about_the_same_chances():
    assert np.abs(play(60, 10, [0.5, 0.5, 0.5])[-1] - 1 / 3).max() < 0.25


def test_rewards_are_differences_on_the_largest_scale_so_far():
    history = [np.array([0.5, np.nan, 0.5]), np.array([0.4, 0.6, np.nan]), np.array([0.55, 0.45, 0.5])]
    first, second, third = rewards_of(history)
    assert first.tolist() == [0.5, 0.5, 0.5]
    assert second == pytest.approx([0, 1, 0.5])
    assert third == pytest.approx([0.75, 0.25, 0.5])


def test_replaying_gives_the_same_chances_from_the_same_turns():
    turns = [turn([0.5, 0.5], [0, 1, 1], accuracies=[0.7, 0.6]), turn([0.6, 0.4], [0, 0, 1])]
    again = [turn([0.5, 0.5], [0, 1, 1], accuracies=[0.7, 0.6]), turn([0.6, 0.4], [0, 0, 1])]
    one, two = (learned(t, 2, horizon=9, delta=0.1) for t in (turns, again))
    assert one.tolist() == two.tolist()


@pytest.mark.parametrize("width", [3, 60])
def test_the_closed_form_is_the_fit_without_the_point(width):
    """Both forms (more points than features, and fewer), against fitting m times."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, width))
    classes = rng.integers(3, size=30)
    weights = np.where(np.arange(30) % 4 == 0, 0.0, rng.uniform(0.5, 3, 30))
    x = points - points.mean(0)
    x /= np.sqrt((x * x).sum(1).mean())
    x = np.concatenate([x, np.ones((30, 1))], axis=1)
    y = np.eye(3)[classes]
    expected = []
    for i in range(30):
        w = weights.copy()
        w[i] = 0
        beta = np.linalg.solve(x.T @ (w[:, None] * x) + np.eye(width + 1), x.T @ (w[:, None] * y))
        expected.append(int((x[i] @ beta).argmax()))
    assert left_out(points, classes, weights).tolist() == expected


def test_a_probe_that_could_know_its_points_by_heart_is_at_chance_on_noise():
    """The trap: on random labels such a fit is right on all that it saw; on what is left out it is not."""
    rng = np.random.default_rng(0)
    points, classes = rng.normal(size=(120, 300)), rng.integers(2, size=120)
    assert (left_out(points, classes, np.ones(120)) == classes).mean() < 0.65


def test_the_arm_whose_picks_teach_more_is_rewarded():
    """Old labels know two of three classes; arm 0 asks for the third, arm 1 for more of the first."""
    rng = np.random.default_rng(1)
    centres = 4 * np.eye(3, 8)
    old, zero, one = np.repeat([0, 1], 10), np.full(6, 2), np.zeros(6, np.int64)
    classes = np.concatenate([old, zero, one]).astype(np.int64)
    points = centres[classes] + rng.normal(size=(len(classes), 8))
    arms = np.concatenate([np.full(20, -1), np.zeros(6, np.int64), np.ones(6, np.int64)])
    odds = np.where(arms < 0, 1.0, 0.4)
    found = arm_accuracies(points, classes, arms, odds, 3)
    assert found[0] > found[1] + 0.1
    assert np.isnan(found[2])


def test_arms_are_read_from_a_list_and_random_is_always_one():
    assert [arm.name for arm in arms_of("margin, KCenterGreedy,margin")] == ["margin", "k_center", "random"]
    assert [arm.name for arm in arms_of("")] == ["random"]
    with pytest.raises(StrategyError, match="did you mean 'margin'"):
        arms_of("margn")
    with pytest.raises(StrategyError, match="cannot be an arm"):
        arms_of("margin, albl")


def test_a_config_s_bandit_asks_for_the_evidence_of_all_its_arms():
    asked = Composition.of(QueryConfig(strategy="albl", options={"arms": "typiclust, bald"}))
    assert {"features", "labeled_features", "mc_probs", "labeled_classes"} <= set(asked.evidence)
    assert asked.name == "bandit"
    found = asked.choose(testing.make_evidence(60), num_candidates=60, k=20, rng=np.random.default_rng(0))
    assert set(found.members.tolist()) == {0, 1, 2}
    assert found.support.shape == (20, 3)
