import pytest
from conftest import components

from al_core.config import DataConfig
from al_core.data.prepare import prepare
from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, LabelSource
from al_core.types import EXCLUDE, UNLABEL
from state import handles, standings


@pytest.fixture(autouse=True)
def fresh():
    standings.forget()


def text_of(app):
    return " ".join(e.value for kind in ("markdown", "caption", "info") for e in app.get(kind))


def wall(app):
    import json

    return json.loads(components(app, "browse_wall")[0].json)


@pytest.fixture
def opened(waiting, digits):
    record = waiting(0.5)
    return Experiment.open(handles.store(), handles.settings(), record.id)


def test_without_anything_prepared_it_says_the_way_on(visit):
    app = visit("data")
    assert not app.exception
    assert "No images are prepared yet" in text_of(app)


def test_a_prepared_data_set_can_be_looked_through_without_a_session(visit, digits):
    app = visit("data")
    assert not app.exception
    assert "1,297 images" in text_of(app)
    assert len(wall(app)["items"]) == 60
    assert wall(app)["selectable"] is False


def test_filters_narrow_the_grid_and_say_how_many(visit, opened):
    opened.tell([(0, 3), (1, 4)], client="t", source=LabelSource.HUMAN, round=-1)
    app = visit("data", exp=opened.id)
    app.multiselect(key="data-given").set_value([3]).run()
    assert not app.exception
    assert "1 of 1,297 images" in text_of(app)
    assert [item["id"] for item in wall(app)["items"]] == [0]
    app.text_input(key="data-text").set_value("zzz").run()
    assert "No image fits the filters" in text_of(app)
    app.button(key="data-clear").click().run()
    assert "1,297 images" in text_of(app)


def test_selected_images_are_labeled_together_and_undone(visit, opened):
    app = visit("data", exp=opened.id)
    app.session_state["data-wall"] = {"selected": [20, 21, 22]}
    app.run()
    app.selectbox(key="data-many-class").set_value(7).run()
    app.button(key="data-many-label").click().run()
    assert not app.exception
    current = handles.store().current_labels(opened.id)
    assert {i: e.value for i, e in current.items()} == {20: 7, 21: 7, 22: 7}
    app.button(key="answer-many-back").click().run()
    assert {e.value for e in handles.store().current_labels(opened.id).values()} == {UNLABEL}


def test_only_classes_that_can_be_given_are_offered_and_undo_gives_a_retired_one_back(visit, opened):
    opened.tell([(20, 3)], client="t", source=LabelSource.HUMAN, round=-1)
    opened.change_class(ClassChange(3, ClassAct.RETIRE, labels="keep"))
    opened.change_class(ClassChange(7, ClassAct.MERGE, into=1))
    app = visit("data", exp=opened.id)
    app.session_state["data-wall"] = {"selected": [20, 21]}
    app.run()
    assert app.selectbox(key="data-many-class").options == list("01245689")
    app.selectbox(key="data-many-class").set_value(4).run()
    opened.change_class(ClassChange(4, ClassAct.RETIRE, labels="keep"))
    rev = opened.store.label_rev(opened.id)
    app.button(key="data-many-label").click().run()
    assert not app.exception
    assert opened.store.label_rev(opened.id) == rev
    assert any("“4” is retired" in warning.value for warning in app.warning)
    app.selectbox(key="data-many-class").set_value(5).run()
    app.button(key="data-many-label").click().run()
    app.button(key="answer-many-back").click().run()
    assert not app.exception
    assert {i: e.value for i, e in opened.store.current_labels(opened.id).items()} == {20: 3, 21: UNLABEL}


def test_all_that_fit_the_filter_can_be_excluded(visit, opened):
    app = visit("data", exp=opened.id)
    app.text_input(key="data-text").set_value("train-00003").run()
    app.toggle(key="data-every").set_value(True).run()
    app.button(key="data-many-exclude").click().run()
    assert not app.exception
    current = handles.store().current_labels(opened.id)
    assert sorted(current) == list(range(30, 40))
    assert {e.value for e in current.values()} == {EXCLUDE}


def test_no_click_answers_more_than_the_cap(visit, opened, monkeypatch):
    monkeypatch.setattr("pages.components.answer_many.MOST", 50)
    app = visit("data", exp=opened.id)
    app.toggle(key="data-every").set_value(True).run()
    assert app.button(key="data-many-exclude").disabled
    assert "narrow the filter" in text_of(app)


def test_the_surveys_are_asked_of_the_worker_once(visit, opened):
    app = visit("data", exp=opened.id)
    app.button(key="survey-True").click().run()
    app = visit("data", exp=opened.id)
    jobs = [job for job in handles.store().jobs() if job.kind == "survey"]
    assert [dict(job.spec) for job in jobs] == [{"experiment": opened.id, "round": None}]
    assert not app.exception


def test_the_page_turns_and_a_new_filter_goes_back_to_the_first(visit, opened):
    app = visit("data", exp=opened.id)
    app.get("pagination")[0].set_value(3).run()
    assert wall(app)["items"][0]["id"] == 120
    app.text_input(key="data-text").set_value("train").run()
    assert wall(app)["items"][0]["id"] == 0


def test_the_table_shows_the_same_rows(visit, opened):
    opened.tell([(0, 3)], client="t", source=LabelSource.HUMAN, round=-1)
    app = visit("data", exp=opened.id)
    app.session_state["data-shape"] = "Table"
    app.run()
    assert not app.exception
    frame = app.dataframe[0].value
    assert frame["id"].tolist() == list(range(60))
    assert frame["label"][0] == "3"
    assert "brightness" not in frame


def test_an_image_opens_with_its_facts_and_can_be_corrected(visit, opened):
    opened.tell([(0, 3)], client="t", source=LabelSource.HUMAN, round=-1)
    app = visit("data", exp=opened.id)
    app.session_state["data-open"] = 0
    app.run()
    assert not app.exception
    assert "**Standing** labeled" in text_of(app)
    assert "**Label** 3" in text_of(app)


def test_a_session_that_is_not_prepared_says_when_it_will_be(visit, home):
    from al_core.config import ExperimentConfig

    prepare(handles.settings(), DataConfig())
    record = home.create_experiment(ExperimentConfig())
    app = visit("data", exp=record.id)
    assert "prepared when the session starts" in text_of(app)
