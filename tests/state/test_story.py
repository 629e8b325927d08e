"""What the story's closing card says of the person, and what it must not."""

import numpy as np
import pytest

from al_core.records import LabelEvent, LabelSource, Query, QueryItem, RoundRecord
from al_core.types import SKIP, UNLABEL
from state import story
from state.starting import story_config

TRUTH = np.array([0, 1, 2, 3, 4, 5, 6, 7])


def query(number, *ids):
    items = tuple(QueryItem(rank, i, None) for rank, i in enumerate(ids))
    return Query("abc", number, "margin", items, 100, "hash", 0.0)


def event(sample_id, value, *, source=LabelSource.HUMAN, ms=None, at=0.0, round=0):
    return LabelEvent(sample_id + 1, "abc", sample_id, value, source, "", round, "tab", sample_id + 1, at, ms)


def rounds(*points):
    return [
        RoundRecord("abc", n, labels, 0, {"test_accuracy": value}, None, (), {}, {}, {}, 0.0)
        for n, (labels, value) in enumerate(points)
    ]


QUERIES = (query(-1, 0), query(0, 1, 2, 3), query(1, 4, 5), query(2, 6, 7))
TRAINED = rounds((1, 0.5), (4, 0.7), (6, 0.8))


def look_back(*events, baseline=()):
    return story.closing(QUERIES, {e.sample_id: e for e in events}, TRUTH, TRAINED, baseline)


def test_answers_are_compared_with_ground_truth_and_misses_are_named():
    found = look_back(event(1, 1), event(2, 9), event(4, 4), event(5, 5))
    assert (found.agreed, found.answered) == (3, 4)
    assert found.misses == (story.Miss(2, 9, 2),)


def test_images_that_wait_for_answers_keep_their_truth_to_themselves():
    found = look_back(event(1, 1), event(6, 9, round=2), event(7, 7, round=2))
    assert found.answered == 1
    assert found.misses == ()


def test_only_a_persons_answers_with_a_class_count():
    oracle = event(2, 0, source=LabelSource.ORACLE)
    found = look_back(event(0, 5), oracle, event(3, SKIP), event(4, UNLABEL), event(5, 5))
    assert (found.agreed, found.answered) == (1, 1)


def test_unknown_truth_is_no_miss():
    found = story.closing(QUERIES, {1: event(1, 4)}, np.full(8, -1), TRAINED, ())
    assert found.misses == ()


def test_the_pace_is_how_long_the_person_looked():
    assert story.labels_a_minute([event(1, 1, ms=1000), event(2, 2, ms=2000)]) == pytest.approx(40)


def test_without_looking_times_the_pace_is_when_the_labels_came_round_by_round():
    events = [
        event(1, 1, at=10),
        event(2, 2, at=12),
        event(4, 4, at=900, round=1),
        event(5, 5, at=902, round=1),
    ]
    assert story.labels_a_minute(events) == pytest.approx(30)
    assert story.labels_a_minute([event(1, 1)]) is None
    assert story.labels_a_minute([]) is None


def test_random_is_compared_only_where_it_has_got_to():
    assert look_back(baseline=rounds((1, 0.5), (5, 0.6))).over_random is None
    assert look_back(baseline=rounds((1, 0.5), (6, 0.6))).over_random == pytest.approx(0.2)
    assert look_back().gained == pytest.approx(0.3)
    assert look_back().labels == 6


def test_ground_truth_may_take_over_the_story():
    config = story.by_truth(story_config())
    assert config.oracle == "truth"
    assert config.stop.budget == 120
