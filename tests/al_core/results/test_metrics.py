"""Metrics against scikit-learn, and the cases where definitions differ."""

import numpy as np
import pytest
from sklearn import metrics as reference

from al_core.results import metrics


def sample(n=400, num_classes=6, seed=0, absent=()):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(num_classes, 0.4), n)
    labels = np.array([rng.choice(num_classes, p=p) for p in probs])
    keep = ~np.isin(labels, absent)
    return probs[keep], labels[keep]


@pytest.mark.parametrize("absent", [(), (2,), (0, 5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_summary_equals_scikit_learn_over_the_classes_that_occur(seed, absent):
    probs, labels = sample(seed=seed, absent=absent)
    predicted, present = probs.argmax(axis=1), np.unique(labels)
    recalls = reference.recall_score(labels, predicted, labels=present, average=None, zero_division=0)

    def f1(average):
        return reference.f1_score(labels, predicted, labels=present, average=average, zero_division=0)

    def precision(average):
        return reference.precision_score(labels, predicted, labels=present, average=average, zero_division=0)

    expected = {
        "macro_precision": precision("macro"),
        "weighted_precision": precision("weighted"),
        "accuracy": reference.accuracy_score(labels, predicted),
        "macro_f1": f1("macro"),
        "weighted_f1": f1("weighted"),
        "balanced_accuracy": recalls.mean(),
        "worst_class_accuracy": recalls.min(),
        "loss": reference.log_loss(labels, probs, labels=range(6)),
    }
    measured = metrics.evaluate(probs, labels)
    assert measured.pop("ece") > 0
    assert measured == pytest.approx(expected, abs=1e-12)
    assert all(type(value) is float for value in measured.values())


def test_balanced_accuracy_is_scikit_learns():
    probs, labels = sample()
    expected = reference.balanced_accuracy_score(labels, probs.argmax(axis=1))
    assert metrics.evaluate(probs, labels)["balanced_accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize("absent", [(), (3,)])
def test_class_report_and_confusion_equal_scikit_learn(absent):
    probs, labels = sample(absent=absent)
    predicted = probs.argmax(axis=1)
    table = metrics.confusion(predicted, labels, 6)
    np.testing.assert_array_equal(table, reference.confusion_matrix(labels, predicted, labels=range(6)))
    report = metrics.class_report(table)
    expected = reference.precision_recall_fscore_support(labels, predicted, labels=range(6), zero_division=0)
    for ours, theirs in zip(
        (report.precision, report.recall, report.f1, report.support), expected, strict=True
    ):
        np.testing.assert_allclose(ours, theirs)


def test_a_class_that_is_never_predicted_has_precision_and_f1_zero():
    report = metrics.class_report(metrics.confusion(np.array([0, 0]), np.array([0, 1]), 3))
    assert report.precision.tolist() == [0.5, 0, 0]
    assert report.f1.tolist() == pytest.approx([2 / 3, 0, 0])
    assert report.support.tolist() == [1, 1, 0]


def test_accuracy_counts_images_not_batches():
    """Seed 1's fourth defect: accuracy was averaged over batches of unequal size."""
    probs = np.eye(2)[[0, 0, 0, 1]]
    assert metrics.evaluate(probs, np.array([0, 0, 0, 0]))["accuracy"] == 0.75


def test_confusion_rows_are_true_classes():
    table = metrics.confusion(np.array([1, 1, 0]), np.array([0, 0, 0]), 2)
    assert table.tolist() == [[1, 2], [0, 0]]


def test_unknown_labels_are_left_out_and_none_known_gives_nothing():
    probs, labels = sample(n=50)
    hidden = np.concatenate([labels, np.full(20, -1)])
    more = np.concatenate([probs, np.full((20, 6), 1 / 6)])
    assert metrics.evaluate(more, hidden) == pytest.approx(metrics.evaluate(probs, labels))
    assert metrics.confusion(more.argmax(axis=1), hidden, 6).sum() == len(labels)
    assert metrics.evaluate(probs, np.full(len(probs), -1)) == {}
    assert metrics.evaluate(np.empty((0, 6)), np.empty(0, np.int64)) == {}


def test_loss_of_a_confident_mistake_is_finite_and_large():
    probs = np.eye(3, dtype=np.float32)[[0]]
    loss = metrics.log_loss(probs, np.array([1]))
    assert loss == pytest.approx(-np.log(np.finfo(np.float32).eps))
    assert metrics.log_loss(probs, np.array([0])) == 0


def test_calibration_error_of_a_hand_made_table():
    # two images at .9 of which one is right, two at .6 of which both are right
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 1, 0, 0])
    assert metrics.calibration_error(probs, labels) == pytest.approx((0.4 * 2 + 0.4 * 2) / 4)


def test_calibration_error_equals_a_plain_loop_over_bins():
    probs, labels = sample(n=1000)
    confidence, correct = probs.max(axis=1), probs.argmax(axis=1) == labels
    total = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert metrics.calibration_error(probs, labels) == pytest.approx(total)


def test_perfect_certainty_is_perfectly_calibrated():
    assert metrics.calibration_error(np.eye(4), np.arange(4)) == 0
