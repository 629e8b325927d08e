"""BADGE and expected gradient length: the closed forms against gradients that are written out."""

import tracemalloc

import numpy as np
import pytest
import torch

from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.query.strategies.badge import Gradients, badge
from al_core.query.strategies.egl import egl


def evidence(n=80, num_classes=5, width=12, seed=0):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(num_classes, 0.5), n).astype(np.float32)
    return probs, rng.normal(size=(n, width)).astype(np.float32)


def written_out(probs, embeddings):
    errors = probs - np.eye(probs.shape[1])[probs.argmax(axis=1)]
    return (errors[:, :, None] * embeddings[:, None, :]).reshape(len(probs), -1)


def test_factored_distances_are_those_of_the_written_out_gradients():
    probs, embeddings = evidence()
    gradients, full = Gradients(probs, embeddings), written_out(probs, embeddings)
    rows, others = np.arange(80), np.array([3, 50, 7])
    expected = ((full[:, None] - full[others][None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(gradients.to(rows, others), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradients.squares, (full**2).sum(axis=1), rtol=1e-5)


def test_badge_begins_with_the_longest_gradient_and_then_draws_by_squared_distance():
    probs, embeddings = evidence(n=7)
    full = written_out(probs, embeddings)
    longest = (full**2).sum(axis=1).argmax()
    chances = ((full - full[longest]) ** 2).sum(axis=1)
    seconds = np.zeros(7)
    for seed in range(4000):
        first, second = badge(probs, embeddings, k=2, rng=np.random.default_rng(seed))
        assert first == longest
        seconds[second] += 1
    np.testing.assert_allclose(seconds / 4000, chances / chances.sum(), atol=0.03)


def test_badge_never_asks_for_two_copies_of_one_image():
    probs, embeddings = evidence(n=15)
    probs, embeddings = np.repeat(probs, 8, axis=0), np.repeat(embeddings, 8, axis=0)
    for seed in range(20):
        picks = badge(probs, embeddings, k=15, rng=np.random.default_rng(seed))
        assert sorted(picks // 8) == list(range(15))


def test_badge_passes_over_images_of_which_it_is_sure():
    probs, embeddings = evidence(n=200)
    probs[:150] = np.eye(5)[probs[:150].argmax(axis=1)]
    picks = badge(probs, embeddings, k=40, rng=np.random.default_rng(0))
    assert (picks < 150).sum() <= 1  # all 150 lie in one point, the origin


def test_badge_needs_no_written_out_gradients():
    """The usual way holds n x C x D numbers: 80 MB here as float32."""
    probs, embeddings = evidence(n=4000, num_classes=50, width=100)
    tracemalloc.start()
    badge(probs, embeddings, k=100, rng=np.random.default_rng(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6


def test_expected_gradient_length_is_what_autograd_computes():
    probs, embeddings = evidence(n=12)
    logits = torch.from_numpy(np.log(probs.astype(np.float64)))
    expected = np.zeros(12)
    for image in range(12):
        h = torch.from_numpy(embeddings[image].astype(np.float64))
        for label in range(5):
            # weights of zero and a bias that gives the logits: the gradient is that of any such layer
            weights = torch.zeros(5, 12, dtype=torch.float64, requires_grad=True)
            bias = logits[image].clone().requires_grad_()
            loss = torch.nn.functional.cross_entropy((weights @ h + bias)[None], torch.tensor([label]))
            of_weights, of_bias = torch.autograd.grad(loss, (weights, bias))
            length = torch.sqrt((of_weights**2).sum() + (of_bias**2).sum())
            expected[image] += probs[image, label] * length.item()
    np.testing.assert_allclose(egl(probs, embeddings), expected, rtol=1e-6)


def test_expected_gradient_length_prefers_the_uncertain_to_the_confident():
    """Seed 2's sixth defect: its expected model change asked for the most confident images."""
    probs = np.array([[0.98, 0.02], [0.5, 0.5], [0.8, 0.2], [1.0, 0.0]])
    scores = egl(probs, np.ones((4, 3)))
    assert np.argsort(-scores).tolist() == [1, 2, 0, 3]
    assert scores[3] == 0


@pytest.mark.parametrize("name", ["badge", "egl"])
def test_half_precision_evidence_is_read_without_overflow(name):
    probs, embeddings = evidence()
    chosen = select(
        STRATEGIES.get(name),
        {"probs": probs, "embeddings": (100 * embeddings).astype(np.float16)},
        num_candidates=80, k=10, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert len(set(chosen.positions.tolist())) == 10
