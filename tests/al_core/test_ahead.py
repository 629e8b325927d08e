"""What a round asks for where people label while it trains."""

import numpy as np
import pytest

from al_core.ahead import offer, open_images
from al_core.config import ExperimentConfig, QueryConfig
from al_core.pool import Pool
from al_core.query.composition import Composition
from al_core.query.remaining import after
from al_core.records import LabelEvent, LabelSource, Query, QueryItem, RoundRecord

NONE = np.empty(0, np.int64)


def config(**changes):
    return ExperimentConfig().changed(query__n_new=4, **changes)


def query(asked, ahead=(), round=0):
    items = [QueryItem(rank, i, None) for rank, i in enumerate([*asked, *ahead])]
    split = len(asked)
    return Query("e", round, "margin", tuple(items[:split]), 30, "h", 0.0, tuple(items[split:]))


def pool(size, labels):
    events = {
        i: LabelEvent(n, "e", i, value, LabelSource.HUMAN, "", 0, "c", n, 0.0)
        for n, (i, value) in enumerate(labels.items(), start=1)
    }
    return Pool.fold(size, events, NONE)


def rounds(*labeled):
    return [
        RoundRecord("e", number, count, 0, {}, None, (), {}, {}, {}, 0.0)
        for number, count in enumerate(labeled)
    ]


def test_what_is_open_is_left_out_answered_or_not():
    before = query([0, 1, 2, 3], [10, 11, 12, 13])
    partly = pool(30, {0: 1, 1: 1, 2: 0})
    found = offer(config(), rounds(3), partly, before)
    assert found.open_ids.tolist() == [3, 10, 11, 12, 13]
    assert not set(found.unlabeled_ids) & {0, 1, 2, 3, 10, 11, 12, 13}
    assert (found.asked, found.ahead) == (4, 4)


def test_an_oracle_is_offered_nothing_ahead_and_nothing_is_left_out():
    before = query([0, 1, 2, 3], [10])
    found = offer(config(oracle="truth"), rounds(3), pool(30, {0: 1}), before)
    assert (found.asked, found.ahead, len(found.open_ids)) == (4, 0, 0)
    assert len(found.unlabeled_ids) == 29


@pytest.mark.parametrize(("ahead", "given"), [(None, 4), (0, 0), (7, 7)])
def test_the_option_says_how_many(ahead, given):
    assert offer(config(query__ahead=ahead), rounds(3), pool(30, {}), None).ahead == given


def test_no_image_lies_ahead_that_no_round_would_train():
    found = offer(config(stop__n_rounds=3), rounds(4, 8), pool(30, {}), None)
    assert (found.asked, found.ahead) == (4, 0)
    assert offer(config(stop__n_rounds=3), rounds(4), pool(30, {}), None).ahead == 4


def test_the_budget_holds_whatever_is_answered_and_is_spent_in_the_end():
    """The laziest and the busiest person: no label above the budget, and none of it left."""
    for busy in (False, True):
        settings = config(stop__budget=21)
        labels, before, done = {0: 0}, None, []
        for _ in range(20):
            now = pool(60, labels)
            done = rounds(*[r.num_labeled for r in done], len(now.paid_ids))
            if len(now.paid_ids) >= 21:
                break
            late = [i for i in open_images(settings, now, before).tolist() if i not in labels]
            found = offer(settings, done, now, before)
            if busy:
                labels |= dict.fromkeys(late, 0)
            picks = found.unlabeled_ids[: found.asked + found.ahead].tolist()
            before = query(picks[: found.asked], picks[found.asked :], len(done) - 1)
            assert found.asked > 0
            labels |= dict.fromkeys(picks[: found.asked], 0)
            assert len(labels) <= 21
        assert len(labels) == 21


def test_the_last_images_of_a_pool_are_asked_though_they_were_open():
    before = query([0, 1], [2, 3])
    found = offer(config(), rounds(2), pool(4, {0: 0, 1: 0}), before)
    assert found.unlabeled_ids.tolist() == [2, 3]
    assert (found.asked, found.ahead) == (4, 0)


def test_what_is_left_after_a_choice_knows_the_picked_as_labeled():
    evidence = {
        "probs": np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
        "embeddings": np.arange(6.0).reshape(3, 2),
        "labeled_embeddings": np.full((1, 2), 9.0),
        "labeled_classes": np.array([0]),
        "mc_probs": np.arange(12.0).reshape(2, 3, 2),
    }
    left, rest = after(evidence, 3, np.array([1]))
    assert left.tolist() == [0, 2]
    assert rest["num_candidates"] == 2
    assert rest["labeled_embeddings"].tolist() == [[9, 9], [2, 3]]
    assert rest["labeled_classes"].tolist() == [0, 1]
    assert rest["mc_probs"].shape == (2, 2, 2)
    assert rest["probs"].tolist() == [[0.9, 0.1], [0.6, 0.4]]
    unknown = {name: evidence[name] for name in ("embeddings", "labeled_embeddings", "labeled_classes")}
    assert after(unknown, 3, np.array([1]))[1]["labeled_embeddings"].tolist() == [[9, 9]]


def test_with_the_bandit_what_lies_ahead_is_no_twin_of_what_is_asked():
    """Pairs of twins, each pair far from all others: a cover asks one of a pair, and one of another ahead."""
    composition = Composition.of(QueryConfig(strategy="bandit", options={"arms": "k_center"}))
    places = 100.0 * np.repeat(np.arange(1, 7), 2) + np.tile([0, 0.1], 6)
    evidence = {
        "num_candidates": 12, "probs": np.tile([0.7, 0.3], (12, 1)), "embeddings": places[:, None],
        "labeled_embeddings": np.zeros((1, 1)), "labeled_features": np.ones((1, 3)),
        "labeled_classes": np.array([0]),
    }  # fmt: skip
    only_cover = np.array([float(arm.name == "k_center") for arm in composition.strategies])

    def choose(evidence, n):
        return composition.choose(
            evidence, num_candidates=n, k=3, rng=np.random.default_rng(0), chances=only_cover
        ).positions

    asked = choose(evidence, 12)
    left, rest = after({name: evidence[name] for name in composition.read}, 12, asked)
    ahead = left[choose(rest, len(left))]
    assert len({*(asked // 2).tolist(), *(ahead // 2).tolist()}) == 6
