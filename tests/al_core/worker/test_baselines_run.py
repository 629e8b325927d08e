"""Baselines, end to end: one round on the pool or a part of it, or evened-out queries; paired, resumable."""

import numpy as np
import pytest

from al_core.cli.verify import check_experiment
from al_core.records import ExperimentStatus, JobState
from al_core.types import INITIAL_ROUND


def asked(store, experiment):
    return {q.round: [item.sample_id for item in q.items] for q in store.queries(experiment.id)}


def test_the_full_pool_is_trained_on_once_and_nothing_else(store, config, work):
    config = config.changed(query__baseline="full", data__round_validation=0.1, stop__n_rounds=None)
    state, experiment = work(store.create_experiment(config).id)
    assert state is JobState.DONE
    (record,) = store.rounds(experiment.id)
    assert record.num_labeled == 150 - len(experiment.splits.validation_ids)
    assert experiment.record.status is ExperimentStatus.FINISHED
    assert experiment.record.stop_reason == f"trained once, on {record.num_labeled} images"
    assert list(asked(store, experiment)) == [INITIAL_ROUND]
    assert store.queries(experiment.id)[0].strategy == "full"
    assert list(check_experiment(store, experiment)) == []


def test_a_subset_is_as_large_as_a_strategy_s_last_round_with_the_pool_s_shares(store, config, work):
    config = config.changed(query__baseline="subset", stop__n_rounds=3)
    _, experiment = work(store.create_experiment(config).id)
    (record,) = store.rounds(experiment.id)
    assert record.num_labeled == 9 + 2 * 12
    assert record.class_counts == (11, 11, 11)


@pytest.mark.slow
def test_the_balanced_baseline_begins_as_strategies_do_and_evens_the_classes_out(store, config, work):
    config = config.changed(init__init="random", init__n_start=10, stop__n_rounds=3, data__imbalance=5)
    _, experiment = work(store.create_experiment(config.changed(query__baseline="balanced")).id)
    rounds = store.rounds(experiment.id)
    assert [r.num_labeled for r in rounds] == [10, 22, 34]
    _, other = work(store.create_experiment(config.changed(query__strategy="margin")).id)
    assert asked(store, experiment)[INITIAL_ROUND] == asked(store, other)[INITIAL_ROUND]
    assert rounds[0].artefacts["weights"] == store.rounds(other.id)[0].artefacts["weights"]
    assert {q.strategy for q in store.queries(experiment.id)} == {"random", "balanced"}
    counts, rarest = np.array(rounds[-1].class_counts), 10  # images that the smallest class has in the pool
    assert counts.sum() == 34
    assert counts.min() >= min(rarest, 34 // 3)
    query = store.query(experiment.id, 0)
    assert all(item.score is None and len(item.guesses) == 3 for item in query.items)
    assert query.num_candidates == 150 - len(experiment.splits.thinned) - 10
    assert list(check_experiment(store, experiment)) == []
