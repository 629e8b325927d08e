"""Which round's model is taken where nobody names one."""

import pytest

from al_core.deploy.choosing import choose_round
from al_core.errors import NotFound
from al_core.records import RoundRecord


def rounds(*metrics):
    return [
        RoundRecord("e", n, 10 * n, n, found, None, (), {}, {}, {}, 0.0) for n, found in enumerate(metrics)
    ]


def test_the_best_round_by_validation_accuracy_is_taken_and_the_rule_is_said():
    found = choose_round(rounds(*({"validation_accuracy": a} for a in (0.5, 0.9, 0.7))))
    assert found.record.number == 1
    assert found.why == "round 1, the best by validation accuracy (0.9000)"


def test_of_equally_good_rounds_the_latest_is_taken():
    assert choose_round(rounds(*({"validation_accuracy": a} for a in (0.9, 0.9, 0.7)))).record.number == 1


def test_test_accuracy_never_chooses():
    found = choose_round(rounds(*({"test_accuracy": a} for a in (0.99, 0.2, 0.1))))
    assert found.record.number == 2
    assert "the last" in found.why
    both = (
        {"test_accuracy": 0.9, "validation_accuracy": 0.1},
        {"test_accuracy": 0.1, "validation_accuracy": 0.2},
    )
    assert choose_round(rounds(*both)).record.number == 1


def test_the_round_asked_for_is_taken_and_one_that_is_not_there_is_refused():
    assert choose_round(rounds({}, {}, {}), 1).record.number == 1
    with pytest.raises(NotFound, match="there is no round 3; rounds 0 to 2"):
        choose_round(rounds({}, {}, {}), 3)
    with pytest.raises(NotFound, match="no round is trained"):
        choose_round([])
