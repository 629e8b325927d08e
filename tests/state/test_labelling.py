"""Labels that stand, kept for a run of the Label page."""

import pytest

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, LabelOp, LabelSource
from al_core.store import open_store
from state import handles, labelling


@pytest.fixture
def session(settings, monkeypatch):
    store = open_store(settings)
    monkeypatch.setattr(handles, "store", lambda: store)
    dataset = prepare(settings, DataConfig())
    record = store.create_experiment(ExperimentConfig().changed(name="kept"))
    store.submit_job("advance", experiment_id=record.id)
    _, lease = store.claim_job("test")
    store.update_experiment(record.id, lease=lease, dataset_key=dataset.key, fingerprint=dataset.fingerprint)
    labelling._labels.cache_clear()
    yield Experiment.open(store, settings, record.id)
    labelling._labels.cache_clear()
    store.close()


def test_labels_are_read_once_until_the_log_goes_on(session, monkeypatch):
    store, reads = session.store, []
    real = store.current_labels

    def counted(experiment_id, **options):
        reads.append(experiment_id)
        return real(experiment_id, **options)

    monkeypatch.setattr(store, "current_labels", counted)

    def add(n, sample_id, value):
        ops = [LabelOp(n, sample_id, value)]
        store.add_labels(session.id, ops, client="tab-0001", source=LabelSource.HUMAN, round=-1)

    def values():
        return {i: event.value for i, event in labelling.current_labels(session).items()}

    add(1, 5, 2)
    assert values() == values() == {5: 2}
    assert len(reads) == 1
    add(2, 6, 3)
    assert values() == {5: 2, 6: 3}
    session.change_class(ClassChange(3, ClassAct.MERGE, into=2))  # a change of classes is in the log too
    assert values() == {5: 2, 6: 2}
    assert len(reads) == 3


def test_what_is_kept_cannot_be_changed(session):
    with pytest.raises(TypeError):
        labelling.current_labels(session)[1] = None
