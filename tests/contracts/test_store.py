"""The store's contract (al_core/store/base.py), over each kind of store."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from al_core.config import ExperimentConfig
from al_core.errors import Fenced, NotFound, Overtaken, StoreError
from al_core.records import (
    EpochRecord,
    ExperimentStatus,
    JobLease,
    JobState,
    LabelAck,
    LabelOp,
    LabelSource,
    Mark,
    Query,
    QueryItem,
    RoundRecord,
    WorkerRecord,
)
from al_core.types import EXCLUDE, INITIAL_ROUND, SKIP, UNLABEL
from tests.stores import migrated_file, place, postgres, store

__all__ = ["migrated_file", "place", "postgres", "store"]

HUMAN = LabelSource.HUMAN


@pytest.fixture
def experiment(store):
    return store.create_experiment(ExperimentConfig()).id


@pytest.fixture
def lease(store, experiment):
    store.submit_job("advance", experiment_id=experiment)
    return store.claim_job("worker")[1]


def label(store, experiment, *ops, client="tab", **more):
    numbered = [op if isinstance(op, LabelOp) else LabelOp(*op) for op in ops]
    return store.add_labels(experiment, numbered, client=client, **{"source": HUMAN, "round": 0} | more)


def a_query(experiment, round=0, count=3):
    items = tuple(
        QueryItem(rank, rank * 7, 1 / (rank + 3), ((rank % 3, 0.1), (9, 1 / 3))) for rank in range(count)
    )
    return Query(experiment, round, "margin", items, 1000, f"hash{round}", 1234.5678901234)


def a_round(experiment, number=0):
    return RoundRecord(
        experiment, number, 20, 17, {"test_accuracy": 0.1 + 0.2, "test_loss": 1e-300},
        ((3, 1), (0, 4)), (10, 10), {"train": 0.1}, {"weights": "ab" * 32},
        {"device": "cpu", "threads": 2}, 1e9 + 1 / 3,
    )  # fmt: skip


# -- experiments ----------------------------------------------------------------------------------------


def test_a_new_experiment_reads_back_as_it_was_made(store):
    config = ExperimentConfig(name="Größe 🙂").changed(train__learning_rate=0.1 + 0.2)
    made = store.create_experiment(config)
    assert made.config == config
    assert made.name == "Größe 🙂"
    assert made.status is ExperimentStatus.NEW
    assert (made.num_rounds, made.num_labeled, made.ghost) == (0, 0, False)
    assert store.experiment(made.id) == made


def test_the_same_idempotency_key_makes_one_experiment(store):
    first = store.create_experiment(ExperimentConfig(), idempotency_key="form-1")
    again = store.create_experiment(ExperimentConfig(name="other"), idempotency_key="form-1")
    other = store.create_experiment(ExperimentConfig(), idempotency_key="form-2")
    assert again == first
    assert other.id != first.id


def test_experiments_come_newest_first_and_ghosts_only_when_asked(store):
    first = store.create_experiment(ExperimentConfig(name="first"))
    second = store.create_experiment(ExperimentConfig(name="second"))
    ghost = store.create_experiment(ExperimentConfig(name="ghost"), parent_id=first.id, ghost=True)
    assert [e.name for e in store.experiments()] == ["second", "first"]
    assert [e.name for e in store.experiments(ghosts=True)] == ["ghost", "second", "first"]
    assert store.ghost_of(first.id) == ghost
    assert store.ghost_of(second.id) is None


def test_what_was_made_of_an_experiment_or_of_a_study_s_cells_is_found_by_it(store):
    session = store.create_experiment(ExperimentConfig(name="session"))
    study = store.create_study("s", "{}")
    cells = [
        store.create_experiment(ExperimentConfig(name=f"cell {n}"), study_id=study.id, cell=n) for n in (0, 1)
    ]
    store.create_experiment(ExperimentConfig(name="ghost"), parent_id=session.id, ghost=True)
    for parent in (session, cells[0], cells[1], session):
        store.create_experiment(ExperimentConfig(name=f"of {parent.name}"), parent_id=parent.id)
    assert [e.name for e in store.experiments(of=session.id)] == ["of session", "of session"]
    assert [e.name for e in store.experiments(of=cells[0].id)] == ["of cell 0"]
    assert [e.name for e in store.experiments(of=study.id)] == ["of cell 1", "of cell 0"]
    assert store.experiments(of="nobody") == []


def test_an_experiment_that_is_not_there_is_not_found(store):
    for ask in (store.experiment, store.version, store.label_rev, store.delete_experiment):
        with pytest.raises(NotFound, match="nope"):
            ask("nope")
    with pytest.raises(NotFound):
        store.update_experiment("nope", status=ExperimentStatus.FAILED)
    with pytest.raises(NotFound):
        label(store, "nope", (1, 1, 1))
    with pytest.raises(NotFound):
        store.submit_job("advance", experiment_id="nope")
    with pytest.raises(NotFound):
        store.create_experiment(ExperimentConfig(), parent_id="nope")


def test_an_update_sets_what_is_given_and_leaves_the_rest(store, experiment):
    store.update_experiment(
        experiment, dataset_key="digits", stop_reason="budget", status=ExperimentStatus.FINISHED
    )
    store.update_experiment(experiment, fingerprint="f", split_hash="s", name="new name")
    record = store.experiment(experiment)
    assert (record.dataset_key, record.fingerprint, record.split_hash) == ("digits", "f", "s")
    assert (record.stop_reason, record.status, record.name) == (
        "budget",
        ExperimentStatus.FINISHED,
        "new name",
    )
    longer = record.config.changed(stop__budget=500)
    store.update_experiment(experiment, stop_reason="", config=longer)
    assert store.experiment(experiment).stop_reason is None
    assert store.experiment(experiment).config == longer


def test_deleting_takes_the_ghost_and_all_that_belongs_to_it_but_no_other_experiment(
    store, experiment, lease
):
    ghost = store.create_experiment(ExperimentConfig(), parent_id=experiment, ghost=True).id
    copy = store.create_experiment(ExperimentConfig(), parent_id=experiment).id
    for each in (experiment, ghost, copy):
        label(store, each, (1, 1, 1), (2, 2, 2))
    store.put_epochs(lease, experiment, [EpochRecord(0, 0, 1, 1.0, 0.5, 0.1, 1.0)])
    store.finish_round(lease, a_round(experiment), a_query(experiment), status=ExperimentStatus.FINISHED)
    store.delete_experiment(experiment)
    for gone in (experiment, ghost):
        with pytest.raises(NotFound):
            store.experiment(gone)
        assert (
            store.label_events(gone) == store.queries(gone) == store.rounds(gone) == store.epochs(gone) == []
        )
    with pytest.raises(Fenced):
        store.heartbeat(lease)
    assert store.experiment(copy).parent_id is None
    assert len(store.label_events(copy)) == 2
    assert store.check() == []


# -- labels ---------------------------------------------------------------------------------------------


def test_labels_are_kept_in_order_and_the_last_wins(store, experiment):
    ack = label(store, experiment, (1, 5, 2), (2, 6, SKIP), (3, 5, 4), annotator="Ada")
    events = store.label_events(experiment)
    assert [(e.sample_id, e.value, e.n, e.annotator) for e in events] == [
        (5, 2, 1, "Ada"), (6, SKIP, 2, "Ada"), (5, 4, 3, "Ada"),
    ]  # fmt: skip
    assert ack == LabelAck(3, events[-1].id)
    assert store.label_rev(experiment) == ack.rev
    assert store.current_labels(experiment) == {5: events[2], 6: events[1]}
    assert [e.id for e in events] == sorted({e.id for e in events})
    assert abs(events[0].at - time.time()) < 60


def test_labels_of_some_samples_are_those_of_all_that_were_asked_for(store, experiment):
    label(store, experiment, *[(n, n, n % 3) for n in range(1, 1201)], client="bulk")
    every = store.current_labels(experiment)
    assert store.current_labels(experiment, of=[]) == {}
    assert store.current_labels(experiment, of=[7, 9999, 7]) == {7: every[7]}
    assert store.current_labels(experiment, of=range(2000)) == every


def test_the_end_of_the_log_and_a_clients_last_number_are_told(store, experiment):
    assert store.label_log(experiment) == (0, "")
    assert store.last_number(experiment, "tab") == 0
    label(store, experiment, (1, 4, 0), (5, 4, 1))
    rev, head = store.label_log(experiment)
    assert rev == store.label_rev(experiment)
    assert len(head) == 64
    assert store.last_number(experiment, "tab") == 5
    assert store.last_number(experiment, "other") == 0
    with pytest.raises(NotFound):
        store.label_log("gone")


def test_only_class_labels_count_as_labeled(store, experiment):
    label(store, experiment, (1, 1, 0), (2, 2, 3), (3, 3, SKIP), (4, 4, EXCLUDE), (5, 5, 1), (6, 5, UNLABEL))
    assert store.experiment(experiment).num_labeled == 2
    assert store.current_labels(experiment)[5].value == UNLABEL


def test_answers_to_some_samples_are_read_in_order(store, experiment):
    label(store, experiment, (1, 5, 1), (2, 6, 1), (3, 7, 2), (4, 5, 3))
    found = store.label_events(experiment, of=[*range(1000, 3000), 7, 5])
    assert [(e.sample_id, e.value) for e in found] == [(5, 1), (7, 2), (5, 3)]
    assert store.label_events(experiment, of=[]) == []
    assert store.label_events(experiment, of=[5], after=found[0].id, until=found[1].id) == []


def test_an_answer_may_come_about_otherwise_than_those_sent_with_it(store, experiment):
    op = LabelOp(2, 6, 2, annotator="Ada", source=LabelSource.ORACLE)
    label(store, experiment, (1, 5, 1), op, annotator="Bob")
    assert {i: (e.source, e.annotator) for i, e in store.current_labels(experiment).items()} == {
        5: (HUMAN, "Bob"), 6: (LabelSource.ORACLE, "Ada"),
    }  # fmt: skip


def test_an_answer_that_is_sent_again_counts_once(store, experiment):
    first = label(store, experiment, (1, 1, 1), (2, 2, 2))
    version = store.version(experiment)
    assert label(store, experiment, (1, 1, 1), (2, 2, 2)) == first
    assert label(store, experiment, (1, 1, 9)) == first
    assert store.version(experiment) == version
    assert label(store, experiment, (2, 2, 2), (7, 3, 3)).n == 7
    assert [e.n for e in store.label_events(experiment)] == [1, 2, 7]


def test_clients_and_experiments_number_their_answers_apart(store, experiment):
    other = store.create_experiment(ExperimentConfig()).id
    label(store, experiment, (5, 1, 1), client="a")
    label(store, experiment, (1, 2, 1), client="b")
    label(store, other, (1, 3, 1), client="a")
    assert [e.sample_id for e in store.label_events(experiment)] == [1, 2]
    assert [e.sample_id for e in store.label_events(other)] == [3]


def test_events_can_be_read_from_and_up_to_a_revision(store, experiment):
    label(store, experiment, *[(n, n, 1) for n in range(1, 6)])
    ids = [e.id for e in store.label_events(experiment)]
    assert [e.id for e in store.label_events(experiment, after=ids[1], until=ids[3])] == ids[2:4]


def test_marks_stand_beside_the_labels_in_one_log(store, experiment):
    ops = [
        LabelOp(1, 5, 1, mark=Mark.UNSURE), LabelOp(2, 5, 7, 900), LabelOp(3, 6, 1, mark=Mark.FLAG),
        LabelOp(4, 5, 1, mark=Mark.NOTE, detail={"text": "größer? =1+1"}), LabelOp(5, 6, 0, mark=Mark.FLAG),
        LabelOp(6, 8, 2, detail={"blind": True}),
    ]  # fmt: skip
    ack = label(store, experiment, *ops)
    assert [(e.sample_id, e.value, e.detail) for e in store.label_events(experiment)] == [
        (5, 7, None), (8, 2, {"blind": True}),
    ]  # fmt: skip
    assert set(store.current_labels(experiment)) == {5, 8}
    marks = store.mark_events(experiment)
    assert [(e.sample_id, e.mark, e.on, e.text) for e in marks] == [
        (5, Mark.UNSURE, True, ""), (6, Mark.FLAG, True, ""), (5, Mark.NOTE, True, "größer? =1+1"),
        (6, Mark.FLAG, False, ""),
    ]  # fmt: skip
    assert store.mark_events(experiment, until=marks[1].id) == marks[:2]
    assert label(store, experiment, *ops) == ack == LabelAck(6, store.label_rev(experiment))
    assert store.experiment(experiment).num_labeled == 2
    assert store.check() == []


def test_answers_to_a_log_that_has_moved_on_are_refused(store, experiment):
    rev = label(store, experiment, LabelOp(1, 5, 1)).rev
    other = label(store, experiment, LabelOp(1, 6, 2), client="other", expected_rev=rev).rev
    with pytest.raises(Overtaken):
        label(store, experiment, LabelOp(2, 6, 3), expected_rev=rev)
    assert store.label_rev(experiment) == other
    assert store.last_number(experiment, "tab") == 1
    ack = label(store, experiment, LabelOp(1, 5, 1), expected_rev=rev)  # sent again: it is there already
    assert (ack.n, ack.rev) == (1, other)
    assert store.check() == []


def test_marks_alone_are_committed_too(store, experiment):
    assert label(store, experiment, LabelOp(1, 5, 1, mark=Mark.FLAG)).rev == store.label_rev(experiment) > 0
    assert store.current_labels(experiment) == {}
    assert store.check() == []


def test_no_answers_at_all_are_acknowledged_as_they_stand(store, experiment):
    assert label(store, experiment) == LabelAck(0, 0)


@pytest.mark.parametrize(
    "ops",
    [
        [LabelOp(1, -1, 0)],
        [LabelOp(1, 0, -1)],
        [LabelOp(1, 0, -5)],
        [LabelOp(0, 0, 0)],
        [LabelOp(1, 2**63, 0)],
        [LabelOp(1, 0, 2**31)],
        [LabelOp(1, 0, 1.5)],
        [LabelOp(1, 0, True)],
        [LabelOp(1, 0, 0, -3)],
        [LabelOp(2, 0, 0), LabelOp(1, 0, 0)],
        [LabelOp(1, 0, 0), LabelOp(1, 1, 0)],
        [LabelOp(1, 0, 0), LabelOp(2, -7, 0)],
        [LabelOp(1, 0, 2, mark=Mark.FLAG)],
        [LabelOp(1, 0, SKIP, mark=Mark.FLAG)],
        [LabelOp(1, 0, 1, mark="stain")],
        [LabelOp(1, 0, 1, mark=Mark.NOTE, detail={"text": "x" * 20_000})],
    ],
)
def test_a_malformed_answer_refuses_the_whole_request(store, experiment, ops):
    with pytest.raises(StoreError):
        label(store, experiment, *ops)
    assert store.label_events(experiment) == []


def test_numpy_integers_are_taken_as_integers(store, experiment):
    label(store, experiment, LabelOp(np.int64(1), np.int64(7), np.int64(3)))
    assert store.current_labels(experiment)[7].value == 3


requests = st.lists(
    st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True).map(sorted), min_size=1, max_size=8
)


@trials(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests)
def test_resent_and_reordered_requests_give_the_log_of_the_rule(store, requests):
    experiment = store.create_experiment(ExperimentConfig()).id
    last, expected = 0, []
    for numbers in requests:
        ack = label(store, experiment, *[(n, n % 4, n % 3) for n in numbers])
        fresh = [n for n in numbers if n > last]
        expected += fresh
        last = max([last, *fresh])
        assert ack.n == last
    events = store.label_events(experiment)
    assert [e.n for e in events] == expected
    assert {s: e.value for s, e in store.current_labels(experiment).items()} == {
        n % 4: n % 3 for n in expected
    }
    assert store.check() == []


def test_threads_share_a_store(store, experiment):
    failures = []

    def work(client):
        try:
            for n in range(1, 11):
                label(store, experiment, (n, n, 1), client=client)
                store.experiment(experiment)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"thread{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.label_events(experiment)) == 80
    assert store.check() == []


# -- rounds ---------------------------------------------------------------------------------------------


def test_epochs_come_by_round_and_epoch_and_are_replaced_when_trained_again(store, experiment, lease):
    for round, epoch in ((1, 0), (0, 1), (0, 0)):
        store.put_epochs(lease, experiment, [EpochRecord(round, epoch, 5, 1.0, 0.5, 0.1, 1.0)])
    again = EpochRecord(0, 1, 6, 0.1 + 0.2, 1 / 3, 1e-5, 2.5, 0.25, 0.75)
    store.put_epochs(lease, experiment, [again])
    assert [(e.round, e.epoch) for e in store.epochs(experiment)] == [(0, 0), (0, 1), (1, 0)]
    assert store.epochs(experiment, round=0)[1] == again


def test_floats_come_back_exactly_even_those_that_are_no_numbers(store, experiment, lease):
    store.put_epochs(
        lease, experiment, [EpochRecord(0, 0, 1, float("nan"), float("inf"), 5e-324, float("-inf"))]
    )
    epoch = store.epochs(experiment)[0]
    assert np.isnan(epoch.train_loss)
    assert (epoch.train_accuracy, epoch.learning_rate, epoch.seconds) == (float("inf"), 5e-324, float("-inf"))


def test_a_finished_round_stands_with_its_query_and_status(store, experiment, lease):
    record, query = a_round(experiment), a_query(experiment)
    store.finish_round(lease, record, query, status=ExperimentStatus.AWAITING_LABELS)
    last = replace(record, number=1, confusion=None)
    store.finish_round(lease, last, None, status=ExperimentStatus.FINISHED, stop_reason="budget")
    assert store.rounds(experiment) == [record, last]
    assert store.query(experiment, 0) == query
    assert store.query(experiment, 1) is None
    found = store.experiment(experiment)
    assert (found.num_rounds, found.status, found.stop_reason) == (2, ExperimentStatus.FINISHED, "budget")


def test_a_round_is_recorded_once(store, experiment, lease):
    store.finish_round(lease, a_round(experiment), None, status=ExperimentStatus.TRAINING)
    before = store.experiment(experiment)
    with pytest.raises(StoreError, match="recorded already"):
        store.finish_round(lease, a_round(experiment), a_query(experiment), status=ExperimentStatus.FINISHED)
    assert store.experiment(experiment) == before
    assert store.queries(experiment) == []


def test_a_query_is_frozen_when_made(store, experiment, lease):
    query = a_query(experiment, INITIAL_ROUND)
    store.put_query(lease, query)
    store.put_query(lease, query)
    assert store.experiment(experiment).status is ExperimentStatus.AWAITING_LABELS
    with pytest.raises(StoreError, match="stays"):
        store.put_query(lease, replace(query, hash="other", items=()))
    assert store.queries(experiment) == [query]


def test_a_query_of_many_items_comes_back_whole(store, experiment, lease):
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    items = tuple(QueryItem(i, int(i * 3), float(s), ((1, float(s)),)) for i, s in enumerate(scores))
    items += (QueryItem(20_000, 1, None),)
    query = replace(a_query(experiment), items=items)
    begun = time.perf_counter()
    store.put_query(lease, query)
    assert store.query(experiment, 0) == query
    assert time.perf_counter() - begun < 20


def test_numpy_values_in_records_are_stored_as_plain_ones(store, experiment, lease):
    record = replace(
        a_round(experiment), metrics={"test_accuracy": np.float64(0.5)}, class_counts=np.array([1, 2])
    )
    store.finish_round(lease, record, None, status=ExperimentStatus.TRAINING)
    assert store.rounds(experiment)[0].class_counts == (1, 2)
    assert store.rounds(experiment)[0].metrics == {"test_accuracy": 0.5}


# -- jobs -----------------------------------------------------------------------------------------------


def test_a_double_click_starts_one_job(store, experiment):
    first = store.submit_job("advance", experiment_id=experiment)
    assert store.submit_job("advance", experiment_id=experiment) == first
    store.claim_job("worker")
    assert store.submit_job("advance", experiment_id=experiment).id == first.id
    other = store.create_experiment(ExperimentConfig()).id
    assert store.submit_job("advance", experiment_id=other).id != first.id


def test_a_job_that_has_ended_makes_room_for_the_next(store, experiment, lease):
    store.end_job(lease, JobState.DONE)
    again = store.submit_job("advance", experiment_id=experiment)
    assert again.id != lease.job_id
    assert [j.id for j in store.jobs(experiment_id=experiment)] == [again.id, lease.job_id]
    assert [j.id for j in store.jobs(active=True)] == [again.id]


def test_jobs_without_an_experiment_are_told_apart_by_their_spec(store):
    digits = store.submit_job("prepare", spec={"data": {"dataset": "digits"}, "download": False})
    same = store.submit_job("prepare", spec={"download": False, "data": {"dataset": "digits"}})
    other = store.submit_job("prepare", spec={"data": {"dataset": "cifar10"}, "download": False})
    assert same == digits
    assert other.id != digits.id
    assert digits.spec == {"data": {"dataset": "digits"}, "download": False}


def test_an_idempotency_key_gives_its_job_even_after_the_end(store, experiment):
    first = store.submit_job("advance", experiment_id=experiment, idempotency_key="click-1")
    store.control_job(first.id, "stop")
    assert store.submit_job("advance", experiment_id=experiment, idempotency_key="click-1").id == first.id
    assert store.submit_job("advance", experiment_id=experiment, idempotency_key="click-2").id != first.id


def test_the_most_urgent_job_is_claimed_first_then_the_oldest(store):
    ids = [store.submit_job("prepare", spec={"n": n}, priority=p).id for n, p in enumerate((0, 5, 0, 5))]
    assert store.waiting_priority() == 5
    assert [store.claim_job("w")[0].id for _ in ids] == [ids[1], ids[3], ids[0], ids[2]]
    assert store.claim_job("w") is None
    assert store.waiting_priority() is None


def test_a_claimed_job_runs_under_a_fresh_token(store, experiment):
    queued = store.submit_job("advance", experiment_id=experiment)
    other = store.submit_job("prepare", priority=9)
    job, lease = store.claim_job("worker-1", job_id=queued.id)
    assert (job.id, job.state, job.attempt, job.worker) == (queued.id, JobState.RUNNING, 1, "worker-1")
    assert job.started_at is not None
    assert lease.job_id == queued.id
    assert store.claim_job("worker-2", job_id=queued.id) is None
    assert store.job(other.id).state is JobState.QUEUED


def test_a_heartbeat_keeps_progress_and_brings_the_wish_to_pause(store, lease):
    store.control_job(lease.job_id, "pause")
    job = store.heartbeat(lease, {"phase": "train", "done": 3, "total": 10}, paused=True)
    assert (job.control, job.paused, job.progress["done"]) == ("pause", True, 3)
    assert store.heartbeat(lease, paused=True).progress == job.progress
    store.control_job(lease.job_id, "")
    assert store.heartbeat(lease).control == ""


def test_a_queued_job_that_is_told_to_stop_is_stopped_at_once(store, experiment):
    job = store.submit_job("advance", experiment_id=experiment)
    store.control_job(job.id, "stop")
    assert store.job(job.id).state is JobState.STOPPED
    assert store.job(job.id).ended_at is not None
    assert store.claim_job("w") is None


def test_a_queued_job_that_is_told_to_pause_waits_until_it_may_go_on(store, experiment):
    job = store.submit_job("advance", experiment_id=experiment)
    store.control_job(job.id, "pause")
    assert store.claim_job("w") is None
    assert store.waiting_priority() is None
    store.control_job(job.id, "")
    assert store.claim_job("w")[0].id == job.id


def test_a_stop_is_final(store, experiment, lease):
    store.control_job(lease.job_id, "stop")
    store.control_job(lease.job_id, "")
    assert store.heartbeat(lease).control == "stop"
    store.end_job(lease, JobState.QUEUED)
    assert store.job(lease.job_id).state is JobState.STOPPED
    store.control_job(lease.job_id, "pause")
    assert store.job(lease.job_id).control == "stop"


def test_an_unknown_wish_or_job_is_refused(store, lease):
    with pytest.raises(StoreError, match="explode"):
        store.control_job(lease.job_id, "explode")
    for ask in (store.job, lambda job_id: store.control_job(job_id, "stop")):
        with pytest.raises(NotFound, match="nope"):
            ask("nope")


def test_a_failed_job_keeps_its_error(store, lease):
    store.end_job(
        lease, JobState.FAILED, error_kind="memory", error_text="Too little memory.", traceback="Trace"
    )
    job = store.job(lease.job_id)
    assert (job.state, job.error_kind, job.error_text, job.traceback) == (
        JobState.FAILED, "memory", "Too little memory.", "Trace",
    )  # fmt: skip


def test_a_job_that_gave_way_goes_on_in_another_attempt(store, lease):
    store.heartbeat(lease, {"round": 3})
    store.end_job(lease, JobState.QUEUED)
    waiting = store.job(lease.job_id)
    assert (waiting.state, waiting.worker, waiting.ended_at) == (JobState.QUEUED, None, None)
    job, second = store.claim_job("w2")
    assert (job.attempt, job.progress) == (2, {"round": 3})
    assert second.token != lease.token


def zombie_writes(store, experiment, lease):
    return {
        "heartbeat": lambda: store.heartbeat(lease, {"done": 1}),
        "end": lambda: store.end_job(lease, JobState.DONE),
        "epoch": lambda: store.put_epochs(lease, experiment, [EpochRecord(0, 0, 1, 1.0, 0.5, 0.1, 1.0)]),
        "round": lambda: store.finish_round(
            lease, a_round(experiment), None, status=ExperimentStatus.FINISHED
        ),
        "query": lambda: store.put_query(lease, a_query(experiment)),
        "labels": lambda: label(store, experiment, (1, 1, 1), lease=lease),
        "update": lambda: store.update_experiment(experiment, lease=lease, dataset_key="zombie"),
    }


def test_a_replaced_attempt_writes_nothing(store, experiment, lease):
    store.requeue_lost(silent_seconds=-1)
    store.claim_job("w2")
    before = store.experiment(experiment), store.job(lease.job_id)
    for what, write in zombie_writes(store, experiment, lease).items():
        with pytest.raises(Fenced):
            write()
        assert (store.experiment(experiment), store.job(lease.job_id)) == before, what
    assert store.epochs(experiment) == store.rounds(experiment) == store.queries(experiment) == []
    assert store.label_events(experiment) == []


def test_an_ended_attempt_or_a_made_up_lease_writes_nothing(store, experiment, lease):
    store.end_job(lease, JobState.DONE)
    for wrong in (lease, JobLease(lease.job_id, "guess"), JobLease("nope", lease.token)):
        for write in zombie_writes(store, experiment, wrong).values():
            with pytest.raises(Fenced):
                write()


def test_a_silent_job_is_queued_again_and_fails_after_three_attempts(store, experiment):
    store.submit_job("advance", experiment_id=experiment)
    for attempt in (1, 2):
        store.claim_job("w")
        assert store.requeue_lost(silent_seconds=60) == []
        (lost,) = store.requeue_lost(silent_seconds=-1)
        assert (lost.state, lost.attempt) == (JobState.QUEUED, attempt)
    store.claim_job("w")
    (lost,) = store.requeue_lost(silent_seconds=-1)
    assert (lost.state, lost.error_kind) == (JobState.FAILED, "lost")
    assert "log" in lost.error_text
    assert store.experiment(experiment).status is ExperimentStatus.FAILED
    assert store.submit_job("advance", experiment_id=experiment).state is JobState.QUEUED


def test_a_finished_round_clears_the_count_of_lost_attempts(store, experiment):
    store.submit_job("advance", experiment_id=experiment)
    for number in range(4):
        _, lease = store.claim_job("w")
        store.finish_round(lease, a_round(experiment, number), None, status=ExperimentStatus.TRAINING)
        assert store.requeue_lost(silent_seconds=-1)[0].state is JobState.QUEUED


def test_jobs_of_a_dead_worker_are_taken_back_at_once(store, experiment):
    other = store.create_experiment(ExperimentConfig()).id
    for each in (experiment, other):
        store.submit_job("advance", experiment_id=each)
    dead, _ = store.claim_job("dead")
    alive, _ = store.claim_job("alive")
    assert [j.id for j in store.requeue_lost(silent_seconds=60, dead_workers=["dead"])] == [dead.id]
    assert store.job(alive.id).state is JobState.RUNNING


def test_a_lost_job_that_was_told_to_stop_is_stopped(store, lease):
    store.control_job(lease.job_id, "stop")
    (lost,) = store.requeue_lost(silent_seconds=-1)
    assert lost.state is JobState.STOPPED


def test_many_who_submit_and_claim_at_once_share_one_job_and_one_lease(store, experiment):
    submitted, claimed, failures = [], [], []

    def work(n):
        try:
            submitted.append(store.submit_job("advance", experiment_id=experiment).id)
            got = store.claim_job(f"w{n}")
            if got is not None:
                claimed.append(got[1].token)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(submitted)) == 1
    assert len(claimed) == 1


# -- versions -------------------------------------------------------------------------------------------


def test_the_version_grows_with_all_that_a_page_shows(store, experiment):
    versions = [store.version(experiment)]

    def changed(*_):
        versions.append(store.version(experiment))

    changed(label(store, experiment, (1, 1, 1)))
    job = store.submit_job("advance", experiment_id=experiment)
    changed(job)
    _, lease = store.claim_job("w")
    changed()
    changed(store.heartbeat(lease, {"done": 1}))
    changed(store.put_epochs(lease, experiment, [EpochRecord(0, 0, 1, 1.0, 0.5, 0.1, 1.0)]))
    changed(store.put_query(lease, a_query(experiment, INITIAL_ROUND)))
    changed(
        store.finish_round(lease, a_round(experiment), a_query(experiment), status=ExperimentStatus.TRAINING)
    )
    changed(store.update_experiment(experiment, status=ExperimentStatus.FINISHED))
    changed(store.control_job(job.id, "pause"))
    changed(store.end_job(lease, JobState.DONE))
    assert versions == sorted(set(versions))


def test_a_heartbeat_that_says_nothing_new_leaves_the_version(store, experiment, lease):
    store.heartbeat(lease, {"done": 1, "total": 2})
    version = store.version(experiment)
    store.heartbeat(lease, {"total": 2, "done": 1})
    store.heartbeat(lease)
    assert store.version(experiment) == version


# -- workers and upkeep ---------------------------------------------------------------------------------


def test_workers_are_put_replaced_and_removed(store):
    worker = WorkerRecord("w1", "host", 123, 1.5, "cpu", "starting", 1e9 + 0.1, {"threads": 2})
    store.put_worker(worker)
    busy = replace(worker, state="busy", heartbeat_at=1e9 + 5)
    store.put_worker(busy)
    assert store.workers() == [busy]
    store.remove_worker("w1")
    store.remove_worker("w1")
    assert store.workers() == []


def test_what_is_written_is_there_after_closing_and_opening(store, place, experiment):
    label(store, experiment, (1, 1, 1), client="ü")
    store.close()
    again = place.open()
    assert again.experiment(experiment).num_labeled == 1
    assert again.check() == []
    again.close()
    assert len(store.label_events(experiment)) == 1


# -- studies --------------------------------------------------------------------------------------------


def test_a_study_reads_back_and_the_same_key_makes_one(store):
    made = store.create_study("Größe", '{"a": 1}', idempotency_key="k")
    assert store.create_study("other", "{}", idempotency_key="k") == made
    newer = store.create_study("second", "{}")
    assert store.study(made.id) == made
    assert store.studies() == [newer, made]
    with pytest.raises(NotFound, match="no study 'nope'"):
        store.study("nope")


def test_a_study_is_changed_only_by_who_read_its_last_config(store):
    made = store.create_study("s", "{}")
    assert store.change_study(made.id, '{"a": 1}', was="{}")
    assert not store.change_study(made.id, '{"a": 2}', was="{}")
    assert store.study(made.id).config == '{"a": 1}'
    with pytest.raises(NotFound, match="no study 'nope'"):
        store.change_study("nope", "{}", was="{}")


def test_cells_of_a_study_come_by_number_and_are_not_listed_among_the_experiments(store, experiment):
    study = store.create_study("s", "{}")
    cells = {n: store.create_experiment(ExperimentConfig(), study_id=study.id, cell=n) for n in (2, 0, 1)}
    assert store.study_experiments(study.id) == [cells[0], cells[1], cells[2]]
    assert [e.id for e in store.experiments()] == [experiment]
    assert len(store.experiments(cells=True)) == 4
    store.delete_experiment(cells[1].id)
    assert [e.cell for e in store.study_experiments(study.id)] == [0, 2]


def test_a_study_is_deleted_with_its_cells_and_nothing_else(store, experiment, lease):
    study, other = store.create_study("s", "{}"), store.create_study("o", "{}")
    cells = [store.create_experiment(ExperimentConfig(), study_id=study.id, cell=n) for n in range(2)]
    kept = store.create_experiment(ExperimentConfig(), study_id=other.id, cell=0)
    child = store.create_experiment(ExperimentConfig(), parent_id=cells[0].id)
    for one in (cells[0].id, experiment):
        label(store, one, (1, 1, 1), (2, 2, 2))
    job = store.submit_job("advance", experiment_id=cells[1].id)
    with pytest.raises(StoreError, match="1 of its runs still run or wait"):
        store.delete_study(study.id)
    assert len(store.study_experiments(study.id)) == 2
    store.control_job(job.id, "stop")
    store.delete_study(study.id)
    for gone in cells:
        with pytest.raises(NotFound):
            store.experiment(gone.id)
    with pytest.raises(NotFound):
        store.study(study.id)
    with pytest.raises(NotFound, match="no study"):
        store.delete_study(study.id)
    assert store.experiment(child.id).parent_id is None
    assert store.study_experiments(other.id) == [kept]
    assert len(store.label_events(experiment)) == 2
    assert store.check() == []


def test_artefacts_are_those_of_every_round(store, experiment, lease):
    assert store.artefacts() == set()
    kept = {"weights": "a" * 64, "arrays": "b" * 64}
    record = replace(a_round(experiment), artefacts=kept)
    store.finish_round(lease, record, a_query(experiment), status=ExperimentStatus.FINISHED)
    assert store.artefacts() == set(kept.values())
    store.delete_experiment(experiment)
    assert store.artefacts() == set()
