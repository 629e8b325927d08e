"""POST /api/labels: what is acknowledged is committed, and nothing else is ever acknowledged."""

import sqlite3
import time
from dataclasses import replace

import pytest

from al_core import by_hand
from al_core.errors import StoreError
from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, ExperimentStatus, LabelSource, QueryItem, RoundRecord
from al_core.types import EXCLUDE, SKIP, UNLABEL
from state import handles
from state.web import labels, security


def ops(*pairs):
    return [{"n": n, "id": i, "to": to} for n, (i, to) in enumerate(pairs, start=1)]


def test_answers_are_committed_and_acknowledged_with_the_rev(web):
    reply = web.post(ops((5, 3), (6, SKIP), (7, EXCLUDE), (5, UNLABEL)))
    assert reply.status_code == 200
    assert reply.json() == {"n": 4, "rev": web.store.label_rev(web.id)}
    assert web.events() == [(1, 5, 3), (2, 6, SKIP), (3, 7, EXCLUDE), (4, 5, UNLABEL)]
    assert {e.source for e in web.store.label_events(web.id)} == {LabelSource.HUMAN}


def test_the_time_that_a_person_looked_is_kept(web):
    assert web.post([{"n": 1, "id": 5, "to": 3, "ms": 840}]).status_code == 200
    assert web.store.label_events(web.id)[0].milliseconds == 840


def test_a_label_says_whether_the_guesses_were_to_be_seen(web):
    said = [{"n": 1, "id": 5, "to": 3, "shown": False}, {"n": 2, "id": 6, "to": 3, "shown": True}]
    assert web.post([*said, {"n": 3, "id": 7, "to": 3}]).status_code == 200
    assert [e.detail for e in web.store.label_events(web.id)] == [{"shown": False}, {"shown": True}, None]
    assert web.post([{"n": 4, "id": 5, "to": 3, "shown": "yes"}]).status_code == 422


def test_sending_again_changes_nothing_and_is_acknowledged_again(web):
    first = web.post(ops((5, 3), (6, 4)))
    again = web.post(ops((5, 3), (6, 4)))
    assert first.json() == again.json()
    assert len(web.events()) == 2


def test_a_longer_repeat_adds_only_what_is_new(web):
    web.post(ops((5, 3)))
    assert web.post(ops((5, 3), (6, 4))).json()["n"] == 2
    assert web.events() == [(1, 5, 3), (2, 6, 4)]


def test_clients_count_on_their_own(web):
    web.post(ops((5, 3)), client="tab-0001")
    web.post(ops((6, 4)), client="tab-0002")
    assert web.events() == [(1, 5, 3), (1, 6, 4)]


@pytest.mark.parametrize("token", ["", "x", "9999999999.AAAA", "1.AAAA", "abc.def", "٣.x"])
def test_a_bad_token_is_refused(web, token):
    headers = {"Sec-Fetch-Site": "same-origin", "X-AL-Token": token.encode("utf-8")}
    reply = web.post(ops((5, 3)), headers=headers)
    assert reply.status_code == 403
    assert web.events() == []


def test_the_token_of_another_experiment_or_use_is_refused(web):
    for scope, subject in (("labels", "another"), ("metrics", web.id)):
        assert web.post(ops((5, 3)), token=security.token(scope, subject)).status_code == 403
    assert web.events() == []


def test_a_token_ends(web, monkeypatch):
    token = security.token("labels", web.id)
    later = time.time() + security.LIFETIME + 2 * security.HOUR
    monkeypatch.setattr(security.time, "time", lambda: later)
    assert web.post(ops((5, 3)), token=token).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8501"},
    ],
)
def test_another_origin_is_refused(web, headers):
    assert web.post(ops((5, 3)), headers=headers).status_code == 403
    assert web.events() == []


def test_the_own_origin_is_accepted_where_browsers_do_not_say_the_site(web):
    assert web.post(ops((5, 3)), headers={"Origin": "http://127.0.0.1:8501"}).status_code == 200


