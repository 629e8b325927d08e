"""ALFA-Mix: the closed form by hand, what flips, and the fill."""

import numpy as np

from al_core.query.strategies.alfa_mix import alfa_mix, anchors, flips, mixing


def rng():
    return np.random.default_rng(0)


def test_anchors_are_the_mean_of_each_labeled_class():
    rows = np.array([[0, 0], [2, 4], [5, 5]], np.float32)
    assert anchors(rows, np.array([0, 0, 2])).tolist() == [[1, 2], [5, 5]]


def test_the_mixing_rates_by_hand():
    """eps |a - h| g / (|g| (a - h)): along the gradient's sign, and bounded."""
    gradient, way = np.array([[3.0, 4.0]]), np.array([[6.0, 8.0]])
    # |way| = 10, |g| = 5: .1 * 10 * (3, 4) / (5 * (6, 8)) = (.1, .1)
    np.testing.assert_allclose(mixing(gradient, way, 0.1), [[0.1, 0.1]])
    # where the gradient points away from the anchor nothing is mixed; a way of 0 is no division by 0
    np.testing.assert_allclose(mixing(-gradient, way, 0.1), [[0.0, 0.0]])
    assert np.isfinite(mixing(gradient, np.array([[0.0, 8.0]]), 0.1)).all()
    assert mixing(100 * gradient, way, 50.0).max() <= 1


def test_images_near_a_border_flip_and_images_far_from_it_do_not():
    """Two classes on a line, border at 0, anchors at -1 and 1."""
    weights, bias = np.array([[-5.0], [5.0]]), np.zeros(2)
    h = np.array([[-0.9], [-0.05], [0.02], [0.8]], np.float32)
    logits = h @ weights.T
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found = flips(probs, h, np.array([[-1.0], [1.0]]), weights, bias, 0.1)
    assert found.tolist() == [False, True, True, False]


def test_asked_are_images_that_flip_and_then_any():
    weights, bias = np.array([[-5.0], [5.0]], np.float32), np.zeros(2, np.float32)
    h = np.linspace(-1, 1, 41, dtype=np.float32)[:, None]
    logits = h @ weights.T
    probs = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    labeled, classes = np.array([[-1.0], [1.0]], np.float32), np.array([0, 1])
    picks = alfa_mix(probs, h, labeled, classes, weights, bias, k=3, rng=rng(), epsilon=0.2)
    assert np.abs(h[picks]).max() < 0.3
    everything = alfa_mix(probs, h, labeled, classes, weights, bias, k=41, rng=rng(), epsilon=0.2)
    assert sorted(everything.tolist()) == list(range(41))
