"""Rounds whose classes are not those of the round before: added, merged, retired while labelling."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from al_core import foundation as module
from al_core.cli.verify import check_experiment
from al_core.data.dataset import Relabeled
from al_core.deploy.choosing import choose_round
from al_core.engine.inference import predict
from al_core.engine.network import HEAD, load_network, read_safetensors
from al_core.engine.saved import open_folder, open_round, write_model
from al_core.engine.warm import warm_weights
from al_core.records import ClassAct, ClassChange, JobState, LabelOp, LabelSource
from al_core.results.folder import write_run_folder
from al_core.results.records_file import manifest, records
from al_core.results.saliency import Saliency, SaliencyRequest
from al_core.results.survey import Predicted, SurveyRequest
from al_core.results.tables import confusion_frame, labels_frame, predictions_frame, quality_frame
from al_core.store.objects import ARRAYS, Objects
from al_core.types import UNLABEL
from al_core.worker.forked import trained_network
from al_core.worker.jobs import run_job

ADD, MERGE, RETIRE, RENAME = ClassAct.ADD, ClassAct.MERGE, ClassAct.RETIRE, ClassAct.RENAME
LEFT, RIGHT, TOP = 0, 1, 2


@pytest.fixture
def config(config):
    """A person answers; small rounds."""
    return config.changed(oracle="human", train__epochs=2, train__min_steps=12, stop__n_rounds=None)


def change(experiment, class_id, act, **more):
    return experiment.change_class(ClassChange(class_id, act, **more))


def answer(experiment, values=None):
    """Answer the pending query: truth as it can be given, or what `values` says of an image."""
    query = experiment.pending()
    truth = experiment.prepared.train.labels
    ids = [item.sample_id for item in query.items]
    labels = [(i, (values or {}).get(i, int(experiment.classes().given(truth[[i]])[0]))) for i in ids]
    experiment.tell(
        [(i, v) for i, v in labels if v >= 0], client=f"me-{query.round}", source=LabelSource.HUMAN,
        round=query.round,
    )  # fmt: skip
    return ids


def begun(store, config, work):
    """An experiment after its first round, with a query of twelve images pending."""
    state, experiment = work(store.create_experiment(config).id)
    assert state is JobState.DONE
    return experiment


def test_a_class_that_is_found_while_labelling_gets_an_output_and_later_rounds_know_it(
    store, settings, config, work, tmp_path
):
    experiment = begun(store, config, work)
    made = change(experiment, 0, ADD, name="boots")
    assert made.class_id == 3
    ids = [item.sample_id for item in experiment.pending().items]
    answer(experiment, dict.fromkeys(ids[:6], 3))
    state, experiment = work(experiment.id)
    assert state is JobState.DONE
    first, second = store.rounds(experiment.id)
    assert len(first.confusion) == 3
    assert len(second.confusion) == 4
    assert (len(first.class_counts), second.class_counts[3]) == (3, 6)
    assert second.confusion[3] == (0, 0, 0, 0)  # no test image is of it
    assert second.class_ids == (0, 1, 2, 3)
    weights = Objects(settings.objects).path(second.artefacts["weights"], ARRAYS)
    assert load_network(weights).spec.classes == ("left", "right", "top", "boots")
    guessed = {c for item in store.query(experiment.id, 1).items for c, _ in item.guesses}
    assert guessed <= {0, 1, 2, 3}
    assert list(check_experiment(store, experiment)) == []
    assert store.check() == []

    assert list(quality_frame([first, second], experiment.dataset.classes)["class_id"]) == [
        0,
        1,
        2,
        0,
        1,
        2,
        3,
    ]
    assert confusion_frame(first, experiment.dataset.classes).shape == (3, 4)
    assert "p3 boots" not in predictions_frame(experiment, 0).columns
    assert "p3 boots" in predictions_frame(experiment, 1).columns
    assert records(experiment)["Labels History"]["boots"] == [0, 6]
    assert manifest(experiment)["dataset"]["classes_prepared"] == ["left", "right", "top"]
    write_run_folder(experiment, tmp_path / "out", rounds=[0, 1], images="class")
    changes = (tmp_path / "out" / "class-changes.csv").read_text()
    assert "boots" in changes
    assert (labels_frame(experiment)["label"] == "boots").sum() == 6


def test_merged_classes_train_and_are_measured_as_one_and_the_guesses_never_name_the_other(
    store, settings, config, work, tmp_path
):
    experiment = begun(store, config, work)
    answer(experiment)
    change(experiment, TOP, MERGE, into=LEFT)
    _, experiment = work(experiment.id)
    first, second = store.rounds(experiment.id)
    assert (second.class_ids, second.class_counts[TOP]) == ((LEFT, RIGHT), 0)
    assert sum(second.class_counts) == second.num_labeled
    matrix = np.array(second.confusion)
    assert matrix.shape == (3, 3)
    assert matrix[TOP].sum() == matrix[:, TOP].sum() == 0
    assert matrix[LEFT].sum() == 40  # 20 images of each were in the test split
    arrays = Objects(settings.objects).get_arrays(second.artefacts["arrays"])
    assert (arrays["test_probs"][:, TOP] == 0).all()
    assert np.allclose(arrays["test_probs"].sum(1), 1, atol=1e-5)
    right = (arrays["test_probs"].argmax(1) == experiment.dataset_of(second).test.labels).mean()
    assert right == pytest.approx(second.metrics["test_accuracy"])
    guessed = {c for item in store.query(experiment.id, 1).items for c, _ in item.guesses}
    assert TOP not in guessed
    assert TOP not in {event.value for event in store.current_labels(experiment.id).values()}
    assert first.class_ids == (0, 1, 2)
    assert list(check_experiment(store, experiment)) == []

    change(experiment, LEFT, RENAME, name="side or top")
    choice = choose_round(store.rounds(experiment.id), 1)
    assert open_round(experiment, choice).classes == ("side or top", "right")
    write_model(experiment, tmp_path / "model", number=1, onnx=False)
    assert open_folder(tmp_path / "model").classes == ("side or top", "right")

    change(experiment, TOP, ClassAct.SPLIT)
    work(experiment.id)
    assert store.rounds(experiment.id)[2].class_counts[TOP] > 0


def test_labels_of_a_retired_class_are_asked_again_and_come_back_with_it(store, config, work):
    experiment = begun(store, config, work)
    before = experiment.record.num_labeled
    change(experiment, TOP, RETIRE, labels="ask")
    gone = [i for i, event in store.current_labels(experiment.id).items() if event.value == UNLABEL]
    assert len(gone) == 3  # the initial set held three of each class
    assert store.experiment(experiment.id).num_labeled == before - 3
    assert next(r for r in store.experiments() if r.id == experiment.id).num_labeled == before - 3
    assert set(gone) <= set(experiment.pool().unlabeled_ids.tolist())
    asked = answer(experiment)
    experiment.answer_from_oracle()  # what is of the retired class is skipped: nobody may give it
    _, experiment = work(experiment.id)
    second = store.rounds(experiment.id)[1]
    assert second.class_ids == (LEFT, RIGHT)
    assert np.array(second.confusion).sum() == 40  # test images of the class are left out
    assert (experiment.prepared.train.labels[asked] == TOP).sum() == len(experiment.pool().skipped_ids)
    assert list(check_experiment(store, experiment)) == []
    assert experiment.dataset.has_truth
    change(experiment, TOP, ClassAct.RESTORE)
    assert store.experiment(experiment.id).num_labeled == len(experiment.pool().paid_ids)
    assert (experiment.pool().classes[gone] == TOP).all()


def test_labels_that_are_kept_go_on_training_a_retired_class(store, config, work):
    experiment = begun(store, config, work)
    change(experiment, TOP, RETIRE, labels="keep")
    answer(experiment)
    _, experiment = work(experiment.id)
    second = store.rounds(experiment.id)[1]
    assert second.class_ids == (0, 1, 2)
    assert second.class_counts[TOP] >= 3


@pytest.mark.parametrize(
    "options",
    [
        {"query__strategy": "qbc_kl"},
        {"query__strategy": "bald", "model__dropout": 0.2},
        {"query__strategy": "batch_bald", "model__dropout": 0.2},
        {"query__strategy": "reinforcement_learning", "query__options": {"arms": "margin, k_center"}},
        {"query__strategy": "badge"},
        {"query__strategy": "alfa_mix"},
        {"query__strategy": "prob_cover"},
        {"query__strategy": "margin", "model__frozen": True},
        {"query__strategy": "margin", "train__start": "warm"},
        {"query__strategy": "margin", "train__start": "warm", "train__early_stopping": 2,
         "train__labeled_validation": 0.2},
        {"query__strategy": "margin", "stop__agreement": 0.999},
    ],
    ids=lambda options: " ".join(str(v) for v in options.values()),
)  # fmt: skip
def test_every_kind_of_evidence_takes_classes_that_came_and_went(store, config, work, options):
    experiment = begun(store, config.changed(**options, query__passes=4, query__members=3), work)
    change(experiment, 0, ADD, name="boots")
    change(experiment, TOP, MERGE, into=RIGHT)
    ids = [item.sample_id for item in experiment.pending().items]
    answer(experiment, dict.fromkeys(ids[:4], 3))
    state, experiment = work(experiment.id)
    assert state is JobState.DONE
    second = store.rounds(experiment.id)[1]
    assert second.class_ids == (0, 1, 3)
    assert {c for item in store.query(experiment.id, 1).items for c, _ in item.guesses} <= {0, 1, 3}
    assert len(experiment.pending().items) == 12
    assert list(check_experiment(store, experiment)) == []


def test_a_warm_start_keeps_the_outputs_of_known_classes_and_draws_those_of_new_ones(
    store, settings, config, work
):
    experiment = begun(store, config, work)
    path = Objects(settings.objects).path(store.rounds(experiment.id)[0].artefacts["weights"], ARRAYS)
    old, _ = read_safetensors(path)
    rng = np.random.default_rng(3)
    assert warm_weights(path, (0, 1, 2), (0, 1, 2), rng) == path
    grown = warm_weights(path, (0, 1, 2), (0, 2, 3), rng)
    head = grown[f"{HEAD}weight"]
    assert np.array_equal(head[:2], old[f"{HEAD}weight"].numpy()[[0, 2]])
    assert np.array_equal(grown[f"{HEAD}bias"][:2], old[f"{HEAD}bias"].numpy()[[0, 2]])
    width = head.shape[1]
    assert 0 < np.abs(head[2]).max() <= 1 / np.sqrt(width)
    assert all(np.array_equal(grown[name], old[name].numpy()) for name in old if not name.startswith(HEAD))
    again = warm_weights(path, (0, 1, 2), (0, 2, 3), np.random.default_rng(3))
    assert np.array_equal(
        again[f"{HEAD}weight"],
        warm_weights(path, (0, 1, 2), (0, 2, 3), np.random.default_rng(3))[f"{HEAD}weight"],
    )


def test_the_random_baseline_goes_by_the_classes_of_what_it_follows(store, config, work):
    _, experiment = work(store.create_experiment(config).id, ghost=True)
    ghost = store.ghost_of(experiment.id)
    work(ghost.id, until_labels=9)
    change(experiment, TOP, MERGE, into=LEFT)
    answer(experiment)
    work(experiment.id, ghost=True)
    work(ghost.id, until_labels=21)
    first, second = store.rounds(ghost.id)
    assert (first.class_ids, second.class_ids) == ((0, 1, 2), (LEFT, RIGHT))


def test_the_same_changes_give_the_same_rounds_and_a_guideline_moves_nothing(store, config, work):
    ends = []
    for words in ("", "has a heel"):
        experiment = begun(store, config, work)
        change(experiment, 0, ADD, name="boots")
        if words:
            change(experiment, 3, ClassAct.GUIDE, text=words)
        ids = [item.sample_id for item in experiment.pending().items]
        answer(experiment, dict.fromkeys(ids[:4], 3))
        work(experiment.id)
        record = store.rounds(experiment.id)[1]
        asked = [item.sample_id for item in store.query(experiment.id, 1).items]
        ends.append((record.artefacts["weights"], asked, dict(record.metrics)))
    assert ends[0] == ends[1]


def test_a_strategy_sees_no_label_of_the_pool_after_a_change(store, config, work, monkeypatch):
    experiment = begun(store, config.changed(query__strategy="badge"), work)
    change(experiment, TOP, MERGE, into=LEFT)
    answer(experiment)
    work(experiment.id)
    asked = [item.sample_id for item in store.query(experiment.id, 1).items]
    other = begun(store, config.changed(query__strategy="badge"), work)
    change(other, TOP, MERGE, into=LEFT)
    answer(other)
    labels = other.prepared.train.labels.copy()
    hidden = ~np.isin(np.arange(len(labels)), other.pool().labeled_ids)
    labels[hidden] = (labels[hidden] + 1) % 3
    opened = module.shared_dataset

    def permuted(settings, key):
        dataset = opened(settings, key)
        return replace(dataset, train=Relabeled(dataset.train, labels))

    monkeypatch.setattr(module, "shared_dataset", permuted)
    work(other.id)
    assert [item.sample_id for item in store.query(other.id, 1).items] == asked


def test_a_label_of_a_class_that_was_not_there_is_damage(store, config, work):
    experiment = begun(store, config, work)
    op = LabelOp(1, int(experiment.pending().items[0].sample_id), 7)
    store.add_labels(experiment.id, [op], client="elsewhere", source=LabelSource.HUMAN, round=0)
    assert any("gives class 7, but there are 3" in text for text in check_experiment(store, experiment))


def test_the_survey_and_the_heat_of_an_image_name_classes_and_not_outputs(store, settings, config, work):
    experiment = begun(store, config, work)
    answer(experiment)
    change(experiment, LEFT, MERGE, into=RIGHT)  # from here on output 0 is RIGHT, and output 1 TOP
    _, experiment = work(experiment.id)
    record = store.rounds(experiment.id)[1]
    assert record.class_ids == (RIGHT, TOP)
    survey, heat = SurveyRequest(experiment.id, 1), SaliencyRequest(experiment.id, 1, 3)
    for kind, request in (("survey", survey), ("saliency", heat)):
        job = store.submit_job(kind, spec=asdict(request))
        assert run_job(store, settings, *store.claim_job("tester", job_id=job.id)) is JobState.DONE
    network, train = trained_network(experiment, record), experiment.dataset.train
    outputs = predict(network, train, np.arange(len(train))).probs.argmax(1)
    said = Predicted.read(survey.path(experiment)).predicted
    assert said.tolist() == [record.class_ids[output] for output in outputs]
    assert Saliency.read(heat.path(experiment)).predicted == said[3]
