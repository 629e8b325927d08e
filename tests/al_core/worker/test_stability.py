"""The stop set and the labelling rate in real rounds: the same whoever asks, and after an interruption."""

import numpy as np
import pytest

from al_core.records import ExperimentStatus
from al_core.stopping import AGREEMENT, CLASS_CHANGE, kappa
from al_core.store.objects import Objects
from al_core.worker.control import JobControl
from al_core.worker.jobs import run_job


def stored(experiment, number):
    record = experiment.store.rounds(experiment.id)[number]
    return Objects(experiment.settings.objects).get_arrays(record.artefacts["arrays"])


@pytest.mark.slow
def test_rounds_are_compared_on_one_set_whatever_the_strategy(store, config, work):
    config = config.changed(stop__n_rounds=3, stop__agreement=1.0, stop__stop_images=60)
    made = [
        work(store.create_experiment(config.changed(query__strategy=name)).id)[1]
        for name in ("margin", "random")
    ]
    sets = {tuple(stored(experiment, n)["stop_ids"]) for experiment in made for n in range(3)}
    assert len(sets) == 1
    experiment = made[0]
    rounds = store.rounds(experiment.id)
    assert AGREEMENT not in rounds[0].metrics
    first, second = (stored(experiment, n) for n in range(2))
    ids = first["stop_ids"]
    assert not np.isin(ids, experiment.splits.validation_ids).any()
    initial = [item.sample_id for item in store.query(experiment.id, -1).items]
    asked = [item.sample_id for item in store.query(experiment.id, 0).items]
    assert not np.isin(ids, initial).any()
    left = ~np.isin(ids, asked)
    expected = kappa(first["stop_predictions"][left], second["stop_predictions"][left])
    assert rounds[1].metrics[AGREEMENT] == pytest.approx(expected)
    assert 0 <= rounds[1].metrics[CLASS_CHANGE] <= 1


@pytest.mark.slow
def test_a_run_that_is_stopped_and_resumed_decides_as_an_undisturbed_one(store, settings, config, work):
    config = config.changed(
        data__round_validation=0.1, query__size_schedule="rate", query__max_new=25, stop__n_rounds=8,
        stop__agreement=0.6, stop__stable_rounds=2, stop__stop_images=40,
    )  # fmt: skip
    _, calm = work(store.create_experiment(config).id)
    record = store.create_experiment(config)
    job = store.submit_job("advance", experiment_id=record.id)
    claimed, lease = store.claim_job("tester", job_id=job.id)

    def end_after_two_rounds(control: JobControl) -> None:
        progress = control.progress

        def watched(*arguments, **facts):
            progress(*arguments, **facts)
            if store.experiment(record.id).num_rounds >= 2:
                store.control_job(claimed.id, "stop")

        control.progress = watched

    run_job(store, settings, claimed, lease, attach=end_after_two_rounds)
    assert 2 <= store.experiment(record.id).num_rounds < 8
    assert store.experiment(record.id).status is not ExperimentStatus.FINISHED
    _, resumed = work(record.id)
    assert resumed.record.status is ExperimentStatus.FINISHED
    assert resumed.record.stop_reason == calm.record.stop_reason
    rounds = [[(r.num_labeled, r.metrics) for r in store.rounds(e.id)] for e in (calm, resumed)]
    assert rounds[0] == rounds[1]
    sizes = np.diff([n for n, _ in rounds[0]])
    assert sizes[0] == 12
    assert sizes.max() <= 25
