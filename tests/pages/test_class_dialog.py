"""The Classes dialog of the Label page: what is changed there, what is refused, what the grid is given."""

import json

import pytest
from conftest import components

from al_core.experiment import Experiment
from al_core.guidelines import guidelines
from al_core.records import ClassAct, ClassChange, LabelOp, LabelSource
from state import handles


@pytest.fixture
def record(waiting):
    return waiting(0.5)


@pytest.fixture
def experiment(record):
    return Experiment.open(handles.store(), handles.settings(), record.id)


@pytest.fixture
def opened(visit, record, experiment):
    app = visit("label", exp=record.id)
    return app.button(key="classes").click().run()


def grid(app):
    return json.loads(components(app, "label_grid")[0].json)


def label(home, record, *values):
    items = home.queries(record.id)[-1].items
    ops = [
        LabelOp(n, item.sample_id, value)
        for n, (item, value) in enumerate(zip(items, values, strict=False), 1)
    ]
    home.add_labels(record.id, ops, client="c", source=LabelSource.HUMAN, round=0)


def add(app, name):
    app.text_input(key="classes-new").set_value(name).run()
    return app.button(key="classes-add").click().run()


def choose(app, class_id):
    return app.selectbox(key="classes-one").set_value(class_id).run()


def test_the_dialog_opens_by_its_button_only(visit, record):
    app = visit("label", exp=record.id)
    assert "classes-new" not in [field.key for field in app.text_input]
    app.button(key="classes").click().run()
    assert "classes-new" in [field.key for field in app.text_input]


def test_a_class_is_added_and_the_grid_offers_it(opened, experiment):
    add(opened, "  ten ")
    assert "ten" in opened.success[0].value
    assert experiment.classes().names[10:] == ("ten",)
    assert opened.text_input(key="classes-new").value == ""
    given = grid(opened.run())
    assert (given["classes"][10], given["closed"], given["begun"]) == ("ten", [], 10)


@pytest.mark.parametrize(("name", "said"), [("", "needs a name"), ("7", "already"), (" 7 ", "already")])
def test_a_name_that_cannot_be_is_refused_in_words(opened, experiment, name, said):
    add(opened, name)
    assert said in opened.error[0].value
    assert not opened.success
    assert not experiment.class_events()


def test_a_class_is_renamed_and_keeps_its_id(opened, experiment):
    choose(opened, 3)
    opened.text_input(key="classes-name-3-3").set_value("three").run()
    opened.button(key="classes-rename").click().run()
    assert experiment.classes().names[3] == "three"
    assert grid(opened.run())["classes"][3] == "three"


def test_merging_counts_labels_as_the_other_class_and_is_split_back(opened, home, record, experiment):
    label(home, record, 3, 8)
    choose(opened, 3)
    opened.selectbox(key="classes-into-3").set_value(8).run()
    assert any("1 label will count" in caption.value for caption in opened.caption)
    opened.button(key="classes-merge").click().run()
    given = grid(opened.run())
    assert (given["closed"], given["into"]) == ([3], {"3": 8})
    assert sorted(given["labels"].values()) == [8, 8]
    assert not any(option.startswith("3 ·") for option in opened.selectbox(key="classes-one").options)
    opened.button(key="classes-back-3").click().run()
    given = grid(opened.run())
    assert (given["closed"], sorted(given["labels"].values())) == ([], [3, 8])


@pytest.mark.parametrize(("fate", "left"), [("ask", [8]), ("keep", [3, 8])])
def test_retiring_asks_again_or_keeps_and_is_taken_back(opened, home, record, experiment, fate, left):
    label(home, record, 3, 8)
    choose(opened, 3)
    opened.radio(key="classes-fate-3").set_value(fate).run()
    opened.button(key="classes-retire").click().run()
    given = grid(opened.run())
    assert given["closed"] == [3]
    assert sorted(given["labels"].values()) == left
    opened.button(key="classes-back-3").click().run()
    assert grid(opened.run())["closed"] == []
    assert sorted(grid(opened)["labels"].values()) == [3, 8]


def test_two_classes_must_stay(opened, experiment):
    for class_id in range(8):
        experiment.change_class(ClassChange(class_id, ClassAct.RETIRE, labels="keep"))
    opened.run()
    opened.button(key="classes-retire").click().run()
    assert "two classes are left" in opened.error[0].value
    assert experiment.classes().open == (8, 9)


def test_a_guideline_is_written_and_the_history_tells_it(opened, experiment):
    choose(opened, 7)
    opened.text_area(key="classes-guide-7").set_value("with a bar, or without").run()
    opened.button(key="classes-guide").click().run()
    assert guidelines(experiment.class_events())[7].text == "with a bar, or without"
    assert any("wrote the guideline of “7”" in line.value for line in opened.markdown)


def test_names_are_shown_literally(opened):
    add(opened, "**b** :red[c]")
    assert "\\*\\*b\\*\\*" in opened.success[0].value
