"""Turning pages: what is shown, when it begins anew, and that Streamlit has nothing to say of it."""

import logging

import pytest
from streamlit.elements.lib import policies
from streamlit.testing.v1 import AppTest

SCRIPT = """
import streamlit as st
from pages.components.pager import pager

found = pager("some", st.session_state.get("count", 95), 10, of=st.session_state.get("of", "all"))
st.text(f"{found.number} of {found.pages}: {found.part.start} to {found.part.stop}")
found.draw()
"""


@pytest.fixture
def said(monkeypatch):
    """What Streamlit's rules for widgets had to say; it says it once a process, so that is forgotten."""
    heard = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())
    monkeypatch.setattr(policies, "_shown_default_value_warning", False)
    policies._LOGGER.addHandler(handler)
    yield heard
    policies._LOGGER.removeHandler(handler)


def words(app):
    assert not app.exception
    return app.text[0].value


def turn(app, number):
    return app.get("pagination")[0].set_value(number).run()


def test_it_begins_on_the_first_page_and_says_nothing_about_defaults(said):
    app = AppTest.from_string(SCRIPT).run()
    assert words(app) == "1 of 10: 0 to 10"
    for _ in range(3):
        app.run()
    assert len(app.get("pagination")) == 1
    assert said == []


def test_a_page_that_is_turned_stays_and_other_content_begins_anew():
    app = turn(AppTest.from_string(SCRIPT).run(), 10)
    assert words(app) == "10 of 10: 90 to 100"
    assert words(app.run()) == "10 of 10: 90 to 100"
    app.session_state["of"] = "cats"
    assert words(app.run()) == "1 of 10: 0 to 10"
    app.session_state["of"] = "all"
    assert words(app.run()) == "10 of 10: 90 to 100", "where it was left"


def test_where_pages_go_the_last_one_is_shown_and_its_number_with_it():
    app = turn(AppTest.from_string(SCRIPT).run(), 10)
    app.session_state["count"] = 32
    assert words(app.run()) == "4 of 4: 30 to 40"
    shown = app.get("pagination")[0].proto
    assert (shown.set_value, shown.value) == (True, 4)
    assert words(app.run()) == "4 of 4: 30 to 40"


@pytest.mark.parametrize("count", [0, 1, 10])
def test_one_page_has_no_numbers(count):
    app = AppTest.from_string(SCRIPT)
    app.session_state["count"] = count
    assert words(app.run()).startswith("1 of 1")
    assert len(app.get("pagination")) == 0
