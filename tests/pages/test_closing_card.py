"""The closing card of the first-run story, and blind labelling, on the label page."""

import json

import pytest
from conftest import components

from al_core.records import LabelOp, LabelSource
from state import story


@pytest.fixture
def told(home, digits, waiting, monkeypatch):
    """The story after its second round: ten answers by a person, one of them not the truth's."""
    record = waiting(0.5, 0.6, 0.75)
    monkeypatch.setattr(story, "story_config", lambda: record.config)
    for number in (0, 1):
        ids = [item.sample_id for item in home.query(record.id, number).items]
        truth = digits.train.labels[ids].tolist()
        if number == 1:
            truth[0] = (truth[0] + 1) % 10
        ops = [LabelOp(n, i, value, 1500) for n, (i, value) in enumerate(zip(ids, truth, strict=True), 1)]
        home.add_labels(record.id, ops, client=f"person{number}", source=LabelSource.HUMAN, round=number)
    return home.experiment(record.id)


def figures(app):
    return {metric.label: metric.value for metric in app.metric}


def grid(app):
    return json.loads(components(app, "label_grid")[0].json)


def test_after_the_second_round_the_card_sums_up_and_shows_the_misses(visit, told, home):
    app = visit("label", exp=told.id)
    assert not app.exception
    shown = figures(app)
    assert shown["Your answers"] == "9/10"
    assert shown["Labels a minute"] == "40"
    assert shown["Accuracy, 15 labels"] == "75.0 %"
    assert shown["Against random"] == "–"
    walls = [json.loads(wall.json) for wall in components(app, "picture_wall")]
    assert [len(wall["items"]) for wall in walls] == [1]
    assert walls[0]["items"][0]["caption"].startswith("you ")


def test_nothing_is_said_of_images_that_still_wait(visit, told, home, digits):
    waits = {item.sample_id for item in home.query(told.id, 2).items}
    app = visit("label", exp=told.id)
    sources = json.dumps([json.loads(wall.json) for wall in components(app, "picture_wall")])
    assert all(f"/train/{i}?" not in sources for i in waits)


def test_the_card_stays_away_once_it_was_closed(visit, told):
    app = visit("label", exp=told.id)
    app.button(key="closing-away").click().run()
    assert "Your answers" not in figures(app)
    assert "Your answers" not in figures(app.run())


def test_the_card_stays_while_the_person_labels_on_but_does_not_come_to_a_new_tab(visit, told, home):
    app = visit("label", exp=told.id)
    first = home.query(told.id, 2).items[0].sample_id
    ops = [LabelOp(1, first, 3)]
    home.add_labels(told.id, ops, client="person2", source=LabelSource.HUMAN, round=2)
    assert figures(app.run())["Your answers"] == "9/10"
    assert "Your answers" not in figures(visit("label", exp=told.id))


def test_a_session_that_is_not_the_story_gets_no_card(visit, waiting):
    assert "Your answers" not in figures(visit("label", exp=waiting(0.5, 0.6, 0.75).id))


def test_the_oracle_finishes_the_story_on_request(visit, told, home):
    app = visit("label", exp=told.id)
    app.button(key="closing-finish").click().run()
    assert not app.exception
    assert home.experiment(told.id).config.oracle == "truth"
    assert [job.experiment_id for job in home.jobs(active=True)] == [told.id]


def test_hidden_guesses_do_not_reach_the_browser_and_stay_hidden_on_other_pages(visit, told):
    app = visit("label", exp=told.id)
    assert grid(app)["showGuesses"] is True
    app.toggle(key="label:blind").set_value(True).run()
    assert grid(app)["showGuesses"] is False
    assert all("guesses" not in item for item in grid(app)["items"])
