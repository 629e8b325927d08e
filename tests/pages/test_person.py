"""Who labels: the name in the side bar, what the Label page and its token make of it, and who is here."""

import json

import pytest
from conftest import components

from al_core.records import LabelOp, LabelSource
from state import person, session
from state.web import security


@pytest.fixture
def nobody(monkeypatch):
    """Nobody is signed in, as on one's own machine; AppTest signs test@example.com in."""
    monkeypatch.setattr(person, "signed_in", lambda: "")


def grid(app):
    return json.loads(components(app, "label_grid")[0].json)


def take_name(app, text):
    app.text_input(key="person:name").set_value(text).run()
    assert not app.exception
    return app


def test_who_is_signed_in_labels_under_that_address_and_cannot_change_it(waiting, visit):
    data = grid(app := visit("label", exp=waiting().id))
    assert data["person"] == "test@example.com"
    experiment = data["batch"].partition("/")[0]
    assert security.bearer(data["post"]["token"], "labels", experiment) == "test@example.com"
    assert [field.key for field in app.text_input if field.key == "person:name"] == []


def test_without_a_name_one_labels_as_me_and_nothing_is_asked(nobody, waiting, visit):
    app = visit("label", exp=waiting().id)
    data = grid(app)
    assert (data["person"], data["own"], data["seat"]["share"]) == ("", [], None)
    assert security.bearer(data["post"]["token"], "labels", data["batch"].partition("/")[0]) == ""
    assert app.text_input(key="person:name").value == ""
    assert not components(app, "name_keeper")


def test_a_name_is_kept_in_tab_and_browser_and_bound_to_the_token(nobody, waiting, visit):
    app = take_name(visit("label", exp=waiting().id), "  Zoë\tMüller\u202e ")
    data = grid(app)
    assert data["person"] == "Zoë Müller"
    assert security.bearer(data["post"]["token"], "labels", data["batch"].partition("/")[0]) == "Zoë Müller"
    (keeper,) = components(app, "name_keeper")
    assert json.loads(keeper.json) == {"cookie": person.COOKIE, "value": "Zo%C3%AB%20M%C3%BCller"}
    assert app.session_state[session.KEY].person == "Zoë Müller"


def test_who_takes_another_name_frees_the_seat_of_the_former_one(nobody, home, waiting, visit):
    record = waiting()
    home.take_seat(record.id, "", round=-1)
    take_name(visit("label", exp=record.id), "Ann")
    assert home.seats(record.id) == []


def test_beside_another_the_page_shows_ones_own_share(nobody, home, waiting, visit):
    record = waiting()
    home.take_seat(record.id, "Bob", round=-1)
    home.add_labels(
        record.id, [LabelOp(1, 0, 3)], client="bob", source=LabelSource.HUMAN, round=-1, annotator="Bob",
        shared=True,
    )  # fmt: skip
    data = grid(take_name(visit("label", exp=record.id), "Ann"))
    share = data["seat"]["share"]
    assert [(p["name"], p["answered"]) for p in share["people"]] == [("Bob", 1), ("Ann", 0)]
    assert share["leased"] == []  # four were open, and Bob was at them first
    assert share["left"] == 4
    assert (data["own"], data["labels"]) == ([], {"0": 3})


def test_a_first_answer_is_not_shown_to_who_gives_the_second(nobody, home, waiting, visit):
    record = waiting(query__overlap=1.0)
    ops = [LabelOp(n, n - 1, 3) for n in range(1, 6)]
    home.add_labels(record.id, ops, client="bob", source=LabelSource.HUMAN, round=-1, annotator="Bob")
    app = take_name(visit("label", exp=record.id), "Ann")
    data = grid(app)
    assert data["seat"]["share"]["seconds"] == [0, 1, 2, 3, 4]
    assert data["labels"] == {}
    op = [LabelOp(1, 2, 7)]
    home.add_labels(
        record.id, op, client="ann", source=LabelSource.HUMAN, round=-1, annotator="Ann", shared=True
    )
    data = grid(app.run())
    assert (data["labels"], data["own"]) == ({"2": 7}, [2])
    assert home.current_labels(record.id)[2].value == 3
