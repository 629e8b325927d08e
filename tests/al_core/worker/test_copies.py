"""Adversarial copies: across the border, with the oracle's label, and never counted."""

import numpy as np
import pytest

from al_core.engine.inference import evaluating
from al_core.engine.network import load_network
from al_core.engine.providers import committee
from al_core.engine.train_data import TrainData
from al_core.experiment import Experiment
from al_core.query.composition import Composition
from al_core.store.objects import Objects
from al_core.types import INITIAL_ROUND
from al_core.worker import rounds as module
from al_core.worker.copies import stored_copies


def classes_of(network, images):
    import torch

    with evaluating(network.module), torch.no_grad():
        x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        return network.module(x).argmax(1).numpy()


@pytest.fixture
def run(store, settings, config, work, monkeypatch):
    seen = []
    fit = module.fit

    def watched(config, dataset, data, **options):
        seen.append(data)
        return fit(config, dataset, data, **options)

    monkeypatch.setattr(module, "fit", watched)
    config = config.changed(
        query__strategy="deep_fool", query__candidates=30, query__n_new=6, train__adversarial_copies=True,
        train__labeled_validation=0.2, init__n_start=5, stop__n_rounds=3,
    )  # fmt: skip

    def go(**spec):
        record = store.create_experiment(config)
        return work(record.id, **spec)[1], seen

    return go


@pytest.mark.slow
def test_a_copy_has_another_predicted_class_and_is_hardly_farther_away_than_the_border(store, settings, run):
    experiment, _ = run()
    record = store.rounds(experiment.id)[0]
    objects = Objects(settings.objects)
    arrays = objects.get_arrays(record.artefacts["arrays"])
    network = load_network(objects.path(record.artefacts["weights"]))
    asked = [item.sample_id for item in store.query(experiment.id, 0).items]
    assert 1 <= len(arrays["copies"]) <= 6
    assert set(arrays["copied_ids"].tolist()) <= set(asked)
    originals = experiment.dataset.train.read(arrays["copied_ids"])
    assert arrays["copies"].shape == originals.shape
    assert (classes_of(network, arrays["copies"]) != classes_of(network, originals)).all()
    lengths = np.sqrt((((arrays["copies"].astype(float) - originals) / 255) ** 2).sum((1, 2, 3)))
    scores = {item.sample_id: -item.score for item in store.query(experiment.id, 0).items}
    distances = np.array([scores[i] for i in arrays["copied_ids"].tolist()])
    # a perturbation that rounding to bytes undoes is enlarged
    assert 0.7 < np.median(lengths / distances) < 2


@pytest.mark.slow
def test_copies_are_trained_on_with_the_oracle_s_label_and_never_counted(store, run):
    experiment, seen = run()
    truth = experiment.dataset.train.labels
    assert [r.num_labeled for r in store.rounds(experiment.id)] == [15, 21, 27]
    assert seen[0].copies is None
    assert 0 < len(seen[1].copies) < len(seen[2].copies)
    for data in seen[1:]:
        assert data.num_images == len(data.ids) + len(data.copies)
        assert len(data.targets) == data.num_images
        assert not np.isin(data.ids, data.validation_ids).any()
    # never a copy of what is kept for validation
    queries = [q for q in store.queries(experiment.id) if q.round != INITIAL_ROUND]
    first = [item.sample_id for item in queries[0].items]
    copied = [i for i in first if i in set(seen[1].ids.tolist())]
    assert len(seen[1].copies) <= len(copied)
    assert set(seen[1].copy_classes.tolist()) <= {int(truth[i]) for i in copied}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["independent", "bootstrap", "snapshots"])
def test_members_of_a_committee_train_on_the_copies_of_the_labels_that_they_are_given(
    store, config, work, monkeypatch, kind
):
    given = []
    fit = committee.fit

    def watched(config, dataset, data, **options):
        given.append(data)
        return fit(config, dataset, data, **options)

    monkeypatch.setattr(committee, "fit", watched)
    config = config.changed(
        query__strategy="qbc", query__committee=kind, query__members=2, query__n_new=6,
        train__adversarial_copies=True, init__n_start=5, stop__n_rounds=3,
    )  # fmt: skip
    _, experiment = work(store.create_experiment(config).id)
    first, second = given
    assert first.copies is None
    arrays = Objects(experiment.settings.objects).get_arrays(
        store.rounds(experiment.id)[0].artefacts["arrays"]
    )
    copied = arrays["copied_ids"]
    times = (second.ids[:, None] == copied).sum(axis=0)
    assert len(second.copies) == times.sum() > 0
    if kind == "bootstrap":
        assert times.max() > 1
    else:
        np.testing.assert_array_equal(second.copies, arrays["copies"])
    classes = experiment.dataset.train.labels[np.repeat(copied, times)]
    np.testing.assert_array_equal(second.copy_classes, classes)


@pytest.mark.slow
def test_a_run_in_parts_makes_the_same_copies(store, settings, run):
    whole, _ = run()
    parts, _ = run(until_labels=15)
    from al_core.worker.jobs import run_job

    for labels in (21, 27):
        job = store.submit_job("advance", experiment_id=parts.id, spec={"until_labels": labels})
        run_job(store, settings, *store.claim_job("tester", job_id=job.id))
    weights = [[r.artefacts["weights"] for r in store.rounds(e.id)] for e in (whole, parts)]
    assert len(weights[0]) == 3
    assert weights[0] == weights[1]


def test_copies_are_part_of_the_data_s_identity():
    ids, classes = np.arange(4), np.array([0, 1, 0, 1])
    copies = np.zeros((2, 8, 8, 3), np.uint8)
    hashes = {
        TrainData(ids, classes).hash(),
        TrainData(ids, classes, copies=copies, copy_classes=np.array([0, 1])).hash(),
        TrainData(ids, classes, copies=copies, copy_classes=np.array([1, 1])).hash(),
        TrainData(ids, classes, copies=copies + np.uint8(1), copy_classes=np.array([0, 1])).hash(),
    }
    assert len(hashes) == 4


def test_without_the_option_nothing_is_copied(store, config, work):
    _, experiment = work(store.create_experiment(config).id)
    assert isinstance(experiment, Experiment)
    assert Composition.of(config.query).is_plain
    assert stored_copies(experiment, np.arange(5), np.zeros(5, np.int64)) == {}
