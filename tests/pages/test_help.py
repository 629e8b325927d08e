import json

import pytest
from conftest import components

from al_core.errors import ALError
from state import diagnostics, handles, toys


def part(app, name):
    control = next(c for c in app.get("button_group") if c.key == "help-part")
    control.set_value(name)
    return app.run()


def test_the_cheat_sheet_is_the_label_pages_own_table(visit):
    app = visit("help")
    assert not app.exception
    assert json.loads(components(app, "key_map")[0].json)["edit"] is False


def test_a_strategy_is_shown_beside_random(visit):
    app = visit("help", **{"help-part": "How strategies choose"})
    assert not app.exception
    assert not app.error
    data = json.loads(components(app, "toy")[0].json)
    assert [arm["name"] for arm in data["arms"]] == ["margin", "random"]
    assert data["titles"] == ["Smallest margin", "Random"]
    app.selectbox("toy-strategy").set_value("random").run()
    assert [arm["name"] for arm in json.loads(components(app, "toy")[0].json)["arms"]] == ["random"]


def test_an_example_that_cannot_be_computed_is_said(visit, monkeypatch):
    def broken(strategies, seed):
        raise ALError("The example could not be computed: no numpy")

    monkeypatch.setattr("pages.components.strategy_toy.toy", broken)
    app = visit("help", **{"help-part": "How strategies choose"})
    assert "no numpy" in app.error[0].value


def test_the_process_of_the_example_says_what_went_wrong():
    toys.toy.cache_clear()
    with pytest.raises(ALError, match="could not be computed"):
        toys.toy(("no_such_strategy",), 0)


def test_terms_are_found(visit):
    app = visit("help", **{"help-part": "Glossary"})
    assert not app.exception
    everything = len(app.markdown)
    app.text_input("glossary-find").set_value("margin").run()
    assert 0 < len(app.markdown) < everything
    app.text_input("glossary-find").set_value("xyzzy").run()
    assert "No term" in app.info[0].value


def test_diagnostics_name_versions_and_no_place(visit, waiting):
    waiting(0.5, name="my secret session")
    app = visit("help", help_part="x", **{"help-part": "Versions"})
    text = app.code[0].value
    assert "streamlit" in text
    assert "sessions" in text
    assert str(handles.settings().home) not in text
    assert "secret" not in text
    assert diagnostics.versions()["askwell"] in text
