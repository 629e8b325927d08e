import pytest

from al_core.config import StopConfig
from al_core.records import RoundRecord
from al_core.stopping import query_size, stop_reason


def rounds(*accuracies, first=20, step=20):
    metrics = [{} if a is None else {"validation_accuracy": a} for a in accuracies]
    return [
        RoundRecord("e", i, first + i * step, i, m, None, (), {}, {}, {}, 0.0) for i, m in enumerate(metrics)
    ]


@pytest.mark.parametrize(
    ("stop", "accuracies", "said"),
    [
        (StopConfig(n_rounds=3), (0.1, 0.2, 0.3), "all 3 rounds done"),
        (StopConfig(budget=60), (0.1, 0.2, 0.3), "budget of 60"),
        (StopConfig(target_accuracy=0.3), (0.1, 0.2, 0.3), "target accuracy"),
        (StopConfig(patience=2), (0.5, 0.4, 0.5), "in 2 rounds"),
    ],
)
def test_each_stop_holds_when_it_should_and_not_a_round_earlier(stop, accuracies, said):
    assert stop_reason(stop, rounds(*accuracies[:-1]), 100) is None
    assert said in stop_reason(stop, rounds(*accuracies), 100)


def test_patience_begins_anew_with_each_better_round():
    assert stop_reason(StopConfig(patience=2), rounds(0.5, 0.4, 0.6, 0.5), 100) is None


def test_an_empty_pool_ends_every_experiment():
    assert "every image" in stop_reason(StopConfig(), rounds(0.1), 0)


def test_without_a_stop_it_goes_on():
    assert stop_reason(StopConfig(), rounds(*[0.1] * 50), 100) is None


def test_a_query_never_exceeds_what_the_budget_leaves():
    assert query_size(20, StopConfig(), 500) == 20
    assert query_size(20, StopConfig(budget=50), 40) == 10
    assert query_size(20, StopConfig(budget=50), 60) == 0