def test_a_form_cannot_send_labels(web):
    sent = {"Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"}
    assert web.post(ops((5, 3)), headers=sent).status_code == 415


@pytest.mark.parametrize("value", [10, 11, -1, -5, 2**31])
def test_a_value_that_is_no_class_is_refused_whole(web, value):
    reply = web.post(ops((5, 3), (6, value)))
    assert reply.status_code == 422
    assert "10" in reply.json()["error"] or str(value) in reply.json()["error"]
    assert web.events() == []


def test_an_image_that_was_not_asked_is_refused(web):
    reply = web.post(ops((4, 3)))
    assert reply.status_code == 422
    assert "Image 4" in reply.json()["error"]
    assert web.events() == []


def test_images_that_a_person_asks_for_are_answered_in_old_tabs_and_new_ones(web):
    experiment = Experiment.open(web.store, web.settings, web.id)
    web.store.update_experiment(web.id, status=ExperimentStatus.AWAITING_LABELS)
    experiment.refresh()
    by_hand.ask_for(experiment, [40, 41], client="c")
    shown = experiment.pending()
    assert [item.sample_id for item in shown.items][:3] == [40, 41, 5]
    assert web.post(ops((40, 3), (5, 4)), batch=shown.batch).status_code == 200
    assert web.post([{"n": 3, "id": 41, "to": 2}]).status_code == 200, "the tab that was open before"
    assert web.events() == [(1, 40, 3), (2, 5, 4), (3, 41, 2)]


@pytest.mark.parametrize(
    "ending", ["/-1/0123456789abcdef", "/7/{hash}", "/-1/{hash}x"], ids=["hash", "round", "longer"]
)
def test_an_unknown_batch_is_a_conflict(web, ending):
    reply = web.post(ops((5, 3)), batch=web.id + ending.format(hash=web.query.hash))
    assert reply.status_code == 409
    assert web.events() == []


def test_a_deleted_experiment_is_a_conflict_though_its_query_is_cached(web):
    assert web.post(ops((5, 3))).status_code == 200
    web.end()
    web.store.delete_experiment(web.id)
    reply = web.post([{"n": 2, "id": 6, "to": 3}])
    assert reply.status_code == 409
    assert "n" not in reply.json()


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "null", "{}", '{"batch": 1}', "{" * 5000,
        '{"batch": "a/0/b", "client": "tab-0001", "ops": []}',
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused(web, body):
    headers = {
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/json",
        "X-AL-Token": security.token("labels", web.id),
    }
    reply = web.client.post("/api/labels", content=body, headers=headers)
    assert reply.status_code == 422
    assert set(reply.json()) == {"error"}


@pytest.mark.parametrize(
    "op",
    [
        {"n": 0, "id": 5, "to": 3},
        {"n": "1", "id": 5, "to": 3},
        {"n": 1.5, "id": 5, "to": 3},
        {"n": True, "id": 5, "to": 3},
        {"n": 1, "id": -5, "to": 3},
        {"n": 1, "id": 5},
        {"n": 1, "id": 5, "to": None},
        {"n": 1, "id": 5, "to": 3, "ms": -1},
        {"n": 1, "id": 5, "to": 3, "more": 1},
        {"n": 2**70, "id": 5, "to": 3},
    ],
)
def test_a_malformed_answer_is_refused(web, op):
    assert web.post([op]).status_code == 422
    assert web.events() == []


def test_numbers_out_of_order_are_not_acknowledged(web):
    reply = web.post([{"n": 2, "id": 5, "to": 3}, {"n": 1, "id": 6, "to": 3}])
    assert reply.status_code == 422
    assert web.events() == []


@pytest.mark.parametrize("batch", ["../../etc/0/x", "a/b/c/d", "a/0/..%2f", "a'/0/b", "x" * 300])
def test_a_batch_of_another_form_is_refused(web, batch):
    assert web.post(ops((5, 3)), batch=batch).status_code == 422


