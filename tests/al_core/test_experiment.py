import time

import numpy as np
import pytest

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.errors import ClassError, DataError, NotFound
from al_core.experiment import Experiment
from al_core.records import (
    ClassAct,
    ClassChange,
    ExperimentStatus,
    JobState,
    LabelSource,
    Query,
    QueryItem,
    RoundRecord,
    query_hash,
)
from al_core.store import open_store
from al_core.types import INITIAL_ROUND, SKIP, UNLABEL


@pytest.fixture
def store(settings):
    store = open_store(settings)
    yield store
    store.close()


@pytest.fixture
def experiment(store, settings):
    dataset = prepare(settings, DataConfig())
    record = store.create_experiment(ExperimentConfig())
    store.update_experiment(record.id, dataset_key=dataset.key, fingerprint=dataset.fingerprint)
    return Experiment.open(store, settings, record.id)


def lease(store, experiment):
    store.submit_job("advance", experiment_id=experiment.id)
    return store.claim_job("tester")[1]


def ask(experiment, ids, number=INITIAL_ROUND):
    items = tuple(QueryItem(rank, i, None) for rank, i in enumerate(ids))
    hashed = query_hash(np.array(ids))
    return Query(experiment.id, number, "random", items, 100, hashed, time.time())


def put_initial(store, experiment, ids):
    right = lease(store, experiment)
    store.put_query(right, ask(experiment, ids))
    store.end_job(right, JobState.DONE)
    experiment.refresh()


def test_a_new_experiment_asks_to_be_started_and_shows_its_job_while_it_runs(store, experiment):
    assert experiment.step().kind == "start"
    job = store.submit_job("advance", experiment_id=experiment.id)
    assert experiment.step().kind == "working"
    assert experiment.step().job.id == job.id


def test_labelling_is_the_next_step_until_every_answer_is_given_then_training(store, experiment):
    put_initial(store, experiment, [5, 9, 2])
    assert (experiment.step().kind, experiment.step().done, experiment.step().total) == ("label", 0, 3)
    experiment.tell([(5, 1), (9, SKIP)], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    assert (experiment.step().kind, experiment.step().done) == ("label", 2)
    experiment.tell([(2, 3)], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    assert experiment.step().kind == "train"


def test_a_withdrawn_answer_is_awaited_again(store, experiment):
    put_initial(store, experiment, [5, 9])
    experiment.tell([(5, 1), (9, 1), (9, UNLABEL)], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    assert experiment.step().kind == "label"
    assert list(experiment.answers()) == [5]


def test_a_class_that_cannot_be_given_is_refused_and_nothing_is_written(store, experiment):
    put_initial(store, experiment, [5, 9, 2])

    def tell(*answers):
        experiment.tell(answers, client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)

    tell((5, 3), (9, 4))
    experiment.change_class(ClassChange(3, ClassAct.RETIRE, labels="keep"))
    experiment.change_class(ClassChange(7, ClassAct.MERGE, into=1))
    rev = store.label_rev(experiment.id)
    for value, words in ((3, "“3” is retired"), (7, "merged into “1”"), (10, "there is no class 10")):
        with pytest.raises(ClassError, match=words):
            tell((2, 1), (9, value))
    assert store.label_rev(experiment.id) == rev
    tell((5, 3), (2, SKIP))  # a label may be kept
    assert store.current_labels(experiment.id)[5].value == 3


def test_ground_truth_answers_the_rest_and_leaves_what_the_person_said(store, experiment):
    put_initial(store, experiment, [5, 9, 2])
    truth = experiment.dataset.train.labels
    wrong = int((truth[5] + 1) % 10)
    experiment.tell([(5, wrong)], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    experiment.answer_from_oracle()
    values = {i: event.value for i, event in experiment.answers().items()}
    assert values == {5: wrong, 9: truth[9], 2: truth[2]}
    experiment.answer_from_oracle([5])
    assert experiment.answers()[5].value == truth[5]


def test_ground_truth_can_answer_again_after_an_undo(store, experiment):
    put_initial(store, experiment, [5])
    experiment.answer_from_oracle()
    experiment.tell([(5, UNLABEL)], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    experiment.answer_from_oracle()
    assert list(experiment.answers()) == [5]


def test_ground_truth_without_a_pending_query_is_refused(experiment):
    with pytest.raises(NotFound, match="no query that waits"):
        experiment.answer_from_oracle()


def test_the_pool_can_be_seen_as_it_was_when_a_round_trained(store, experiment):
    put_initial(store, experiment, [5, 9])
    first = experiment.tell([(5, 1)], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    experiment.tell([(9, 2), (5, 4)], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    then, now = experiment.pool(until=first.rev), experiment.pool()
    assert (then.labeled_ids.tolist(), then.labeled_classes.tolist()) == ([5], [1])
    assert (now.labeled_ids.tolist(), now.labeled_classes.tolist()) == ([5, 9], [4, 2])


def test_a_data_set_that_changed_behind_an_experiment_is_refused(store, settings, experiment):
    store.update_experiment(experiment.id, fingerprint="0" * 64)
    with pytest.raises(DataError, match="has changed since"):
        _ = Experiment.open(store, settings, experiment.id).dataset


def test_a_finished_experiment_has_no_pending_query_and_says_why_it_ended(store, experiment):
    put_initial(store, experiment, [5])
    right = lease(store, experiment)
    record = RoundRecord(experiment.id, 0, 1, 1, {}, None, (1,), {}, {}, {}, time.time())
    store.finish_round(right, record, None, status=ExperimentStatus.FINISHED, stop_reason="all 1 rounds done")
    store.end_job(right, JobState.DONE)
    experiment.refresh()
    assert experiment.pending() is None
    assert experiment.step().reason == "all 1 rounds done"


def test_a_failed_job_is_the_next_step_with_its_reason(store, experiment):
    right = lease(store, experiment)
    store.update_experiment(experiment.id, lease=right, status=ExperimentStatus.FAILED)
    store.end_job(right, JobState.FAILED, error_kind="DeviceError", error_text="no cuda here; use cpu")
    experiment.refresh()
    assert experiment.step().kind == "failed"
    assert experiment.step().reason == "no cuda here; use cpu"
