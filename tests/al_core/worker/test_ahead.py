"""A person goes on labelling while a round trains: same queries at any pace, through kills too."""

import numpy as np
import pytest

from al_core.cli.verify import check_experiment
from al_core.experiment import Experiment
from al_core.pool import Status
from al_core.query.remaining import after
from al_core.records import JobState, LabelOp, LabelSource
from al_core.results.records_file import records
from al_core.types import INITIAL_ROUND
from al_core.worker import asking, rounds
from al_core.worker.jobs import run_job


@pytest.fixture
def person(config):
    return config.changed(oracle="human", init__init="random", init__n_start=9, query__strategy="margin")


def label(experiment, ids, *, client, round):
    truth = experiment.dataset.train.labels
    ops = [LabelOp(n, int(i), int(truth[i])) for n, i in enumerate(ids, start=1)]
    experiment.store.add_labels(
        experiment.id, ops, client=client, source=LabelSource.HUMAN, round=round, annotator="ann"
    )


def ids(items):
    return [item.sample_id for item in items]


def begun(store, work, config):
    """Trained on the initial set; the first query waits."""
    _, experiment = work(store.create_experiment(config).id)
    label(experiment, ids(store.query(experiment.id, INITIAL_ROUND).items), client="first", round=-1)
    state, experiment = work(experiment.id)
    assert state is JobState.DONE
    return experiment


def meanwhile(monkeypatch, act):
    """Do `act()` once, while a round trains."""
    fit = rounds.fit

    def training(*args, **kwargs):
        act()
        return fit(*args, **kwargs)

    monkeypatch.setattr(rounds, "fit", training)


def test_ahead_images_are_the_strategy_s_next_and_change_no_pick(store, work, person):
    person = person.changed(stop__n_rounds=None)
    plain = begun(store, work, person.changed(query__ahead=0))
    experiment = begun(store, work, person)
    one, other = store.query(plain.id, 0), store.query(experiment.id, 0)
    assert ids(one.items) == ids(other.items)
    assert (len(one.ahead), len(other.ahead)) == (0, 12)
    assert not set(ids(other.items)) & set(ids(other.ahead))
    scores = [item.score for item in other.offered]
    assert scores == sorted(scores, reverse=True)  # what the strategy finds best after the asked ones
    assert [item.rank for item in other.offered] == list(range(24))
    assert all(item.guesses for item in other.ahead)
    assert (experiment.pool().status[ids(other.ahead)] == Status.QUERIED).all()
    step = experiment.step()
    assert (step.kind, step.done, step.total) == ("label", 0, 12)


def test_an_oracle_has_nothing_ahead(store, work, config):
    _, experiment = work(store.create_experiment(config).id)
    assert [query.ahead for query in store.queries(experiment.id)] == [(), ()]


def test_the_next_query_is_the_same_at_any_pace(store, work, person, monkeypatch):
    """Three people: one waits, one answers ahead while it trains, one leaves half of the batch for then."""
    person = person.changed(stop__n_rounds=None)
    found = {}
    for pace in ("waits", "ahead"):
        experiment = begun(store, work, person)
        query = store.query(experiment.id, 0)
        label(experiment, ids(query.items), client="asked", round=0)

        def act(experiment=experiment, query=query, pace=pace):
            if pace == "ahead":
                label(experiment, ids(query.ahead)[:8], client="ahead", round=0)

        with monkeypatch.context() as patch:
            meanwhile(patch, act)
            work(experiment.id)
        found[pace] = experiment
    one, other = (store.query(experiment.id, 1) for experiment in found.values())
    assert ids(one.offered) == ids(other.offered)
    assert not set(ids(one.offered)) & set(ids(store.query(found["waits"].id, 0).offered))
    busy = found["ahead"]
    assert [r.num_labeled for r in store.rounds(busy.id)] == [9, 21]
    assert len(busy.untrained()) == 8
    left = ids(store.query(busy.id, 0).ahead)[8:]
    assert (busy.pool().status[left] == Status.UNLABELED).all()  # nobody answered them: back in the pool
    label(busy, ids(other.items), client="second", round=1)
    work(busy.id)
    assert store.rounds(busy.id)[-1].num_labeled == 9 + 12 + 8 + 12
    told = records(busy)["rounds"]
    assert told[0]["ahead_sample_ids"] == ids(store.query(busy.id, 0).ahead)
    assert list(check_experiment(store, busy)) == []


def test_what_a_batch_left_open_can_be_answered_while_it_trains_and_is_not_asked_again(
    store, work, person, monkeypatch
):
    experiment = begun(store, work, person.changed(stop__n_rounds=None))
    query = store.query(experiment.id, 0)
    label(experiment, ids(query.items)[:7], client="asked", round=0)
    meanwhile(monkeypatch, lambda: label(experiment, ids(query.items)[7:], client="late", round=0))
    work(experiment.id)
    assert [r.num_labeled for r in store.rounds(experiment.id)] == [9, 16]
    assert not set(ids(store.query(experiment.id, 1).offered)) & set(ids(query.items))
    assert len(experiment.untrained()) == 5


def test_one_request_trains_one_round_though_labels_come_meanwhile(store, work, person, monkeypatch):
    experiment = begun(store, work, person.changed(stop__n_rounds=None))
    query = store.query(experiment.id, 0)
    label(experiment, ids(query.items), client="asked", round=0)
    meanwhile(monkeypatch, lambda: label(experiment, ids(query.ahead)[:1], client="ahead", round=0))
    work(experiment.id)
    assert len(store.rounds(experiment.id)) == 2
    work(experiment.id)  # asked again: the label that came meanwhile is enough to go on
    assert len(store.rounds(experiment.id)) == 3


