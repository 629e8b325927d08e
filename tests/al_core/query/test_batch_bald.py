"""BatchBALD against mutual information written out over all labels of a batch."""

import itertools

import numpy as np
import pytest

from al_core.query.strategies.bald import bald
from al_core.query.strategies.batch_bald import Configurations, batch_bald


def passes(num_passes=6, n=7, num_classes=3, seed=0, concentration=0.4):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(num_classes, concentration), (num_passes, n))


def entropy_of(probs):
    probs = probs[probs > 0]
    return -(probs * np.log(probs)).sum()


def information(mc_probs, batch):
    """I(labels of the batch; pass), by going through all labels."""
    num_passes, _, num_classes = mc_probs.shape
    joint = np.array(
        [
            np.prod([mc_probs[:, i, c] for i, c in zip(batch, labels, strict=True)], axis=0)
            for labels in itertools.product(range(num_classes), repeat=len(batch))
        ]
    )
    within = np.mean([entropy_of(joint[:, t]) for t in range(num_passes)])
    return entropy_of(joint.mean(axis=1)) - within


def greedy(mc_probs, k):
    picks = []
    for _ in range(k):
        left = [i for i in range(mc_probs.shape[1]) if i not in picks]
        picks.append(max(left, key=lambda i: information(mc_probs, [*picks, i])))
    return picks


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_greedy_search_by_joint_information(seed):
    mc_probs = passes(seed=seed)
    assert batch_bald(mc_probs, k=5, rng=np.random.default_rng(0)).tolist() == greedy(mc_probs, 5)


def test_what_an_image_adds_is_the_difference_of_joint_informations():
    mc_probs = passes(n=5)
    labels = Configurations(6, 10_000, np.random.default_rng(0))
    for image in (2, 0, 4):
        labels.add(mc_probs[:, image])
    within = np.mean([entropy_of(mc_probs[t, 1]) for t in range(6)])
    gain = labels.entropies(mc_probs[:, [1]].transpose(1, 0, 2))[0] - within
    expected = information(mc_probs, [2, 0, 4, 1]) - information(mc_probs, [2, 0, 4])
    assert gain == pytest.approx(expected, abs=1e-12)
    assert len(labels.chances) == 27
    assert labels.chances.sum() == pytest.approx(1)


def test_drawn_configurations_estimate_the_same():
    mc_probs = passes(n=6, seed=3)
    exact = Configurations(6, 10**6, np.random.default_rng(0))
    drawn = Configurations(6, 60, np.random.default_rng(0))
    images = mc_probs.transpose(1, 0, 2)
    for image in range(4):
        exact.add(mc_probs[:, image])
        drawn.add(mc_probs[:, image])
    assert (len(exact.chances), len(drawn.chances)) == (81, 60)
    many = [Configurations(6, 60, np.random.default_rng(seed)) for seed in range(300)]
    for one in many:
        for image in range(4):
            one.add(mc_probs[:, image])
    mean = np.mean([one.entropies(images[4:]) for one in many], axis=0)
    np.testing.assert_allclose(mean, exact.entropies(images[4:]), atol=0.01)


def test_bald_asks_for_copies_and_batch_bald_does_not():
    """The published demonstration (repeated MNIST), small: the same images eight times over."""
    mc_probs = np.repeat(passes(num_passes=20, n=6, concentration=0.1, seed=1), 8, axis=1)
    top = np.argsort(-bald(mc_probs), kind="stable")[:4] // 8
    assert len(set(top.tolist())) == 1
    picks = batch_bald(mc_probs, k=4, rng=np.random.default_rng(0)) // 8
    assert len(set(picks.tolist())) == 4


def test_the_first_pick_is_that_of_bald():
    mc_probs = passes(num_passes=10, n=50)
    assert batch_bald(mc_probs, k=1, rng=np.random.default_rng(0))[0] == bald(mc_probs).argmax()


def test_only_what_bald_lets_through_is_asked():
    mc_probs = passes(num_passes=10, n=50)
    best = np.argsort(-bald(mc_probs))[:8]
    picks = batch_bald(mc_probs, k=6, rng=np.random.default_rng(0), max_candidates=8)
    assert set(picks) <= set(best)
    assert len(set(batch_bald(mc_probs, k=20, rng=np.random.default_rng(0), max_candidates=8))) == 20
