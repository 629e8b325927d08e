"""The store's contract on forks, over each kind of store."""

import pytest

from al_core.config import ExperimentConfig
from al_core.errors import Fenced, NotFound, StoreError
from al_core.records import EpochRecord, ExperimentStatus, JobLease, LabelOp, LabelSource, Mark
from al_core.types import UNLABEL
from tests.contracts.test_store import a_query, a_round
from tests.stores import migrated_file, place, postgres, store

__all__ = ["migrated_file", "place", "postgres", "store"]


def label(store, experiment, *ops, client="tab", round=0):
    return store.add_labels(experiment, ops, client=client, source=LabelSource.HUMAN, round=round).rev


@pytest.fixture
def source(store):
    """Two rounds with their queries; a log in which another session's events lie between."""
    made = store.create_experiment(ExperimentConfig(name="source")).id
    other = store.create_experiment(ExperimentConfig()).id
    store.submit_job("advance", experiment_id=made)
    _, lease = store.claim_job("w")
    store.update_experiment(made, dataset_key="k", fingerprint="f", split_hash="s")
    store.put_query(lease, a_query(made, -1))
    revs = []
    for number in range(2):
        label(store, made, LabelOp(3 * number + 1, number, 4, 12), LabelOp(3 * number + 2, 7, number))
        label(store, other, LabelOp(number + 1, 1, 1))
        note = LabelOp(3 * number + 3, 7, 1, mark=Mark.NOTE, detail={"text": "ü"})
        revs.append(label(store, made, note, client="tab"))
        record = a_round(made, number)
        record = type(record)(
            **{**{f: getattr(record, f) for f in record.__dataclass_fields__}, "label_event_id": revs[-1]}
        )
        store.put_epochs(lease, made, [EpochRecord(number, 0, 1, 1.0, 0.5, 0.1, 1.0)])
        store.finish_round(lease, record, a_query(made, number), status=ExperimentStatus.AWAITING_LABELS)
    label(store, made, LabelOp(7, 9, 1), LabelOp(8, 0, UNLABEL))
    return made, revs


def fork(store, source, until, *, rounds=1, queries=1, **more):
    more = {"status": ExperimentStatus.TRAINING, "manifest": {"inherited": {"experiment": source}}} | more
    config = ExperimentConfig(name="fork")
    return store.fork_experiment(source, config, rounds=rounds, queries=queries, until=until, **more)


def test_a_fork_has_a_copy_up_to_its_round_with_a_chain_of_its_own(store, source):
    made, revs = source
    found = fork(store, made, revs[0])
    assert (found.parent_id, found.name, found.status) == (made, "fork", ExperimentStatus.TRAINING)
    assert (found.dataset_key, found.fingerprint, found.split_hash) == ("k", "f", "s")
    assert (found.num_rounds, found.num_labeled, found.ghost) == (1, 2, False)
    (record,) = store.rounds(found.id)
    (theirs, _) = store.rounds(made)
    assert (record.metrics, record.artefacts, record.confusion) == (
        theirs.metrics, theirs.artefacts, theirs.confusion,
    )  # fmt: skip
    assert record.manifest == {**theirs.manifest, "inherited": {"experiment": made}}
    assert record.label_event_id == store.label_rev(found.id) > revs[1]
    assert [q.round for q in store.queries(found.id)] == [-1, 0]
    assert store.queries(found.id)[1].items == store.queries(made)[1].items
    assert [e.round for e in store.epochs(found.id)] == [0]
    told = [
        (e.sample_id, e.value, e.n, e.at, e.milliseconds) for e in store.label_events(made, until=revs[0])
    ]
    assert [(e.sample_id, e.value, e.n, e.at, e.milliseconds) for e in store.label_events(found.id)] == told
    assert [m.text for m in store.mark_events(found.id)] == ["ü"]
    assert store.check() == []


def test_both_go_on_apart(store, source):
    made, revs = source
    found = fork(store, made, revs[1], rounds=2, queries=1)
    assert {i: e.value for i, e in store.current_labels(found.id).items()} == {0: 4, 1: 4, 7: 1}
    before = store.current_labels(made)
    label(store, found.id, LabelOp(7, 30, 2))
    label(store, found.id, LabelOp(6, 31, 2))  # a number that the client has used in the source
    assert 31 not in store.current_labels(found.id)
    assert store.current_labels(found.id)[30].value == 2
    assert store.current_labels(made) == before
    assert store.check() == []
    store.delete_experiment(made)
    assert store.experiment(found.id).parent_id is None
    assert len(store.rounds(found.id)) == 2
    assert store.check() == []


def test_a_fork_of_nothing_and_the_same_key_twice(store, source):
    made, revs = source
    with pytest.raises(NotFound):
        fork(store, "nope", 0)
    first = fork(store, made, revs[0], idempotency_key="click")
    again = fork(store, made, revs[1], rounds=2, idempotency_key="click")
    assert again == first
    assert len(store.label_events(first.id)) == 2
    empty = fork(store, made, 0, rounds=0, queries=0)
    assert (store.label_rev(empty.id), store.rounds(empty.id)) == (0, [])
    assert [q.round for q in store.queries(empty.id)] == [-1]
    assert store.check() == []


def test_a_round_that_is_there_asks_its_query(store, source):
    made, revs = source
    found = fork(store, made, revs[1], rounds=2, queries=1)
    store.submit_job("advance", experiment_id=found.id)
    job, lease = store.claim_job("w2")
    (_, record) = store.rounds(found.id)
    changed = type(record)(
        **{f: getattr(record, f) for f in record.__dataclass_fields__}
        | {"artefacts": {"weights": "cd" * 32}, "metrics": {"test_accuracy": 0.5}}
    )
    query = a_query(found.id, 1)
    with pytest.raises(Fenced):
        store.put_next_query(JobLease(job.id, "x"), changed, query, status=ExperimentStatus.AWAITING_LABELS)
    assert store.query(found.id, 1) is None
    for _ in range(2):  # again: a step that is repeated after a kill
        store.put_next_query(lease, changed, query, status=ExperimentStatus.AWAITING_LABELS)
    assert store.query(found.id, 1) == query
    assert store.rounds(found.id)[1] == changed
    assert store.experiment(found.id).status is ExperimentStatus.AWAITING_LABELS
    other = type(query)(found.id, 1, "margin", query.items, 10, "other", 0.0)
    with pytest.raises(StoreError, match="already"):
        store.put_next_query(lease, changed, other, status=ExperimentStatus.AWAITING_LABELS)
    assert store.query(found.id, 1) == query


def test_a_family_is_all_that_parents_link_and_no_baseline(store, source):
    made, revs = source
    child, twin = fork(store, made, revs[0]), fork(store, made, revs[0])
    grandchild = fork(store, child.id, 0, rounds=0)
    store.create_experiment(ExperimentConfig(), parent_id=made, ghost=True)
    for one in (made, child.id, twin.id, grandchild.id):
        assert [e.id for e in store.family(one)] == [made, child.id, twin.id, grandchild.id]
    with pytest.raises(NotFound):
        store.family("nope")
    store.delete_experiment(child.id)
    assert [e.id for e in store.family(grandchild.id)] == [grandchild.id]
    assert [e.id for e in store.family(made)] == [made, twin.id]
