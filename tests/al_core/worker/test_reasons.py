"""Why an image was asked for: kept with the round where a person labels, and true."""

import numpy as np
import pytest

from al_core.engine.inference import embed, predict
from al_core.engine.network import load_network
from al_core.query.strategies import STRATEGIES
from al_core.results.reasons import Reason, reason
from al_core.store.objects import Objects


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.slow
def test_percentile_neighbours_and_rivals_are_those_of_the_round(store, settings, config, work):
    _, experiment = work(store.create_experiment(config.changed(oracle="human", query__strategy="margin")).id)
    query, train = experiment.pending(), experiment.dataset.train
    record = store.rounds(experiment.id)[0]
    arrays = Objects(settings.objects).get_arrays(record.artefacts["arrays"])
    network = load_network(Objects(settings.objects).path(record.artefacts["weights"]))
    candidates = arrays["candidate_ids"]
    probs = predict(network, train, candidates).probs
    labeled = experiment.pool(until=record.label_event_id).labeled_ids
    near = unit(embed(network, train, labeled))
    entropy = STRATEGIES.get("entropy").function(probs)
    would = set(candidates[np.argsort(-entropy)[: len(query.items)]].tolist())
    for item in query.items:
        found = reason(experiment, query, item.sample_id)
        assert found.beaten == pytest.approx((arrays["scores"] < item.score).sum() / (len(candidates) - 1))
        distances = 1 - unit(embed(network, train, np.array([item.sample_id]))) @ near.T
        assert found.nearest[0] == labeled[distances[0].argmin()]
        assert len(set(found.nearest)) == 3
        assert found.remoteness > 0
        assert ("entropy" in found.rivals) == (item.sample_id in would)
        assert set(found.rivals) | set(found.others) == {"entropy", "least_confidence"}


@pytest.mark.slow
def test_a_simulation_pays_nothing_for_it(store, config, work):
    _, experiment = work(store.create_experiment(config).id)
    query = store.query(experiment.id, 0)
    found = reason(experiment, query, query.items[0].sample_id)
    assert (found.nearest, found.rivals, found.others, found.remoteness) == ((), (), (), None)
    assert reason(experiment, store.query(experiment.id, -1), query.items[0].sample_id) == Reason()