def test_too_large_a_body_is_refused_before_it_is_read_whole(web):
    reply = web.post(ops((5, 3)), padding="x" * labels.MAX_BODY)
    assert reply.status_code == 413
    assert web.events() == []


@pytest.mark.parametrize(
    "failure",
    [
        StoreError("the disk is full; make room"),
        sqlite3.OperationalError("database is locked"),
        OSError(30, "Read-only file system"),
    ],
)
def test_nothing_is_acknowledged_when_the_store_fails(web, monkeypatch, failure):
    class Failing:
        def __getattr__(self, name):
            return getattr(web.store, name)

        def add_labels(self, *args, **kwargs):
            raise failure

    with monkeypatch.context() as patch:
        patch.setattr(handles, "store", Failing)
        reply = web.post(ops((5, 3)))
    assert reply.status_code == 503
    assert set(reply.json()) == {"error"}
    assert web.events() == []


def test_a_store_that_works_again_takes_what_it_refused(web, monkeypatch):
    with monkeypatch.context() as patch:

        def fail(*args, **kwargs):
            raise StoreError("locked")

        patch.setattr(type(web.store), "add_labels", fail)
        assert web.post(ops((5, 3))).status_code == 503
    assert web.post(ops((5, 3))).json()["n"] == 1
    assert web.events() == [(1, 5, 3)]


def test_a_label_of_a_class_that_was_retired_since_can_be_kept_and_had_back(web):
    assert web.post(ops((5, 3), (6, 4))).status_code == 200
    experiment = Experiment.open(web.store, web.settings, web.id)
    experiment.change_class(ClassChange(3, ClassAct.RETIRE, labels="keep"))
    review = f"{web.id}/-1/{labels.REVIEW}"
    assert web.post(ops((6, 3)), batch=review, client="review-01").status_code == 422, "it never was one"
    assert web.post(ops((5, 3)), batch=review, client="review-01").status_code == 200
    assert web.post([{"n": 2, "id": 5, "to": 4}], batch=review, client="review-01").status_code == 200
    again = {"n": 3, "id": 5, "to": 3}
    assert web.post([again], batch=review, client="review-01").status_code == 422
    undone = again | {"how": "undone"}
    assert web.post([undone], batch=review, client="review-01").status_code == 200
    assert web.store.current_labels(web.id)[5].value == 3
    experiment.change_class(ClassChange(3, ClassAct.RESTORE))
    experiment.change_class(ClassChange(3, ClassAct.RETIRE, labels="ask"))
    assert web.post([{"n": 4, "id": 5, "to": 3}], batch=review, client="review-01").status_code == 422


def test_an_answer_to_an_earlier_query_is_a_correction(web):
    record = RoundRecord(web.id, 0, 10, 0, {}, None, (1,) * 10, {}, {}, {}, time.time())
    query = web.make_query(0, [100, 101])
    status = web.store.experiment(web.id).status
    web.post(ops((5, 3)))
    web.store.finish_round(web.lease, record, query, status=status)
    web.post([{"n": 2, "id": 5, "to": 4}])
    web.post(ops((100, 1)), batch=query.batch, client="tab-0002")
    sources = [e.source for e in web.store.label_events(web.id)]
    assert sources == [LabelSource.HUMAN, LabelSource.CORRECTION, LabelSource.HUMAN]


