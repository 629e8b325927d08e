import json
import runpy

import pytest
import streamlit as st
from conftest import MAIN, components

from state import faults, handles, session


def words(app):
    return " ".join(
        str(e.value) for kind in ("error", "warning", "markdown", "caption", "text") for e in app.get(kind)
    )


def test_an_empty_store_shows_the_home_page_and_no_rail(visit):
    app = visit()
    assert not app.exception
    assert app.title[0].value == "Teach a classifier with fewer labels"
    assert components(app, "loop_rail") == []
    assert [button.label for button in app.button if button.key == "story"] == ["Teach it in 90 seconds"]


@pytest.mark.parametrize(
    "page", ["setup", "label", "train", "curves", "compare", "queries", "settings", "help"]
)
def test_every_page_runs_on_an_empty_store(visit, page):
    app = visit(page)
    assert not app.exception
    assert not app.error
    assert app.session_state[session.KEY].booted


def test_a_deep_link_on_the_first_visit_opens_its_experiment_with_the_rail(visit, waiting):
    record = waiting(0.5, 0.75)
    app = visit("curves", exp=record.id)
    assert not app.exception
    assert app.session_state[session.KEY].experiment_id == record.id
    rail = json.loads(components(app, "loop_rail")[0].json)
    assert rail["accuracy"] == "75.0 %"
    assert rail["change"] == "+25.0"
    assert dict(rail["steps"])["Label"] == "current"
    assert [b.label for b in app.button if b.key == "next"] == ["Label 5 images"]


def test_an_experiment_that_is_not_there_is_said_and_the_address_is_mended(visit):
    app = visit(exp="gone")
    assert "not there" in app.warning[0].value
    assert "exp" not in app.query_params
    assert app.session_state[session.KEY].experiment_id is None


@pytest.mark.parametrize("value", ["../../etc/passwd", "![x](http://evil.test)", "a" * 400, "<script>"])
def test_an_address_that_cannot_be_meant_is_refused_without_being_repeated(visit, value):
    app = visit(exp=value)
    assert not app.exception
    assert len(app.warning) == 1
    assert value not in words(app)


def test_a_round_beyond_the_last_is_clamped_and_said(visit, waiting):
    record = waiting(0.5, 0.75)
    app = visit("curves", exp=record.id, round="99")
    assert "99" in app.warning[0].value
    assert app.session_state[session.KEY].round == 1
    assert app.query_params["round"] == "1"


def test_an_unforeseen_error_is_shown_as_an_id_that_the_log_explains(visit, monkeypatch):
    def broken(self, **kwargs):
        raise RuntimeError("the secret detail")

    monkeypatch.setattr(type(handles.store()), "experiments", broken)
    app = visit()
    shown = " ".join(error.value for error in app.error)
    assert "secret detail" not in shown
    error_id = shown.split("**")[1]
    log = (handles.settings().logs / "app.log").read_text()
    assert error_id in log
    assert "the secret detail" in log
    assert "Traceback" not in shown
    faults.log.cache_clear()


def test_a_page_that_is_run_without_the_front_door_stops(home, monkeypatch):
    stopped = []
    monkeypatch.setattr("streamlit.stop", lambda: stopped.append(True) or (_ for _ in ()).throw(SystemExit))
    monkeypatch.setattr("streamlit.error", lambda text: stopped.append(text))
    monkeypatch.setattr("state.session.current", lambda: session.Session())
    with pytest.raises(SystemExit):
        runpy.run_path(str(MAIN.parent / "home.py"))
    assert "front door" in stopped[0]


def test_the_next_button_starts_training_when_all_is_answered(visit, waiting, home):
    record = waiting(0.5)
    experiment_query = home.queries(record.id)[-1]
    from al_core.records import LabelOp, LabelSource

    ops = [LabelOp(n, item.sample_id, 3) for n, item in enumerate(experiment_query.items, start=1)]
    home.add_labels(record.id, ops, client="c", source=LabelSource.HUMAN, round=0)
    app = visit("curves", exp=record.id)
    button = next(b for b in app.button if b.key == "next")
    assert button.label == "Train on 5 new labels"
    button.click().run()
    assert [job.kind for job in home.jobs(experiment_id=record.id, active=True)] == ["advance"]


def test_names_from_people_are_shown_literally(visit, waiting):
    poisoned = "![x](http://evil.test/a.png) **b** :red[c] <img src=x>"
    record = waiting(0.5, name=poisoned)
    app = visit(exp=record.id)
    shown = [m.value for m in app.markdown if "evil" in m.value]
    assert shown
    assert all("![x](" not in value and "<img" not in value.replace("\\<", "") for value in shown)


@pytest.mark.parametrize("page", ["home", "setup", "label", "train", "curves", "compare", "queries"])
def test_every_page_shows_a_session_with_one_bar_at_the_bottom(visit, waiting, page):
    record = waiting(0.5, 0.75)
    app = visit(page, exp=record.id)
    assert not app.exception
    assert not app.error
    assert len(components(app, "loop_rail")) == (page != "setup")
    assert len([button for button in app.button if button.key in ("next", "create")]) == (page != "label")


def test_a_notice_stays_until_a_run_that_showed_it_came_to_its_end(visit, home, monkeypatch):
    app = visit("help")
    tab = app.session_state[session.KEY]
    assert tab.whole
    tab.notices.append("something was refused")
    with monkeypatch.context() as cut:
        cut.setattr(session, "guard", st.stop)
        app.run()
    assert not tab.whole
    assert "refused" in app.warning[0].value
    app.run()
    assert tab.whole
    assert "refused" in app.warning[0].value
    app.run()
    assert not app.warning


@pytest.mark.parametrize(("whole", "drawn"), [(True, ["one", "two"]), (False, "app")])
def test_fragments_are_drawn_alone_only_where_all_of_the_page_was_drawn_before(monkeypatch, whole, drawn):
    monkeypatch.setattr(session, "current", lambda: session.Session(whole=whole))

    def rerun(scope="app"):
        raise InterruptedError(scope)

    monkeypatch.setattr(session.st, "rerun", rerun)
    with pytest.raises(InterruptedError) as said:
        session.redraw("one", "two")
    assert said.value.args == (drawn,)
