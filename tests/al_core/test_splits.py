import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.config import DataConfig
from al_core.errors import ConfigError
from al_core.splits import make_splits

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