def test_a_first_answer_to_what_an_earlier_query_left_open_is_a_label(web):
    """Ahead or asked: the next query may come while somebody labels on."""
    record = RoundRecord(web.id, 0, 10, 0, {}, None, (1,) * 10, {}, {}, {}, time.time())
    query = replace(web.make_query(0, [100, 101]), ahead=(QueryItem(2, 102, None),))
    status = web.store.experiment(web.id).status
    web.post(ops((5, 3)))
    web.store.finish_round(web.lease, record, query, status=status)
    late = [(6, 1), (5, 4), (7, 2), (6, 2)]
    reply = web.post([{"n": n, "id": i, "to": to} for n, (i, to) in enumerate(late, start=2)])
    assert reply.json() == {"n": 5, "rev": web.store.label_rev(web.id)}
    assert web.post(ops((102, 1)), batch=query.batch, client="tab-0002").status_code == 200
    sources = [e.source.value for e in web.store.label_events(web.id)]
    assert sources == ["human", "human", "correction", "human", "correction", "human"]


def test_a_mark_before_a_late_first_answer_makes_it_no_correction(web):
    record = RoundRecord(web.id, 0, 10, 0, {}, None, (1,) * 10, {}, {}, {}, time.time())
    web.store.finish_round(
        web.lease, record, web.make_query(0, [100, 101]), status=web.store.experiment(web.id).status
    )
    sent = [
        {"n": 1, "id": 6, "to": 1, "mark": "unsure"},
        {"n": 2, "id": 6, "to": 3},
        {"n": 3, "id": 6, "to": 4},
    ]
    assert web.post(sent).status_code == 200
    assert [e.source.value for e in web.store.label_events(web.id)] == ["human", "correction"]


def test_other_methods_are_not_allowed(web):
    assert web.client.get("/api/labels").status_code == 405


def test_answers_are_not_cached(web):
    assert web.post(ops((5, 3))).headers["cache-control"] == "no-store"


def test_marks_are_committed_beside_the_labels(web):
    sent = [
        {"n": 1, "id": 5, "to": 1, "mark": "unsure"},
        {"n": 2, "id": 5, "to": 3},
        {"n": 3, "id": 6, "to": 1, "mark": "note", "text": "=1+1"},
        {"n": 4, "id": 5, "to": 0, "mark": "unsure"},
    ]
    assert web.post(sent).json() == {"n": 4, "rev": web.store.label_rev(web.id)}
    assert web.events() == [(2, 5, 3)]
    marks = [(e.sample_id, e.mark.value, e.on, e.text) for e in web.store.mark_events(web.id)]
    assert marks == [(5, "unsure", True, ""), (6, "note", True, "=1+1"), (5, "unsure", False, "")]


@pytest.mark.parametrize(
    "op",
    [
        {"n": 1, "id": 5, "to": 2, "mark": "flag"},
        {"n": 1, "id": 5, "to": SKIP, "mark": "flag"},
        {"n": 1, "id": 5, "to": 1, "mark": "stain"},
        {"n": 1, "id": 5, "to": 1, "mark": "ask"},  # Explore's, and not the grid's to give
        {"n": 1, "id": 5, "to": 1, "mark": "tag", "text": "x"},
        {"n": 1, "id": 5, "to": 1, "mark": "note", "text": "x" * (labels.MAX_NOTE + 1)},
    ],
)
def test_a_mark_that_means_nothing_is_refused(web, op):
    assert web.post([op]).status_code == 422
    assert web.store.mark_events(web.id) == []


def test_how_an_answer_was_given_is_kept_with_it(web):
    told = {"group": "12345678", "of": 9, "checked": 5, "found": 0, "expected": 1, "low": 0, "high": 3}
    sent = [
        {"n": 1, "id": 5, "to": 3, "how": "blind"},
        {"n": 2, "id": 6, "to": 3, "how": "bulk", "bulk": told},
        {"n": 3, "id": 7, "to": 3},
    ]
    assert web.post(sent).status_code == 200
    details = [e.detail for e in web.store.label_events(web.id)]
    assert details == [{"how": "blind"}, {"how": "bulk", "bulk": told}, None]
    assert web.post([{"n": 4, "id": 5, "to": 3, "how": "asleep"}]).status_code == 422
    assert web.post([{"n": 4, "id": 5, "to": 3, "how": "bulk", "bulk": {"of": 1}}]).status_code == 422
