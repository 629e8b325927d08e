"""GET and POST /api/classes: every tab learns of a change, and a class named in an answer is made once."""

import json
import threading

import pytest

from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange
from state import handles
from state.web import security
from tests.state.web.conftest import SAME

PLACE = "/api/classes/"


def experiment(web):
    return Experiment.open(web.store, web.settings, web.id)


def get(web, query="", token=None):
    sent = {"X-AL-Token": security.token("labels", web.id) if token is None else token}
    return web.client.get(f"{PLACE}{web.id}{query}", headers=sent)


def tell(web, *, headers=None, token=None, **change):
    sent = {"X-AL-Token": token or security.token("labels", web.id), "Content-Type": "application/json"}
    sent |= SAME if headers is None else headers
    return web.client.post(f"{PLACE}{web.id}", content=json.dumps(change), headers=sent)


def test_the_classes_are_told_and_nothing_where_nothing_changed(web):
    found = get(web).json()
    assert found["names"] == list(web.dataset.classes)
    assert (found["rev"], found["said"], found["closed"], found["begun"]) == (0, 0, [], 10)
    assert get(web, "?after=0").status_code == 204
    made = tell(web, act="add", name="ten").json()
    assert (made["class_id"], made["names"][-1]) == (10, "ten")
    assert get(web, f"?after={made['said']}").status_code == 204
    assert get(web, "?after=0").json()["names"][-1] == "ten"


