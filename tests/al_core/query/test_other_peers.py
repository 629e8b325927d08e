"""The same arrays to small-text and modAL: the same scores and picks.

small-text is a requirement of the tests. modAL is not, since it installs a package named `tests` and wants
skorch 0.9.0: put it on the path by hand (`pip install --no-deps --target DIR modAL-python`, PYTHONPATH=DIR).
libact cannot be built: its set-up imports Cython, which it does not ask for ("ModuleNotFoundError: No module
named 'Cython'").
"""

import numpy as np
import pytest

from al_core.query.geometry import kcenter, unit_rows
from al_core.query.strategies.bald import bald
from al_core.query.strategies.entropy import entropy
from al_core.query.strategies.least_confidence import least_confidence
from al_core.query.strategies.margin import margin
from al_core.query.strategies.qbc_consensus import qbc_consensus
from al_core.query.strategies.qbc_vote_entropy import qbc_vote_entropy


def softmax(shape, seed=0):
    logits = 2 * np.random.default_rng(seed).normal(size=shape)
    probs = np.exp(logits)
    return probs / probs.sum(axis=-1, keepdims=True)


class Fixed:
    """A classifier that says what it was told, whatever it is shown."""

    def __init__(self, probs):
        self.probs = probs

    def predict_proba(self, images, **options):
        return self.probs


@pytest.fixture
def small_text():
    return pytest.importorskip("small_text.query_strategies", reason="small-text is not installed")


@pytest.mark.parametrize(
    ("ours", "name"),
    [(entropy, "PredictionEntropy"), (margin, "BreakingTies"), (least_confidence, "LeastConfidence")],
)
def test_small_text_asks_for_the_same_images(small_text, ours, name):
    probs, images = softmax((200, 7)), np.arange(200)
    theirs = getattr(small_text, name)().query(Fixed(probs), images, images, np.empty(0, int), None, n=30)
    assert set(theirs) == set(np.argsort(-ours(probs))[:30])


def test_small_text_asks_for_the_same_images_by_dropout_s_disagreement(small_text):
    passes, images = softmax((12, 150, 5)), np.arange(150)
    peer = small_text.BALD(dropout_samples=12)
    theirs = peer.query(Fixed(passes.transpose(1, 0, 2)), images, images, np.empty(0, int), None, n=25)
    assert set(theirs) == set(np.argsort(-bald(passes))[:25])


# the angle of an image with itself, which it then leaves out, is nan there
@pytest.mark.filterwarnings("ignore:invalid value encountered in arccos")
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_small_text_s_core_set_makes_the_same_picks(small_text, metric):
    from small_text.query_strategies.coresets import greedy_coreset

    points = np.random.default_rng(1).normal(size=(310, 8)).astype(np.float32)
    # its picks are positions among the unlabeled, and are then read as rows of all: unlabeled come first
    theirs = greedy_coreset(points, np.arange(300), np.arange(300, 310), 40, distance_metric=metric)
    seen = unit_rows(points) if metric == "cosine" else points
    np.testing.assert_array_equal(kcenter(seen[:300], 40, centres=seen[300:]), theirs)


class Voters:
    """A committee as modAL sees one."""

    def __init__(self, probs):
        self.probs, self.classes_ = probs, np.arange(probs.shape[2])

    def __len__(self):
        return len(self.probs)

    def vote(self, images):
        return self.probs.argmax(axis=2).T

    def predict_proba(self, images):
        return self.probs.mean(axis=0)


@pytest.fixture
def modal():
    reason = "modAL is not on the path: it installs a package named tests, see the head of this file"
    return pytest.importorskip("modAL", reason=reason)


def test_modal_s_scores_are_the_same(modal):
    from modAL import disagreement, uncertainty

    probs, images = softmax((100, 6)), np.zeros((100, 1))
    np.testing.assert_allclose(
        entropy(probs), uncertainty.classifier_entropy(Fixed(probs), images), atol=1e-12
    )
    theirs = uncertainty.classifier_uncertainty(Fixed(probs), images)
    np.testing.assert_allclose(least_confidence(probs), theirs, atol=1e-12)
    gaps = uncertainty.classifier_margin(Fixed(probs), images)
    np.testing.assert_allclose(margin(probs), 1 - np.abs(gaps), atol=1e-12)
    members = softmax((5, 100, 6), seed=2)
    theirs = disagreement.consensus_entropy(Voters(members), images)
    np.testing.assert_allclose(qbc_consensus(members), theirs, atol=1e-9)
    # ours breaks ties by a millionth of the divergence
    theirs = disagreement.vote_entropy(Voters(members), images)
    np.testing.assert_allclose(qbc_vote_entropy(members), theirs, atol=1e-5)