def test_an_attempt_that_was_lost_is_done_again_with_the_labels_that_it_began_with(
    store, settings, work, person, monkeypatch
):
    person = person.changed(stop__n_rounds=None)
    calm, torn = begun(store, work, person), begun(store, work, person)
    for experiment in (calm, torn):
        label(experiment, ids(store.query(experiment.id, 0).items), client="asked", round=0)
    work(calm.id)

    class Killed(BaseException):
        pass

    def die():
        label(torn, ids(store.query(torn.id, 0).ahead), client="ahead", round=0)
        raise Killed

    job = store.submit_job("advance", experiment_id=torn.id)
    with monkeypatch.context() as patch:
        meanwhile(patch, die)
        claimed = store.claim_job("first", job_id=job.id)
        with pytest.raises(Killed):
            run_job(store, settings, *claimed)
    assert [j.id for j in store.requeue_lost(silent_seconds=0, dead_workers=["first"])] == [job.id]
    assert run_job(store, settings, *store.claim_job("second", job_id=job.id)) is JobState.DONE
    one, other = store.rounds(calm.id)[-1], store.rounds(torn.id)[-1]
    assert (one.num_labeled, one.artefacts["weights"]) == (other.num_labeled, other.artefacts["weights"])
    assert ids(store.query(calm.id, 1).offered) == ids(store.query(torn.id, 1).offered)
    assert len(torn.untrained()) == 12


def test_an_attempt_lost_after_its_round_was_written_trains_no_second_one(
    store, settings, work, person, monkeypatch
):
    experiment = begun(store, work, person.changed(stop__n_rounds=None))
    query = store.query(experiment.id, 0)
    label(experiment, ids(query.items), client="asked", round=0)
    job = store.submit_job("advance", experiment_id=experiment.id)
    claimed = store.claim_job("first", job_id=job.id)

    class Killed(BaseException):
        pass

    def die(self):
        label(experiment, ids(query.ahead)[:3], client="ahead", round=0)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(rounds.Experiment, "refresh", die)
        with pytest.raises(Killed):
            run_job(store, settings, *claimed)
    assert len(store.rounds(experiment.id)) == 2
    store.requeue_lost(silent_seconds=0, dead_workers=["first"])
    assert run_job(store, settings, *store.claim_job("second", job_id=job.id)) is JobState.DONE
    assert len(store.rounds(experiment.id)) == 2


def test_the_hold_back_lies_not_ahead_and_catches_up(store, work, person):
    person = person.changed(query__holdback=0.25, stop__n_rounds=None)
    experiment = begun(store, work, person)
    query, reserve = store.query(experiment.id, 0), set(experiment.reserve.tolist())
    assert len(reserve & set(ids(query.items))) == 3
    assert not reserve & set(ids(query.ahead))
    label(experiment, ids(query.offered), client="asked", round=0)
    work(experiment.id)
    # 24 answered, of which 3 were held back: of 12 more, 0.25 * 36 - 3
    assert len(reserve & set(ids(store.query(experiment.id, 1).items))) == 6


def test_the_balanced_baseline_and_the_bandit_go_on_as_before(store, work, person):
    person = person.changed(stop__n_rounds=None)
    for changes in ({"query__strategy": "bandit"}, {"query__strategy": "k_center"}, {"query__balance": True},
                    {"query__second": "random"}, {"query__min_distance": 0.01}):  # fmt: skip
        experiment = begun(store, work, person.changed(**changes))
        query = store.query(experiment.id, 0)
        assert len(set(ids(query.offered))) == 24, changes
        label(experiment, ids(query.offered), client="asked", round=0)
        state, _ = work(experiment.id)
        assert state is JobState.DONE, changes
    even = begun(store, work, person.changed(query__baseline="balanced"))
    assert store.query(even.id, 0).ahead == ()
    assert isinstance(Experiment.open(store, even.settings, even.id).reserve, np.ndarray)


def test_what_is_asked_counts_as_labeled_for_what_lies_ahead(store, work, person, monkeypatch):
    for name in ("k_center", "bandit"):
        labeled = []

        def spied(evidence, n, picked, labeled=labeled):
            left, rest = after(evidence, n, picked)
            labeled.extend(len(found["labeled_embeddings"]) for found in (evidence, rest))
            return left, rest

        with monkeypatch.context() as patch:
            patch.setattr(asking, "after", spied)
            begun(store, work, person.changed(query__strategy=name, stop__n_rounds=None))
        assert labeled == [9, 9 + 12], name


def test_where_less_is_left_than_a_query_asks_it_asks_what_is_left(store, work, person):
    _, first = work(store.create_experiment(person).id)
    size = len(first.pool().unlabeled_ids)
    each = int(0.45 * size)
    experiment = begun(store, work, person.changed(query__n_new=each, stop__n_rounds=None))
    label(experiment, ids(store.query(experiment.id, 0).items), client="second", round=0)
    state, experiment = work(experiment.id)
    assert state is JobState.DONE
    last = store.query(experiment.id, 1)
    assert (len(last.items), len(last.ahead)) == (size - 2 * each, 0)
