"""Overlap and classes of queries, worked by hand."""

import numpy as np
import pytest

from al_core.records import Query, QueryItem, RoundRecord
from al_core.results.picks import class_frame, jaccard, overlap_frame, picked_classes, pool_shares


def query(number, *ids):
    items = tuple(QueryItem(rank, i, None) for rank, i in enumerate(ids))
    return Query("e", number, "s", items, 100, "", 0.0)


def round_(labels, *counts):
    return RoundRecord("e", labels // 10, labels, 0, {}, None, counts, {}, {}, {}, 0.0)


def test_jaccard_is_the_shared_over_all():
    assert jaccard({1, 2, 3}, {2, 3, 4}) == pytest.approx(2 / 4)
    assert jaccard({1}, {2}) == 0
    assert jaccard(set(), set()) is None


def overlaps(frame):
    return {(row.arm, row.other, row.round): (row.overlap, row.seeds) for row in frame.itertuples()}


QUERIES = {
    "a": {0: [query(-1, 90, 91), query(0, 1, 2), query(1, 3, 4)], 1: [query(0, 1, 2)]},
    "b": {0: [query(-1, 90, 91), query(0, 2, 3), query(1, 4, 5)], 1: [query(0, 1, 2)]},
    "c": {2: [query(0, 1, 2)]},
}


def test_overlap_is_the_mean_over_seeds_that_both_have_without_the_initial_set():
    found = overlaps(overlap_frame(QUERIES))
    # round 0: seed 0 shares 2 of {1, 2, 3}, seed 1 all; round 1: seed 0 alone, 4 of {3, 4, 5}
    assert found == {
        ("a", "b", 0): (pytest.approx((1 / 3 + 1) / 2), 2),
        ("a", "b", 1): (pytest.approx(1 / 3), 1),
    }


def test_overlap_so_far_counts_all_that_was_asked_until_then():
    found = overlaps(overlap_frame(QUERIES, so_far=True))
    # {1, 2, 3, 4} and {2, 3, 4, 5} share 3 of 5
    assert found["a", "b", 1] == (pytest.approx(3 / 5), 1)
    assert found["a", "b", 0] == (pytest.approx((1 / 3 + 1) / 2), 2)


def test_overlap_of_nothing_is_an_empty_frame():
    assert list(overlap_frame({}).columns) == ["arm", "other", "round", "overlap", "seeds"]
    assert overlap_frame({"a": {0: []}, "b": {0: []}}).empty


def test_picked_classes_leave_the_initial_set_out_and_end_where_told():
    rounds = [round_(10, 5, 5), round_(20, 11, 9), round_(30, 20, 10)]
    assert picked_classes(rounds, 30).tolist() == [15, 5]
    assert picked_classes(rounds, 29).tolist() == [6, 4]
    assert picked_classes(rounds, 19) is None
    assert picked_classes([], 100) is None


def test_class_shares_are_means_of_each_seed_s_shares():
    rounds = {
        "a": {0: [round_(10, 5, 5), round_(20, 15, 5)], 1: [round_(10, 5, 5), round_(20, 5, 15)]},
        "b": {0: [round_(10, 5, 5)]},
        "c": {0: [round_(10, 5, 5), round_(20, 6, 14)]},
    }
    frame = class_frame(rounds, ("x", "y"), 20)
    found = {(row.arm, row._3): (row.share, row.count, row.seeds) for row in frame.itertuples()}
    assert found == {
        ("a", "x"): (0.5, 5, 2),
        ("a", "y"): (0.5, 5, 2),
        ("c", "x"): (pytest.approx(0.1), 1, 1),
        ("c", "y"): (pytest.approx(0.9), 9, 1),
    }
    assert class_frame(rounds, ("only one",), 20).empty


def test_shares_of_the_pool_need_every_label():
    assert pool_shares(np.array([0, 0, 1, 3]), 4) == [0.5, 0.25, 0.0, 0.25]
    assert pool_shares(np.repeat([0, 1], 100), 2, 4.0) == [0.8, 0.2]
    assert pool_shares(np.array([0, -1]), 2) is None
    assert pool_shares(np.array([], int), 2) is None
