import numpy as np
import pytest

from al_core.cli.verify import check_experiment
from al_core.records import QueryItem
from al_core.seeds import generator
from al_core.store.objects import Objects
from al_core.types import INITIAL_ROUND
from al_core.worker.holdback import measured, mixed_in


def asked(store, experiment):
    return {
        q.round: [i.sample_id for i in q.items]
        for q in store.queries(experiment.id)
        if q.round > INITIAL_ROUND
    }


def test_a_share_of_each_query_is_random_trains_nothing_and_measures(store, settings, config, work):
    config = config.changed(query__holdback=0.25, stop__n_rounds=3)
    _, experiment = work(store.create_experiment(config).id)
    reserve = experiment.reserve.tolist()
    assert [sum(i in reserve for i in ids) for ids in asked(store, experiment).values()] == [3, 3]
    rounds = store.rounds(experiment.id)
    assert [r.num_labeled for r in rounds] == [9, 21, 33]  # held-back labels are paid for
    assert "holdback_accuracy" not in rounds[0].metrics
    last = rounds[-1]
    assert last.metrics["holdback_labels"] == 6
    assert last.metrics["holdback_low"] < last.metrics["holdback_accuracy"] < last.metrics[
        "holdback_high"
    ] or (last.metrics["holdback_accuracy"] == last.metrics["holdback_high"] == 1)
    for record in rounds:
        pool = experiment.pool(until=record.label_event_id)
        assert not set(pool.labeled_ids.tolist()) & set(reserve)
        if record.number < 2:
            arrays = Objects(settings.objects).get_arrays(record.artefacts["arrays"])
            assert not set(arrays["candidate_ids"].tolist()) & set(reserve)
    assert list(check_experiment(store, experiment)) == []


def test_the_strategy_moves_no_held_back_image_and_the_first_ones_asked_are_the_reserve_s_first(
    store, config, work
):
    config = config.changed(query__holdback=0.25)
    found = []
    for name in ("margin", "k_center"):
        _, experiment = work(store.create_experiment(config.changed(query__strategy=name)).id)
        held = [i for i in asked(store, experiment)[0] if i in experiment.reserve]
        assert held == experiment.reserve[:3].tolist()
        found.append(held)
    assert found[0] == found[1]


def test_held_back_images_come_without_guesses_at_random_places():
    chosen = [QueryItem(n, 100 + n, 0.5, ((1, 0.9),)) for n in range(8)]
    items = mixed_in(chosen, np.array([7, 9]), generator(0, "places"))
    assert [item.rank for item in items] == list(range(10))
    assert [i.sample_id for i in items if i.sample_id < 100] == [7, 9]
    assert all(item.guesses == () and item.score is None for item in items if item.sample_id < 100)
    assert [i.sample_id for i in items if i.sample_id >= 100] == [100 + n for n in range(8)]


def test_the_interval_is_wilson_s():
    probs = np.eye(2)[np.array([0] * 9 + [1])]
    found = measured(probs, np.zeros(10, np.int64))
    assert found["holdback_accuracy"] == 0.9
    # Wilson's interval for 9 of 10, as printed in tables
    assert found["holdback_low"] == pytest.approx(0.5958, abs=1e-4)
    assert found["holdback_high"] == pytest.approx(0.9821, abs=1e-4)


@pytest.mark.parametrize("truth", [0.5, 0.9])
def test_the_interval_holds_the_truth_in_nineteen_of_twenty_draws(truth):
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        right = rng.random(40) < truth
        found = measured(np.eye(2)[np.where(right, 0, 1)], np.zeros(40, np.int64))
        inside += found["holdback_low"] <= truth <= found["holdback_high"]
    assert inside / 2000 > 0.93
