"""POST /api/seats, and labels in a person's name: what a browser can say and what it cannot."""

import base64
import json

import pytest
from conftest import SAME

from state.web import security

BROWSER = "browser-1"


def say(web, person, *, token=None, headers=None, **words):
    body = {"batch": web.query.batch, "browser": BROWSER} | words
    sent = {"X-AL-Token": token or security.token("labels", web.id, person)}
    sent |= {"Content-Type": "application/json"} | (SAME if headers is None else headers)
    return web.client.post("/api/seats", content=json.dumps(body), headers=sent)


def label(web, person, *pairs, client):
    ops = [{"n": n, "id": i, "to": to} for n, (i, to) in enumerate(pairs, start=1)]
    return web.post(ops, client=client, token=security.token("labels", web.id, person))


def test_alone_the_whole_query_is_ones_own(web):
    reply = say(web, "Ann").json()
    assert reply == {
        "people": [{"name": "Ann", "answered": 0, "me": True, "twin": False}],
        "leased": None, "seconds": [], "left": 10, "labeled": 0,
    }  # fmt: skip


def test_two_are_asked_different_images_and_see_each_other(web):
    say(web, "Ann", pace=30)
    bob = say(web, "Bob").json()
    ann = say(web, "Ann", pace=30).json()
    assert len(ann["leased"]) == len(bob["leased"]) == 4
    assert not set(ann["leased"]) & set(bob["leased"])
    assert bob["people"][0] == {"name": "Ann", "answered": 0, "pace": 30}
    assert label(web, "Bob", (bob["leased"][0], 3), client="bobs-tab").json()["n"] == 1
    assert {p["name"]: p["answered"] for p in say(web, "Ann").json()["people"]} == {"Ann": 0, "Bob": 1}


def test_labels_are_written_in_the_name_that_the_token_is_bound_to(web):
    assert label(web, "Ann", (5, 1), client="anns-tab").status_code == 200
    assert label(web, "", (6, 1), client="some-tab").status_code == 200
    assert [e.annotator for e in web.store.label_events(web.id)] == ["Ann", ""]


@pytest.mark.parametrize("scope", ["labels", "metrics"])
def test_a_browser_cannot_write_in_anothers_name(web, scope):
    end, _, signature = security.token(scope, web.id, "Ann").split(".")
    forged = base64.urlsafe_b64encode(b"Bob").decode().rstrip("=")
    for token in (
        f"{end}.{forged}.{signature}", f"{end}.{signature}", f"{end}..{signature}", f"{end}.%%.{signature}",
        f"{end}.{forged}.{signature}.x", "", "...", f"{end}.é.{signature}",
        security.token("labels", "other", "Ann"),
    ):  # fmt: skip
        raw = {"X-AL-Token": token.encode("latin-1")} | SAME
        assert say(web, "", headers=raw, token="x").status_code == 403
        ops = [{"n": 1, "id": 5, "to": 1}]
        assert web.post(ops, headers=raw, token="x").status_code == 403
    assert web.events() == []
    assert web.store.seats(web.id) == []


def test_a_token_says_in_whose_name_it_is(web):
    for name in ("", "Ann", "ann@example.org", "Zoë Müller 🙂", "a.b", "x" * 60):
        assert security.bearer(security.token("labels", web.id, name), "labels", web.id) == name
    assert security.bearer(security.token("labels", web.id, "Ann"), "labels", "other") is None


def test_what_is_anothers_is_said_in_the_reply_and_kept_beside(web):
    say(web, "Ann")
    theirs = say(web, "Bob").json()["leased"][0]
    reply = label(web, "Ann", (theirs, 2), client="anns-tab").json()
    assert reply["n"] == 1
    assert reply["taken"] == [{"id": theirs, "by": "Bob"}]
    assert web.events() == []
    assert [(e.sample_id, e.value) for e in web.store.opinions(web.id)] == [(theirs, 2)]


