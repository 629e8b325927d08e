import numpy as np
import pytest

from al_core.results.audit import Audit, audit_path, keep, latest
from al_core.results.suspects import suspects
from al_core.settings import Settings


def test_a_case_worked_by_hand():
    """Thresholds: class 0 (.9+.8+.1)/3 = .6, class 1 (.8+.9)/2 = .85. Row 2 claims class 1: .9 >= .85."""
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9]])
    found = suspects(probs, np.array([0, 0, 0, 1, 1]))
    assert found["row"].tolist() == [2]
    assert found["suggested"].tolist() == [1]
    assert found["margin"].tolist() == pytest.approx([0.8])


def test_a_confident_network_that_agrees_with_every_label_has_no_suspects():
    given = np.repeat(np.arange(3), 10)
    assert len(suspects(np.eye(3)[given] * 0.97 + 0.01, given)) == 0


def test_a_class_that_nobody_was_given_is_never_suggested():
    probs = np.array([[0.1, 0.1, 0.8]] * 4 + [[0.1, 0.8, 0.1]] * 4)
    found = suspects(probs, np.array([0] * 4 + [1] * 4))
    assert 2 not in found["suggested"].tolist()


def test_planted_errors_are_found_and_come_first():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, 1000)
    logits = rng.normal(0, 1, (1000, 5)) + 4 * np.eye(5)[truth]
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    given = truth.copy()
    wrong = rng.choice(1000, 80, replace=False)
    given[wrong] = (truth[wrong] + rng.integers(1, 5, 80)) % 5
    found = suspects(probs, given)
    hits = np.isin(found["row"], wrong)
    assert hits.sum() >= 0.7 * 80
    assert hits[:40].mean() >= 0.95


def test_an_audit_is_read_back_and_a_newer_one_takes_its_place(tmp_path):
    settings = Settings.from_env({"AL_HOME": str(tmp_path)})
    assert latest(settings, "abc") is None
    one = Audit(np.array([4, 9, 11]), np.eye(2, dtype=np.float32)[[0, 1, 1]], np.array([0, 0, 1]))
    keep(audit_path(settings, "abc", 7), one)
    keep(audit_path(settings, "abc", 12), one)
    keep(audit_path(settings, "abcd", 3), one)
    rev, found = latest(settings, "abc")
    assert rev == 12
    assert found.ids.tolist() == [4, 9, 11]
    assert found.suspects()["sample_id"].tolist() == [9]
    assert len(list((tmp_path / "audits").iterdir())) == 2
