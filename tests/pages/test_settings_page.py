import json

import streamlit as st
from conftest import components

from state import handles, person, preferences, session


def test_settings_show_what_the_server_was_started_with(visit):
    app = visit("settings")
    assert not app.exception
    shown = app.table[0].value.to_string()
    assert handles.settings().home.name in shown
    assert "AL_DATA_ROOTS" in shown
    assert "off" in " ".join(m.value for m in app.markdown)
    assert json.loads(components(app, "key_map")[0].json)["edit"] is True


def test_what_the_browser_remembers_hides_the_guesses(visit, waiting, monkeypatch):
    record = waiting(0.5)
    monkeypatch.setattr(type(st.context), "cookies", {"askwell_blind": "1"})
    app = visit("label", exp=record.id)
    assert app.toggle(preferences.BLIND).value is True
    assert json.loads(components(app, "label_grid")[0].json)["showGuesses"] is False
    app.toggle(preferences.BLIND).set_value(False).run()
    assert json.loads(components(app, "label_grid")[0].json)["showGuesses"] is True


def test_a_name_typed_here_is_the_tabs(visit, monkeypatch):
    monkeypatch.setattr(person, "signed_in", lambda: "")
    app = visit("settings")
    app.text_input("settings:name").set_value("  Ada  Lovelace ").run()
    assert not app.exception
    assert app.session_state[session.KEY].person == app.text_input("settings:name").value == "Ada Lovelace"
