"""The uncertainty scores by hand, and where each differs from the others."""

import numpy as np
import pytest

from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.query.strategies.entropy import entropy
from al_core.query.strategies.least_confidence import least_confidence
from al_core.query.strategies.margin import margin

# three images that the three scores order in three ways; A holds a probability of exactly 0
A, B, C = [0.5, 0.5, 0], [0.45, 0.30, 0.25], [0.55, 0.225, 0.225]
HAND = np.array([A, B, C])


def order(name, probs=HAND):
    strategy = STRATEGIES.get(name)
    chosen = select(strategy, {"probs": probs}, num_candidates=3, k=3, rng=np.random.default_rng(0))
    return "".join("ABC"[position] for position in chosen.positions)


def test_each_score_has_an_order_of_its_own():
    assert order("least_confidence") == "BAC"
    assert order("margin") == "ABC"
    assert order("entropy") == "BCA"


def test_scores_are_those_of_the_papers():
    np.testing.assert_allclose(least_confidence(HAND), [0.5, 0.55, 0.45])
    np.testing.assert_allclose(margin(HAND), [1, 0.85, 0.675])
    np.testing.assert_allclose(entropy(HAND), [np.log(2), 1.067, 1.000], atol=1e-3)


@pytest.mark.parametrize("score", [least_confidence, margin, entropy])
@pytest.mark.parametrize("num_classes", [2, 3, 10, 100])
def test_certainty_scores_nothing_and_an_even_guess_scores_highest(score, num_classes):
    rng = np.random.default_rng(0)
    probs = np.concatenate(
        [
            rng.dirichlet(np.ones(num_classes), 50),
            np.eye(num_classes)[:1],
            np.full((1, num_classes), 1 / num_classes),
        ]
    )
    scores = score(probs)
    assert np.isfinite(scores).all()
    assert scores[50] == 0
    assert scores.argmax() == 51
    assert scores.min() >= 0


@pytest.mark.parametrize("score", [least_confidence, margin, entropy])
def test_scores_are_float64_whatever_comes_in(score):
    probs = np.random.default_rng(0).dirichlet(np.ones(5), 30)
    for dtype in (np.float16, np.float32, np.float64):
        scores = score(probs.astype(dtype))
        assert scores.dtype == np.float64
        np.testing.assert_allclose(scores, score(probs), atol=5e-3 if dtype == np.float16 else 1e-6)


def test_with_two_classes_the_three_agree():
    first = np.random.default_rng(1).uniform(size=200)
    probs = np.stack([first, 1 - first], axis=1)
    orders = [np.argsort(score(probs)) for score in (least_confidence, margin, entropy)]
    np.testing.assert_array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(orders[0], orders[2])


@pytest.mark.parametrize("score", [least_confidence, margin, entropy])
def test_the_names_of_the_classes_do_not_matter(score):
    probs = np.random.default_rng(2).dirichlet(np.ones(6), 40)
    np.testing.assert_allclose(score(probs[:, ::-1]), score(probs))


def test_uncertainty_never_prefers_the_most_confident():
    """Seed 2's sixth defect: its "expected model change" asked for the most confident images."""
    probs = np.array([[0.99, 0.01], [0.8, 0.2], [0.51, 0.49]])
    for score in (least_confidence, margin, entropy):
        assert np.argsort(score(probs)).tolist() == [0, 1, 2]
