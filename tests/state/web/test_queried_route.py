"""GET /api/queried: the queried images as a zip, made while it is sent."""

import csv
import io
import os
import tracemalloc
import zipfile
from dataclasses import replace

import pytest

from al_core import by_hand
from al_core.data.dataset import Split
from al_core.errors import DataError
from al_core.experiment import Experiment
from al_core.records import (
    ClassAct,
    ClassChange,
    ExperimentStatus,
    LabelOp,
    LabelSource,
    QueryItem,
    RoundRecord,
)
from state import queried
from state.queried import Wanted
from state.web.queried import queried_url


def label(web, *said):
    ops = [LabelOp(n, i, value) for n, (i, value) in enumerate(said, start=1)]
    web.store.add_labels(web.id, ops, client="tester", source=LabelSource.HUMAN, round=-1)


def opened(reply):
    assert reply.status_code == 200, reply.text
    archive = zipfile.ZipFile(io.BytesIO(reply.content))
    assert archive.testzip() is None
    return archive, list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode())))


def test_the_zip_holds_what_the_filter_lets_through_and_says_which(web):
    label(web, (5, 3), (6, 3), (7, 1))
    archive, rows = opened(web.client.get(queried_url(web.id, Wanted(round=-1), "all.zip")))
    assert [int(row["sample_id"]) for row in rows] == web.ids
    assert all(archive.read(row["path"])[:4] == b"\x89PNG" for row in rows)
    reply = web.client.get(queried_url(web.id, Wanted(-1, class_id=3, state="Labeled"), "ü threes.zip"))
    assert "filename*=utf-8''%C3%BC%20threes.zip" in reply.headers["content-disposition"]
    assert [int(row["sample_id"]) for row in opened(reply)[1]] == [5, 6]
    _, by_round = opened(web.client.get(queried_url(web.id, Wanted(by_round=True), "rounds.zip")))
    assert {row["path"].partition("/")[0] for row in by_round} == {"initial"}


def test_a_guess_of_a_class_that_was_merged_since_is_held_against_what_it_counts_as(web):
    label(web, (5, 3))
    experiment = Experiment.open(web.store, web.settings, web.id)
    experiment.change_class(ClassChange(4, ClassAct.MERGE, into=3))
    query = replace(web.query, items=(QueryItem(0, 5, None, ((4, 0.9), (1, 0.1))),))
    (row,) = queried.rows_of(experiment, query)
    assert row.guesses == (("3", 0.9), ("1", 0.1))
    assert row.right is (row.truth == "3")


def test_what_people_put_in_front_moves_no_word_about_a_number(web):
    items = tuple(QueryItem(rank, i, 0.5, ((1, 0.9),)) for rank, i in enumerate((20, 21, 22, 23)))
    query = replace(
        web.make_query(0, [20, 21, 22, 23]), strategy="margin", items=items,
        ahead=(QueryItem(4, 24, 0.3, ((1, 0.9),)),),
    )  # fmt: skip
    record = RoundRecord(web.id, 0, 10, 0, {}, None, (1,) * 10, {}, {}, {}, 0.0)
    web.store.finish_round(web.lease, record, query, status=ExperimentStatus.AWAITING_LABELS)
    experiment = Experiment.open(web.store, web.settings, web.id)
    experiment.config = experiment.config.changed(query__strategy="margin", query__second="k_center")
    before = queried.words_of(experiment, 0)
    assert len(set(before.values())) == 2
    by_hand.ask_for(experiment, [21, 40], client="c")
    shown = by_hand.query_of(web.store, web.id, 0)
    assert [item.sample_id for item in shown.items] == [21, 40, 20, 22, 23]
    assert queried.words_of(experiment, shown.round) == before
    web.store.add_labels(web.id, [LabelOp(1, 24, 3)], client="tester", source=LabelSource.HUMAN, round=0)
    _, rows = opened(web.client.get(queried_url(web.id, Wanted(round=0), "all.zip")))
    assert [row["sample_id"] for row in rows if row["ahead"]] == ["24"]


@pytest.mark.parametrize("old", ["round=-1", "n=a.zip", "state=All"])
def test_an_address_that_was_not_signed_is_refused(web, old):
    url = queried_url(web.id, Wanted(round=-1), "a.zip")
    name = old.partition("=")[0]
    assert old in url
    assert web.client.get(url.replace(old, f"{name}=9")).status_code == 403


def test_a_round_or_session_that_is_gone_is_said_in_words(web):
    reply = web.client.get(queried_url(web.id, Wanted(round=7), "a.zip"))
    assert (reply.status_code, reply.text) == (404, "These images are no longer there; reload the page.")
    assert web.client.get(queried_url("gone", Wanted(), "a.zip")).status_code == 404


def test_an_image_that_cannot_be_read_is_left_out_and_named(web, monkeypatch):
    whole = Split.original

    def original(self, sample_id):
        if sample_id == 8:
            raise DataError("8.png is gone")
        return whole(self, sample_id)

    monkeypatch.setattr(Split, "original", original)
    archive, rows = opened(web.client.get(queried_url(web.id, Wanted(), "a.zip")))
    assert [int(row["sample_id"]) for row in rows] == [i for i in web.ids if i != 8]
    assert archive.read("missing.txt").decode() == "sample 8: 8.png is gone\n"


def test_a_large_zip_is_never_held_whole(web, monkeypatch):
    """Ten images of 8 MB: 80 MB pass through, and no more than a few images are held at once."""
    pictures = os.urandom(8 * 2**20)
    monkeypatch.setattr(Split, "original", lambda self, sample_id: (pictures, ".png"))
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in queried.archive(web.id, Wanted()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > len(web.ids) * len(pictures)
    assert peak < 3 * len(pictures)