def test_an_answer_to_an_earlier_query_is_never_turned_aside(web):
    say(web, "Ann")
    theirs = say(web, "Bob").json()["leased"][0]
    web.end()
    web.store.submit_job("advance", experiment_id=web.id)
    _, web.lease = web.store.claim_job("test")
    web.store.put_query(web.lease, web.make_query(0, [50, 51]))
    assert "taken" not in label(web, "Ann", (theirs, 2), (theirs, 3), client="anns-tab").json()
    assert [e.source.value for e in web.store.label_events(web.id)] == ["human", "correction"]


def test_who_leaves_frees_what_they_held(web):
    say(web, "Ann")
    say(web, "Bob")
    assert say(web, "Bob", leave=True).json() == {}
    assert say(web, "Ann").json()["leased"] is None


def test_an_image_of_the_overlap_is_asked_again_without_its_first_answer(web):
    config = web.store.experiment(web.id).config.changed(query__overlap=1.0)
    web.store.update_experiment(web.id, config=config)
    say(web, "Ann")
    label(web, "Ann", (5, 1), (6, 2), client="anns-tab")
    leased = say(web, "Bob").json()["leased"]
    label(web, "Bob", *((i, 3) for i in leased), client="bobs-tab")
    assert 5 in say(web, "Bob").json()["seconds"]
    assert "taken" not in label(web, "Bob", (5, 9), client="bobs-2nd").json()
    assert web.store.current_labels(web.id)[5].value == 1


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ({"browser": "x"}, 422), ({"idle": -1}, 422), ({"idle": 1.5}, 422), ({"pace": 10**6}, 422),
        ({"more": 1}, 422), ({"batch": "../../etc/passwd"}, 422), ({"batch": "gone/-1/abc"}, 403),
    ],
)  # fmt: skip
def test_words_that_do_not_fit_are_refused(web, words, status):
    assert say(web, "Ann", **words).status_code == status
    assert web.store.seats(web.id) == []


def test_a_query_that_is_gone_is_said_so(web):
    reply = say(web, "Ann", batch=f"{web.id}/7/abc")
    assert reply.status_code == 409
    assert "reload" in reply.json()["error"]


def test_other_sites_may_not_take_seats(web):
    assert say(web, "Ann", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


# -- the Review page's answers ----------------------------------------------------------------------------


def decide(web, person, *ops, client="review-1"):
    token = security.token("labels", web.id, person)
    return web.post(list(ops), batch=f"{web.id}/-1/review", client=client, token=token)


def test_a_decision_of_the_review_page_is_a_verdict_whoever_is_here(web):
    say(web, "Ann")
    theirs = say(web, "Bob").json()["leased"][0]
    label(web, "Bob", (theirs, 3), client="bobs-tab")
    assert "taken" not in decide(web, "Ann", {"n": 1, "id": theirs, "to": 4}).json()
    event = web.store.current_labels(web.id)[theirs]
    assert (event.value, event.source.value, event.annotator) == (4, "adjudication", "Ann")
    reply = decide(web, "Ann", {"n": 2, "id": theirs, "to": 3, "how": "undone"})
    assert reply.status_code == 200
    assert web.store.current_labels(web.id)[theirs].detail == {"how": "undone"}


def test_a_blind_answer_is_kept_beside_the_label(web):
    label(web, "Ann", (5, 1), client="anns-tab")
    op = {"n": 1, "id": 5, "to": 2, "mark": "opinion", "how": "reask"}
    assert decide(web, "Ann", op).status_code == 200
    (opinion,) = web.store.opinions(web.id)
    assert (opinion.value, opinion.detail) == (2, {"how": "reask"})
    assert web.store.current_labels(web.id)[5].value == 1


@pytest.mark.parametrize(
    "op", [{"id": 7, "to": 1}, {"id": 5, "to": 10}, {"id": 5, "to": 99, "mark": "opinion"}]
)
def test_what_nobody_answered_or_is_no_class_cannot_be_decided(web, op):
    label(web, "Ann", (5, 1), client="anns-tab")
    assert decide(web, "Ann", {"n": 1} | op).status_code == 422
    assert len(web.store.log(web.id)) == 1
