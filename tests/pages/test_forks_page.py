"""The round that is looked at, on every page; and leaving a session after it."""

import json

import pytest
from conftest import MAIN, components

from al_core.records import LabelOp, LabelSource
from state import forks, handles, session

SLIDERS = {"curves": "curve-round", "queries": "asked-round"}


def chart(app):
    return json.loads(components(app, "live_curve")[0].json)


def go(app, name):
    """To another page, as a click in the side bar does: the address begins empty."""
    app.query_params.clear()
    app.switch_page(str(MAIN.parent / f"{name}.py"))
    return app.run()


def fork(app, key, **fields):
    app.button(key=key).click().run()
    for name, value in fields.items():
        find = app.number_input if isinstance(value, int) else app.selectbox
        find(key=f"fork-{name}").set_value(value).run()
    return app.button(key="fork-go").click().run()


def test_one_slider_moves_the_marker_and_the_queue_and_goes_along_to_other_pages(visit, waiting):
    record = waiting(0.5, 0.6, 0.7)
    app = visit("curves", exp=record.id)
    assert chart(app)["marked"] is None
    app.select_slider(key="curve-round").set_value(1).run()
    assert chart(app)["marked"] == 1
    assert app.query_params["round"] in ("1", ["1"])
    go(app, "queries")
    assert app.select_slider(key="asked-round").value == 1
    assert json.loads(components(app, "query_cards")[0].json)["items"][0]["id"] == 10
    app.select_slider(key="asked-round").set_value(0).run()
    assert app.session_state[session.KEY].round == 0
    app.select_slider(key="asked-round").set_value(-1).run()
    assert json.loads(components(app, "query_cards")[0].json)["items"][0]["id"] == 0
    go(app, "curves")
    assert app.select_slider(key="curve-round").value == 0
    app.select_slider(key="curve-round").set_value(2).run()
    assert "round" not in app.query_params
    go(app, "queries")
    assert app.select_slider(key="asked-round").value == 2


def test_a_newer_round_or_another_session_ends_the_look_back(visit, waiting):
    record, other = waiting(0.5, 0.6, 0.7), waiting(0.5, 0.6)
    app = visit("curves", exp=record.id, round="0")
    go(app, "queries")
    assert app.select_slider(key="asked-round").value == 0
    app.session_state[session.KEY].rounds_then = 2  # as if a round had been trained since
    go(app, "curves")
    assert app.select_slider(key="curve-round").value == 2
    app.select_slider(key="curve-round").set_value(1).run()
    app.query_params.clear()
    app.query_params["exp"] = other.id
    app.run()
    assert app.session_state[session.KEY].round is None


@pytest.mark.parametrize("page", list(SLIDERS))
def test_a_session_is_forked_where_one_looks(visit, waiting, home, page):
    record = waiting(0.5, 0.6, 0.7)
    app = visit(page, exp=record.id, round="1")
    fork(app, f"{SLIDERS[page]}-fork", strategy="badge", size=7)
    assert not app.exception
    (made, _) = home.experiments()
    assert (made.parent_id, made.num_rounds, made.name) == (record.id, 2, "a session · badge from round 1")
    assert (made.config.query.strategy, made.config.query.n_new) == ("badge", 7)
    assert [job.kind for job in home.jobs(experiment_id=made.id, active=True)] == ["advance"]
    assert app.session_state[session.KEY].experiment_id == made.id


def test_the_round_can_be_another_and_what_differs_in_nothing_is_no_fork(visit, waiting, home):
    record = waiting(0.5, 0.6, 0.7)
    app = visit("curves", exp=record.id)
    app.button(key="curve-round-fork").click().run()
    assert app.selectbox(key="fork-round").value == 2
    assert app.button(key="fork-go").disabled
    app.selectbox(key="fork-round").set_value(0).run()
    app.selectbox(key="fork-model").set_value("fast_net").run()
    assert any("trained anew" in c.value for c in app.caption)
    app.button(key="fork-go").click().run()
    assert home.experiments()[0].num_rounds == 0


def test_what_cannot_run_is_said_in_the_dialog_and_nothing_is_written(visit, waiting, home):
    record = waiting(0.5, 0.6)
    app = visit("curves", exp=record.id)
    fork(app, "curve-round-fork", strategy="bald", model="resnet18")
    assert any("has no dropout" in e.value for e in app.error)
    assert [e.id for e in home.experiments()] == [record.id]


def test_the_card_of_a_session_forks_it_too(visit, waiting, home):
    record = waiting(0.5, 0.6)
    app = visit(exp=record.id)
    fork(app, f"card-{record.id}-fork", strategy="random")
    assert home.experiments()[0].parent_id == record.id


def test_curves_draws_the_family_from_where_it_leaves(visit, waiting, home):
    record = waiting(0.5, 0.6, 0.7)
    config = record.config.changed(query__strategy="badge", name="other way")
    made = forks.begin(record, 1, config, key="k")
    assert forks.begin(record, 1, config, key="k").id == made.id
    assert forks.lines(record) == [], "a fork that has trained nothing has no curve of its own"
    (line,) = forks.lines(made)
    assert (line["id"], [p["n"] for p in line["points"]]) == (record.id, [1, 2])
    assert line["points"][1]["metrics"] == {"test_accuracy": 0.7}
    app = visit("curves", exp=made.id)
    assert [kin["id"] for kin in chart(app)["family"]] == [record.id]
    said = next(m.value for m in app.markdown if "Forked from" in m.value)
    assert "a session" in said
    assert "after round 1" in said
    from al_core.removal import delete_run

    delete_run(home, handles.settings(), record.id)
    app.run()
    assert any("deleted since" in m.value for m in app.markdown)


def test_the_label_page_takes_what_a_relative_has_answered_since(visit, waiting, home):
    record = waiting(0.5, 0.6)
    twin = forks.begin(record, 1, record.config.changed(oracle="human", name="twin", answers={}), key="k")
    (job,) = home.jobs(experiment_id=twin.id, active=True)
    home.control_job(job.id, "stop")
    ids = [item.sample_id for item in home.query(twin.id, 1).items]
    ops = [LabelOp(n, i, 3) for n, i in enumerate(ids[:2], start=1)]
    home.add_labels(record.id, ops, client="c", source=LabelSource.HUMAN, round=1, annotator="ann")
    app = visit("label", exp=twin.id)
    assert not app.exception
    assert {i: e.source for i, e in home.current_labels(twin.id).items()} == dict.fromkeys(
        ids[:2], LabelSource.SHARED
    )
    assert any("2 had an answer in a related session" in c.value for c in app.caption)
