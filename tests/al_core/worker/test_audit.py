import numpy as np
import pytest

from al_core.records import JobState, LabelSource
from al_core.results.audit import latest
from al_core.worker.jobs import run_job


@pytest.fixture
def audited(store, settings):
    def go(experiment_id):
        job = store.submit_job("audit", spec={"experiment": experiment_id})
        return run_job(store, settings, *store.claim_job("tester", job_id=job.id)), store.job(job.id)

    return go


def test_planted_wrong_labels_are_found_and_no_label_is_changed(store, settings, config, work, audited):
    _, experiment = work(store.create_experiment(config.changed(init__n_start=25, stop__n_rounds=1)).id)
    labels = experiment.dataset.train.labels
    wrong = experiment.pool().labeled_ids[[3, 20, 41, 60]]
    experiment.tell(
        [(int(i), int((labels[i] + 1) % 3)) for i in wrong],
        client="slips",
        source=LabelSource.HUMAN,
        round=-1,
    )
    before = store.label_rev(experiment.id)
    state, job = audited(experiment.id)
    assert state is JobState.DONE, job.error_text
    rev, audit = latest(settings, experiment.id)
    assert rev == before == store.label_rev(experiment.id)
    assert audit.probs.sum(1) == pytest.approx(np.ones(len(audit.ids)), abs=1e-4)
    found = audit.suspects()
    caught = found[found["sample_id"].isin(wrong)]
    assert len(caught) >= 3  # of four, by a probe on components of tiny noisy pictures
    assert (caught["suggested"] == labels[caught["sample_id"]]).all()
    assert len(found) <= 0.2 * len(audit.ids)


def test_too_few_labels_are_refused_with_the_way_out_and_the_session_stays_as_it_is(
    store, config, work, audited
):
    _, experiment = work(store.create_experiment(config.changed(init__n_start=2, stop__n_rounds=1)).id)
    before = store.experiment(experiment.id).status
    state, job = audited(experiment.id)
    assert state is JobState.FAILED
    assert "needs 20 labels" in job.error_text
    assert store.experiment(experiment.id).status is before
