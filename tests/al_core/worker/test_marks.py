"""Unsure labels: paid for and counted, but lighter in training; flags and notes change nothing there."""

import numpy as np
import pytest

from al_core.engine.trainer import TrainData
from al_core.records import LabelOp, LabelSource, Mark
from al_core.worker import rounds


@pytest.fixture
def trained_on(monkeypatch):
    """What each training was given."""
    given: list[TrainData] = []
    fit = rounds.fit

    def spy(config, dataset, data, **options):
        given.append(data)
        return fit(config, dataset, data, **options)

    monkeypatch.setattr(rounds, "fit", spy)
    return given


def mark(store, experiment_id, *marks, client):
    ops = [LabelOp(n, i, on, mark=kind) for n, (i, kind, on) in enumerate(marks, start=1)]
    store.add_labels(experiment_id, ops, client=client, source=LabelSource.HUMAN, round=0)


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.25, 0.0])
def test_an_unsure_label_counts_less_in_the_next_training(store, config, work, trained_on, weight):
    config = config.changed(train__unsure_weight=weight, query__strategy="qbc_vote_entropy", query__members=2)
    _, experiment = work(store.create_experiment(config).id, until_labels=9)
    first = store.rounds(experiment.id)[0]
    ids = experiment.pool().labeled_ids
    doubted, sure = int(ids[0]), int(ids[1])
    mark(
        store, experiment.id, (doubted, Mark.UNSURE, 1), (sure, Mark.UNSURE, 1), (sure, Mark.UNSURE, 0),
        (sure, Mark.FLAG, 1), client="tab",
    )  # fmt: skip
    _, experiment = work(experiment.id)
    second = store.rounds(experiment.id)[1]
    assert (first.num_labeled, second.num_labeled) == (9, 21)
    assert trained_on[0].weights is None
    data = trained_on[-1]
    if weight:
        assert data.weights[data.ids == doubted].tolist() == [weight]
        assert (np.delete(data.weights, np.flatnonzero(data.ids == doubted)) == 1).all()
        assert len(data.ids) == 21
    else:
        assert doubted not in data.ids
        assert len(data.ids) == 20
    assert experiment.label_weights(ids, until=first.label_event_id) is None
    assert store.check() == []


def test_a_mark_alone_lets_nothing_be_trained_again_unless_labels_weigh_otherwise(store, config, work):
    human = store.create_experiment(config.changed(train__unsure_weight=0.5, oracle="human"))
    _, experiment = work(human.id)
    answered = int(experiment.pool().labeled_ids[0])
    mark(store, human.id, (answered, Mark.FLAG, 1), (answered, Mark.NOTE, 1), client="tab")
    work(human.id)
    assert len(store.rounds(human.id)) == 1
    mark(store, human.id, (answered, Mark.UNSURE, 1), (answered, Mark.UNSURE, 0), client="other tab")
    work(human.id)
    assert len(store.rounds(human.id)) == 1
    mark(store, human.id, (answered, Mark.UNSURE, 1), client="third tab")
    _, experiment = work(human.id)
    assert [r.num_labeled for r in store.rounds(human.id)] == [9, 9]
