import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.config import DataConfig
from al_core.errors import ConfigError
from al_core.splits import draw_reserve, holdback_size, long_tail, make_splits

LABELS = np.repeat(np.arange(5), 100)


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.45), st.integers(0, 2**32 - 1))
def test_seed_1_defect_2_validation_never_lies_inside_the_pool_or_each_other(first, second, seed):
    splits = make_splits(LABELS, DataConfig(epoch_validation=first, round_validation=second), seed)
    one, two = set(splits.epoch_validation.tolist()), set(splits.round_validation.tolist())
    assert not one & two
    assert one | two == set(splits.validation_ids.tolist())
    for ids, share in ((splits.epoch_validation, first), (splits.round_validation, second)):
        assert np.bincount(LABELS[ids], minlength=5).tolist() == [round(share * 100)] * 5


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    data = DataConfig(round_validation=0.2)
    assert make_splits(LABELS, data, 3).hash == make_splits(LABELS, data, 3).hash
    assert make_splits(LABELS, data, 3).hash != make_splits(LABELS, data, 4).hash


def test_no_share_sets_nothing_aside():
    assert len(make_splits(LABELS, DataConfig(), 0).validation_ids) == 0


def test_unknown_labels_are_refused_with_the_way_out():
    with pytest.raises(ConfigError, match=r"data\.round_validation: 0\.2.*labeled_validation"):
        make_splits(np.full(10, -1), DataConfig(round_validation=0.2), 0)


def test_a_split_that_would_empty_a_class_is_refused():
    with pytest.raises(ConfigError, match="no image of class 0"):
        make_splits(np.array([0] * 50 + [1]), DataConfig(epoch_validation=0.5, round_validation=0.5), 0)


def test_the_reserve_is_a_random_draw_from_the_pool_without_validation_images():
    splits = make_splits(LABELS, DataConfig(round_validation=0.2), 3)
    reserve = draw_reserve(splits, 0.1, 3)
    assert len(reserve) == len(set(reserve.tolist())) == 40
    assert not set(reserve.tolist()) & set(splits.validation_ids.tolist())
    assert reserve.tolist() == draw_reserve(splits, 0.1, 3).tolist()
    assert reserve.tolist() != draw_reserve(splits, 0.1, 4).tolist()
    assert len(draw_reserve(splits, 0.0, 3)) == 0


@given(st.floats(0.01, 0.5), st.lists(st.integers(2, 50), min_size=1, max_size=30))
def test_the_hold_back_gets_its_share_of_all_queries_and_never_a_whole_one(share, sizes):
    asked = held = 0
    for k in sizes:
        m = holdback_size(share, k, asked, held)
        assert 0 <= m < k
        asked, held = asked + k, held + m
        assert held <= share * asked + 1e-6
    assert held > share * asked - 1


def test_cifar_s_long_tail_has_the_published_counts():
    """Cui et al. (2019), ratio 100: 5000 images of the first class, 50 of the last, 12,406 in all."""
    kept = long_tail(np.full(10, 5000), 100)
    assert kept.tolist() == [5000, 2997, 1797, 1077, 646, 387, 232, 139, 83, 50]
    assert long_tail(np.full(10, 5000), 10).tolist()[::9] == [5000, 500]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.floats(1, 1000))
def test_a_thinned_pool_keeps_what_there_is_in_the_order_of_the_classes_sizes(counts, ratio):
    counts = np.array(counts)
    kept = long_tail(counts, ratio)
    assert (kept <= counts).all()
    assert ((kept > 0) == (counts > 0)).all()
    order = np.argsort(-counts, kind="stable")
    assert (np.diff(kept[order][counts[order] > 0]) <= 0).all()
    assert (kept == counts).any() or not counts.any()


def test_ratio_1_gives_every_class_what_the_smallest_has():
    labels = np.repeat(np.arange(3), [50, 20, 90])
    splits = make_splits(labels, DataConfig(imbalance=1), 0)
    left = np.delete(labels, splits.thinned)
    assert np.bincount(left).tolist() == [20, 20, 20]


def test_thinning_is_a_draw_of_the_seed_and_leaves_validation_as_it_was():
    plain = make_splits(LABELS, DataConfig(round_validation=0.2), 3)
    thin = make_splits(LABELS, DataConfig(round_validation=0.2, imbalance=10), 3)
    assert thin.round_validation.tolist() == plain.round_validation.tolist()
    assert not np.isin(thin.thinned, thin.validation_ids).any()
    pool = np.setdiff1d(np.arange(500), thin.aside_ids)
    assert np.bincount(LABELS[pool]).tolist() == [80, 45, 25, 14, 8]
    again = make_splits(LABELS, DataConfig(round_validation=0.2, imbalance=10), 3)
    other = make_splits(LABELS, DataConfig(imbalance=10), 4)
    assert again.hash == thin.hash != plain.hash
    assert other.thinned.tolist() != make_splits(LABELS, DataConfig(imbalance=10), 5).thinned.tolist()
    reserve = draw_reserve(thin, 0.3, 3)
    assert not np.isin(reserve, thin.aside_ids).any()


def test_unknown_labels_cannot_be_thinned():
    with pytest.raises(ConfigError, match=r"data\.imbalance: 10"):
        make_splits(np.full(10, -1), DataConfig(imbalance=10), 0)
