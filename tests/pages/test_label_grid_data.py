"""What the labelling grid is given: signed addresses, no truth, and equal while only this tab answers."""

import json
import time

import numpy as np
import pytest

from al_core.classes import Classes
from al_core.config import DataConfig
from al_core.data.prepare import prepare
from al_core.records import (
    ClassAct,
    ClassChange,
    ClassEvent,
    LabelEvent,
    LabelSource,
    Mark,
    MarkEvent,
    Query,
    QueryItem,
    query_hash,
)
from al_core.types import SKIP, UNLABEL
from pages.components.label_grid import grid_data
from state.web import security

IDS = [4, 9, 2]


@pytest.fixture
def dataset(settings, monkeypatch):
    monkeypatch.setenv("AL_SECRET", "a secret for this test alone")
    return prepare(settings, DataConfig())


def make_query(**changes):
    items = tuple(QueryItem(rank, i, 0.5, ((3, 0.61234567), (5, 0.3))) for rank, i in enumerate(IDS))
    values = {"experiment_id": "abc", "round": 2, "strategy": "margin", "items": items, "num_candidates": 9}
    return Query(**(values | changes), hash=query_hash(np.asarray(IDS)), at=0.0)


def make_event(sample_id, value):
    return LabelEvent(1, "abc", sample_id, value, LabelSource.HUMAN, "", 2, "tab", 1, 0.0)


def test_the_data_is_json_and_names_batch_classes_and_images_in_picking_order(dataset):
    data = grid_data(make_query(), dataset, {}, 7)
    assert json.loads(json.dumps(data)) == data
    assert data["batch"] == f"abc/2/{make_query().hash}"
    assert data["rev"] == 7
    assert data["classes"] == [str(digit) for digit in range(10)]
    assert [item["id"] for item in data["items"]] == IDS
    assert data["items"][0]["guesses"] == [[3, 0.6123], [5, 0.3]]
    assert security.check_token(data["post"]["token"], "labels", "abc")


def test_withdrawn_answers_are_left_out_and_skips_kept(dataset):
    answers = {4: make_event(4, 6), 9: make_event(9, SKIP), 2: make_event(2, UNLABEL)}
    assert grid_data(make_query(), dataset, answers, 7)["labels"] == {"4": 6, "9": SKIP}


def test_marks_of_the_asked_images_are_given_and_no_others(dataset):
    flag = MarkEvent(3, 9, Mark.FLAG, True, "", "", 2, 0.0)
    note = MarkEvent(4, 9, Mark.NOTE, True, "a hand?", "", 2, 0.0)
    marks = {9: {Mark.FLAG: flag, Mark.NOTE: note}, 77: {Mark.FLAG: flag}}
    data = grid_data(make_query(), dataset, {}, 7, marks=marks)
    assert data["marks"] == {"9": {"flag": True, "note": "a hand?"}}


def test_the_data_is_equal_within_the_hour(dataset, monkeypatch):
    hour = 480_000 * security.HOUR
    seen = set()
    for seconds in (1, 1800, 3599):
        monkeypatch.setattr(security.time, "time", lambda now=hour + seconds: now)
        seen.add(json.dumps(grid_data(make_query(), dataset, {}, 7)))
    assert len(seen) == 1
    assert time.time() != hour


def test_blind_labelling_hides_the_guesses_from_the_browser_altogether(dataset):
    data = grid_data(make_query(), dataset, {}, 7, show_guesses=False)
    assert data["showGuesses"] is False
    assert all("guesses" not in item for item in data["items"])


def test_a_folder_that_gives_the_class_away_is_not_shown(dataset, monkeypatch):
    monkeypatch.setattr(type(dataset.train), "file_name", lambda self, i: f"cat/{i:04}.jpg")
    data = grid_data(make_query(), dataset, {}, 7)
    assert [item["alt"] for item in data["items"]] == ["0004.jpg", "0009.jpg", "0002.jpg"]
    assert "cat" not in json.dumps(data)


def changed(dataset, *changes):
    events = [ClassEvent(n, change, "", 0, 0.0) for n, change in enumerate(changes, 1)]
    return Classes.of(dataset.classes, events)


def test_guesses_of_merged_classes_are_folded_and_of_retired_ones_dropped(dataset):
    merged = changed(dataset, ClassChange(5, ClassAct.MERGE, into=3))
    data = grid_data(make_query(), dataset, {}, 7, classes=merged)
    assert data["items"][0]["guesses"] == [[3, 0.9123]]
    assert (data["closed"], data["into"], data["classesRev"]) == ([5], {"5": 3}, 1)
    retired = changed(dataset, ClassChange(3, ClassAct.RETIRE, labels="keep"))
    data = grid_data(make_query(), dataset, {}, 7, classes=retired)
    assert data["items"][0]["guesses"] == [[5, 0.3]]
    assert data["classes"] == [str(digit) for digit in range(10)]
