import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.errors import DataError
from al_core.pool import Pool, Status
from al_core.records import LabelEvent, LabelSource, Query, QueryItem
from al_core.types import EXCLUDE, SKIP, UNKNOWN, UNLABEL

NONE = np.empty(0, np.int64)


def event(sample_id, value):
    return LabelEvent(1, "e", sample_id, value, LabelSource.HUMAN, "", 0, "c", 1, 0.0)


def query(*ids):
    return Query("e", 0, "margin", tuple(QueryItem(r, i, 0.0) for r, i in enumerate(ids)), 9, "h", 0.0)


@given(
    st.dictionaries(st.integers(0, 29), st.sampled_from([0, 1, 2, SKIP, EXCLUDE, UNLABEL])),
    st.sets(st.integers(0, 29), max_size=8),
)
def test_the_partition_is_always_disjoint_and_complete(values, asked):
    pool = Pool.fold(40, {i: event(i, v) for i, v in values.items()}, np.arange(30, 40), query(*asked))
    parts = [pool.ids(status) for status in Status]
    assert sorted(np.concatenate(parts).tolist()) == list(range(40))
    assert sum(pool.counts().values()) == 40
    assert pool.labeled_ids.tolist() == sorted(i for i, v in values.items() if v >= 0)
    assert (pool.classes[pool.labeled_ids] >= 0).all()
    assert (np.delete(pool.classes, pool.labeled_ids) == UNKNOWN).all()


def test_skipped_and_excluded_samples_are_never_candidates_again():
    pool = Pool.fold(5, {1: event(1, SKIP), 2: event(2, EXCLUDE)}, NONE)
    assert pool.unlabeled_ids.tolist() == [0, 3, 4]
    assert pool.skipped_ids.tolist() == [1]
    assert pool.excluded_ids.tolist() == [2]


def test_a_withdrawn_label_returns_to_its_query_while_that_waits_and_to_the_pool_after():
    events = {3: event(3, UNLABEL)}
    assert Pool.fold(5, events, NONE, query(3)).queried_ids.tolist() == [3]
    assert Pool.fold(5, events, NONE).unlabeled_ids.tolist() == [0, 1, 2, 3, 4]


def test_a_label_for_a_sample_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match="sample 7, but the train split has 5"):
        Pool.fold(5, {7: event(7, 0)}, NONE)


def test_a_label_or_query_for_a_validation_sample_is_refused():
    with pytest.raises(DataError, match="set aside for validation"):
        Pool.fold(5, {4: event(4, 0)}, np.array([4]))
    with pytest.raises(DataError, match="set aside for validation"):
        Pool.fold(5, {}, np.array([4]), query(4))


def test_a_pool_cannot_be_changed():
    pool = Pool.fold(5, {}, NONE)
    with pytest.raises(ValueError, match="read-only"):
        pool.status[0] = Status.LABELED


def test_reserved_images_are_no_candidates_and_their_answers_measure_and_never_train():
    events = {0: event(0, 1), 1: event(1, 2), 2: event(2, SKIP)}
    pool = Pool.fold(8, events, np.array([7]), query(4), np.array([1, 2, 4, 5]))
    assert pool.labeled_ids.tolist() == [0]
    assert pool.held_back_ids.tolist() == [1]
    assert pool.classes[1] == 2
    assert pool.paid_ids.tolist() == [0, 1]
    assert pool.reserved_ids.tolist() == [5]
    assert pool.queried_ids.tolist() == [4]
    assert pool.skipped_ids.tolist() == [2]
    assert pool.unlabeled_ids.tolist() == [3, 6]


def test_a_thinned_image_is_in_no_pool_and_takes_no_label():
    pool = Pool.fold(6, {0: event(0, 1)}, np.array([5]), thinned_ids=np.array([2, 3]))
    assert pool.ids(Status.THINNED).tolist() == [2, 3]
    assert pool.unlabeled_ids.tolist() == [1, 4]
    assert pool.counts()["thinned"] == 2
    with pytest.raises(DataError, match="sample 2, which is thinned out of the pool"):
        Pool.fold(6, {2: event(2, 1)}, NONE, thinned_ids=np.array([2, 3]))