def test_every_change_is_written_down_with_who_and_when(web):
    tell(web, act="rename", class_id=3, name="three")
    tell(web, act="merge", class_id=1, into=7)
    told = tell(web, act="retire", class_id=4, labels="ask").json()
    assert told["closed"] == [1, 4]
    assert told["into"] == {"1": 7}
    acts = [event.change.act for event in web.store.class_events(web.id)]
    assert acts == [ClassAct.RENAME, ClassAct.MERGE, ClassAct.RETIRE]
    assert all(event.at > 0 and event.round == -1 for event in web.store.class_events(web.id))
    assert web.store.check() == []


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"act": "add", "name": " "}, 422, "A class needs a name"),
        ({"act": "add", "name": "3"}, 422, "There is a class “3” already"),
        ({"act": "fly"}, 422, "act"),
        ({"act": "merge", "class_id": 1, "into": 1}, 422, "into itself"),
        ({"act": "pin", "class_id": 1, "text": "good", "sample_id": 10**9}, 422, "There is no image"),
        ({"act": "guide", "class_id": 1, "text": "x" * 5000}, 422, "text"),
        ({"act": "guide", "class_id": 1, "text": "x" * 300_000}, 413, "bytes at once"),
        ({"act": "add", "name": "ten", "colour": "red"}, 422, "colour"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_words_and_nothing_is_written(web, change, status, words):
    reply = tell(web, **change)
    assert reply.status_code == status
    assert words in reply.json()["error"]
    assert web.store.class_events(web.id) == []


def test_only_this_programs_own_page_may_read_and_change(web):
    assert get(web, token="x").status_code == 403
    assert get(web, token=security.token("metrics", web.id)).status_code == 403
    assert tell(web, act="add", name="ten", token="x").status_code == 403
    assert tell(web, act="add", name="ten", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert get(web, "?after=x").status_code == 422
    assert web.store.class_events(web.id) == []


def test_what_is_gone_is_said(web):
    token = security.token("labels", "gone")
    assert web.client.get(f"{PLACE}gone", headers={"X-AL-Token": token}).status_code == 404


def guide(web, class_id, round=9):
    """What is told of one class, beside the images of that round's query (9: there is none)."""
    found = get(web, f"?guides={round}").json()["guides"]
    return next(each for each in found if each["class_id"] == class_id)


def test_a_guideline_holds_words_and_pinned_pictures_and_the_labels_that_show_the_class(web):
    web.post([{"n": 1, "id": 5, "to": 2}, {"n": 2, "id": 6, "to": 2}, {"n": 3, "id": 7, "to": 2},
              {"n": 4, "id": 7, "to": 1, "mark": "unsure"}])  # fmt: skip
    tell(web, act="guide", class_id=2, text="a swan's neck ")
    tell(web, act="pin", class_id=2, text="borderline", sample_id=6)
    said = tell(web, act="pin", class_id=2, text="good", sample_id=40).json()
    found = guide(web, 2)
    assert found["text"] == "a swan's neck"
    assert [(pin["sample_id"], pin["kind"]) for pin in found["pins"]] == [(40, "good"), (6, "borderline")]
    assert [each["sample_id"] for each in found["typical"]] == [5]  # 6 is pinned, of 7 somebody was unsure
    assert not found["by_model"]
    assert found["labels"] == 3
    assert web.client.get(found["pins"][0]["src"]).status_code == 200
    assert said["rev"] == 0 < said["said"]  # no class has changed by it
    tell(web, act="unpin", class_id=2, sample_id=40)
    assert [pin["sample_id"] for pin in guide(web, 2)["pins"]] == [6]


def test_guidelines_are_told_of_every_class_that_can_be_given_and_of_no_other(web):
    tell(web, act="add", name="ten")
    tell(web, act="retire", class_id=4, labels="ask")
    told = get(web, "?guides=9").json()
    assert [each["class_id"] for each in told["guides"]] == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert get(web, f"?guides=9&after={told['said']}").status_code == 204
    assert guide(web, 10) == {
        "class_id": 10, "text": "", "by": "", "at": None, "pins": [], "typical": [], "by_model": False,
        "labels": 0,
    }  # fmt: skip
    for wrong in ("x", "-2", "1.5", "", "9" * 12):
        assert get(web, f"?guides={wrong}").status_code == 422


def test_labels_of_the_query_that_the_grid_shows_are_counted_by_the_grid(web):
    web.post([{"n": 1, "id": 5, "to": 2}])
    assert guide(web, 2, round=-1)["labels"] == 0
    assert [each["sample_id"] for each in guide(web, 2, round=-1)["typical"]] == [5]
    assert guide(web, 2)["labels"] == 1


def test_a_class_has_a_dozen_pinned_examples_at_most(web):
    for number in range(12):
        assert tell(web, act="pin", class_id=2, text="good", sample_id=100 + number).status_code == 200
    refused = tell(web, act="pin", class_id=2, text="good", sample_id=200)
    assert refused.status_code == 422
    assert "12 pinned examples" in refused.json()["error"]
    again = tell(web, act="pin", class_id=2, text="borderline", sample_id=105)  # of another kind now
    assert again.status_code == 200
    assert len(guide(web, 2)["pins"]) == 12


# -- classes that an answer names -------------------------------------------------------------------------


def test_an_answer_may_name_a_class_that_is_made_with_it_and_only_once(web):
    sent = [{"n": 1, "id": 5, "to": 10, "name": "ten"}, {"n": 2, "id": 6, "to": 10, "name": "Ten "}]
    first = web.post(sent)
    assert first.json()["classes"] == web.store.class_events(web.id)[-1].id
    assert web.post(sent).json() == first.json()
    assert web.events() == [(1, 5, 10), (2, 6, 10)]
    assert [event.change.name for event in web.store.class_events(web.id)] == ["ten"]


def test_the_name_decides_where_another_tab_was_first(web):
    tell(web, act="add", name="hat")  # takes id 10
    web.post([{"n": 1, "id": 5, "to": 10, "name": "ten"}])
    assert web.events() == [(1, 5, 11)]


def test_two_tabs_that_find_the_same_class_at_once_share_it(web):
    replies = []

    def send(number):
        replies.append(
            web.post([{"n": 1, "id": 5 + number, "to": 10, "name": "ten"}], client=f"tab-000{number}")
        )

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status_code for reply in replies] == [200] * 4
    assert {value for _, _, value in web.events()} == {10}
    assert len(web.store.class_events(web.id)) == 1


def test_a_retired_class_comes_back_by_its_name_and_is_refused_by_its_id(web):
    tell(web, act="retire", class_id=4, labels="ask")
    refused = web.post([{"n": 1, "id": 5, "to": 4}])
    assert refused.status_code == 422
    assert "“4” is retired" in refused.json()["error"]
    web.post([{"n": 1, "id": 5, "to": 4, "name": "4"}])
    assert web.events() == [(1, 5, 4)]
    assert 4 in experiment(web).classes().open


def test_an_answer_of_a_merged_class_counts_as_the_other(web):
    tell(web, act="merge", class_id=1, into=7)
    assert web.post([{"n": 1, "id": 5, "to": 1}]).status_code == 200
    assert web.store.current_labels(web.id)[5].value == 7
    web.post([{"n": 2, "id": 6, "to": 1, "name": "1"}])
    assert web.store.current_labels(web.id)[6].value == 7


def test_a_bad_name_is_refused_with_nothing_saved(web):
    reply = web.post([{"n": 1, "id": 5, "to": 10, "name": "a\x00b"}])
    assert reply.status_code == 422
    assert "U+0000" in reply.json()["error"]
    assert web.events() == []


def test_two_changes_at_once_are_both_made(web):
    def add(number):
        experiment(web).change_class(ClassChange(0, ClassAct.ADD, name=f"new {number}"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = experiment(web).classes().names
    assert sorted(names[10:]) == [f"new {n}" for n in range(6)]
    assert handles.store().check() == []
