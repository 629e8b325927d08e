"""The Review page: empty, with one person, with two, and what its buttons write."""

import json

import pytest
from conftest import components
from sqlalchemy import text

from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, LabelOp, LabelSource, Mark
from state import handles, person, reviewing
from state.web import security

HUMAN = LabelSource.HUMAN


@pytest.fixture(autouse=True)
def _forget():
    yield
    for cached in (reviewing._log, reviewing._cases, reviewing._damage):
        cached.cache_clear()


@pytest.fixture
def say(home):
    """Commit one word of a person."""
    count = iter(range(1, 10_000))

    def commit(record, who, sample_id, value, *, mark=None, source=HUMAN, round=-1, detail=None):
        op = LabelOp(1, sample_id, value, 900, mark, detail)
        home.add_labels(record.id, [op], client=f"c{next(count)}", source=source, round=round, annotator=who)

    return commit


def view(app, name):
    app.segmented_control(key="review-view").set_value(name).run()
    assert not app.exception
    return app


def words(app):
    return " ".join(str(e.value) for kind in ("markdown", "caption", "info", "error") for e in app.get(kind))


def card(app):
    return json.loads(components(app, "review_card")[0].json)


def test_without_a_session_the_page_says_what_would_be_here(visit):
    app = visit("review")
    assert not app.exception
    assert "No session is open" in words(app)


def test_with_no_label_every_view_says_what_to_do(waiting, visit):
    app = visit("review", exp=waiting().id)
    assert "Nothing needs a second look" in words(app)
    for name, says in (
        ("Agreement", "answers of two people"), ("People", "Nobody has labeled"),
        ("Image", "Nothing has been said"), ("Log", "log is empty"),
    ):  # fmt: skip
        assert says in words(view(app, name))


def test_disagreements_come_before_flags_and_blind_questions_hide_all(monkeypatch, waiting, visit, say):
    monkeypatch.setattr(person, "signed_in", lambda: "")
    record = waiting(0.5)
    for i in range(5):
        say(record, "", i, 3)
    say(record, "Bob", 1, 5, mark=Mark.OPINION)
    say(record, "", 2, 1, mark=Mark.FLAG)
    say(record, "", 6, 4, round=0)
    app = visit("review", exp=record.id)
    assert not app.exception
    data = card(app)
    assert [(case["id"], case["why"]) for case in data["cases"]] == [(1, "people"), (2, "flag")]
    assert data["cases"][0]["words"] == [["", 3], ["Bob", 5]]
    assert data["cases"][0]["batch"] == f"{record.id}/-1/review"
    assert security.bearer(data["post"]["token"], "labels", record.id) == ""
    app.button_group(key="review-kinds").set_value(["reask"]).run()
    blind = card(app)["cases"]
    assert sorted(case["id"] for case in blind) == [0, 3, 4]
    assert all(not {"label", "words", "guess", "suggestion"} & set(case) for case in blind)


def test_agreement_of_two_people_and_of_one_with_themselves(waiting, visit, say):
    record = waiting(0.5)
    for i in range(5):
        say(record, "Ann", i, i % 3)
        say(record, "Bob", i, i % 2, mark=Mark.OPINION)
    say(record, "Ann", 0, 0, mark=Mark.OPINION, detail={"how": "reask"})
    app = view(visit("review", exp=record.id), "Agreement")
    assert [metric.label for metric in app.metric][-3:] == [
        "Images with two answers or more", "All say the same", "Fleiss' kappa",
    ]  # fmt: skip
    pairs = app.dataframe[0].value
    assert pairs[["one", "other", "images"]].values.tolist() == [["Ann", "Bob", 5]]
    assert "**Ann** said the same of 1 of 1 images" in words(app)
    table = view(app, "People").dataframe[0].value
    assert table["person"].tolist() == ["Ann", "Bob"]
    assert table["answers"].tolist() == [5, 0]


def test_an_image_goes_back_to_an_earlier_answer_by_one_click(home, waiting, visit, say):
    record = waiting(0.5)
    say(record, "Ann", 1, 3)
    say(record, "Bob", 1, 5, source=LabelSource.CORRECTION)
    app = view(visit("review", exp=record.id), "Image")
    assert app.number_input(key="review-image").value == 1
    (back,) = [b for b in app.button if str(b.key).startswith("revert-")]
    back.click().run()
    assert not app.exception
    newest, *_ = home.log(record.id, sample_id=1)
    assert (newest.value, newest.source, newest.annotator) == (3, LabelSource.CORRECTION, "test@example.com")
    assert newest.detail["how"] == "revert"
    assert len(home.log(record.id, sample_id=1)) == 3
    assert home.check() == []
    (back,) = [b for b in app.button if str(b.key).startswith("revert-")]  # the other way round now
    assert back.key.endswith(str(home.log(record.id, sample_id=1)[1].id))


def test_nothing_goes_back_to_a_class_that_is_retired_and_what_was_merged_stands(home, waiting, visit, say):
    record = waiting(0.5)
    for value in (3, 5, 6):
        say(record, "Ann", 1, value)
    experiment = Experiment.open(home, handles.settings(), record.id)
    experiment.change_class(ClassChange(3, ClassAct.RETIRE, labels="keep"))
    experiment.change_class(ClassChange(5, ClassAct.MERGE, into=6))
    app = view(visit("review", exp=record.id), "Image")
    (back,) = [b for b in app.button if str(b.key).startswith("revert-")]
    rev = home.label_rev(record.id)
    back.click().run()
    assert not app.exception
    assert any("“3” is retired" in warning.value for warning in app.warning)
    assert home.label_rev(record.id) == rev


def test_the_log_is_filtered_kept_as_a_harmless_file_and_verified(home, waiting, visit, say):
    record = waiting(0.5)
    say(record, "=cmd()", 1, 3)
    say(record, "Bob", 2, 4, round=0)
    say(record, "Bob", 2, 1, mark=Mark.NOTE, detail={"text": "+1"})
    app = view(visit("review", exp=record.id), "Log")
    assert len(app.dataframe[0].value) == 3
    assert "chain of hashes holds" in words(app)
    app.selectbox(key="log-person").set_value("Bob").run()
    app.selectbox(key="log-kind").set_value("answer").run()
    app.selectbox(key="log-round").set_value(0).run()
    assert app.dataframe[0].value["sample_id"].tolist() == [2]
    from state import session

    experiment = session.Experiment.open(home, reviewing.handles.settings(), record.id)
    file = reviewing.csv_of(experiment, home.log(record.id)).decode()
    assert "'=cmd()" in file
    assert "'+1" in file
    assert len(file.splitlines()) == 4


def test_a_log_that_was_changed_is_said_so(home, waiting, visit, say):
    record = waiting(0.5)
    say(record, "Ann", 1, 3)
    say(record, "Ann", 2, 3)
    with home._db.write() as connection:
        connection.execute(text("DROP TRIGGER label_event_keep_values"))
        connection.execute(text("UPDATE label_event SET value = 9 WHERE sample_id = 1"))
    app = view(visit("review", exp=record.id), "Log")
    assert "not as it was written" in words(app)


def test_a_retired_class_keeps_its_id_and_is_not_offered(waiting, visit, say):
    record = waiting(0.5)
    say(record, "", 2, 5)
    say(record, "", 2, 1, mark=Mark.FLAG)
    experiment = Experiment.open(handles.store(), handles.settings(), record.id)
    experiment.change_class(ClassChange(3, ClassAct.RETIRE, labels="keep"))
    experiment.change_class(ClassChange(0, ClassAct.ADD, name="smudge"))
    data = card(visit("review", exp=record.id))
    assert (data["classes"][3], data["classes"][10], data["closed"], data["begun"]) == (
        "3",
        "smudge",
        [3],
        10,
    )


def test_what_was_merged_is_no_disagreement(home, waiting, visit, say):
    record = waiting(0.5)
    for i in range(4):
        say(record, "Ann", i, 1 + i % 2)
        say(record, "Bob", i, 2 + i % 2 if i < 3 else 2, mark=Mark.OPINION)
    experiment = Experiment.open(home, handles.settings(), record.id)
    experiment.change_class(ClassChange(2, ClassAct.MERGE, into=1))
    experiment.change_class(ClassChange(3, ClassAct.RETIRE, labels="ask"))
    app = visit("review", exp=record.id)
    assert "Nothing needs a second look" in words(app)
    pairs = view(app, "Agreement").dataframe[0].value
    assert pairs[["images", "agreed"]].values.tolist() == [[3, 1.0]]
    say(record, "Bob", 0, 5, mark=Mark.OPINION)
    assert card(visit("review", exp=record.id))["cases"][0]["words"] == [["Ann", 1], ["Bob", 5]]
    log_ = view(visit("review", exp=record.id), "Log").dataframe[0].value
    assert "2" in log_["said"].tolist(), "the log says what was said"


def test_the_log_says_who_changed_which_class_when_beside_the_answers(home, waiting, visit, say):
    record = waiting(0.5)
    experiment = Experiment.open(home, handles.settings(), record.id)
    say(record, "Ann", 1, 3)
    experiment.change_class(ClassChange(0, ClassAct.ADD, name="=smudge"), annotator="Bob")
    say(record, "Ann", 2, 10)
    experiment.change_class(ClassChange(10, ClassAct.RENAME, name="blot"), annotator="Ann")
    experiment.change_class(ClassChange(10, ClassAct.MERGE, into=1), annotator="Bob")
    experiment.change_class(ClassChange(2, ClassAct.RETIRE, labels="ask"))
    app = view(visit("review", exp=record.id), "Log")
    table = app.dataframe[0].value
    assert list(zip(table["who"], table["kind"], table["said"], strict=True)) == [
        ("me", "class", "retired “2”, its images to be asked again"),
        ("Bob", "class", "merged “blot” into “1”"),
        ("Ann", "class", "renamed “=smudge” to “blot”"),
        ("Ann", "answer", "blot"),
        ("Bob", "class", "added “=smudge”"),
        ("Ann", "answer", "3"),
    ]  # fmt: skip
    assert table["at"].notna().all()
    assert table["event"].is_monotonic_decreasing
    app.selectbox(key="log-kind").set_value("class").run()
    assert app.dataframe[0].value["kind"].unique().tolist() == ["class"]
    app.selectbox(key="log-person").set_value("Ann").run()
    assert app.dataframe[0].value["said"].tolist() == ["renamed “=smudge” to “blot”"]
    file = reviewing.csv_of(experiment, reviewing.entries(record.id)).decode()
    assert len(file.splitlines()) == 7
    assert len(reviewing.entries(record.id, limit=2)) == 2


def test_a_change_of_classes_that_was_forged_is_said_so(home, waiting, visit, say):
    record = waiting(0.5)
    experiment = Experiment.open(home, handles.settings(), record.id)
    experiment.change_class(ClassChange(0, ClassAct.ADD, name="smudge"), annotator="Bob")
    say(record, "Ann", 1, 3)
    assert "chain of hashes holds" in words(view(visit("review", exp=record.id), "Log"))
    with home._db.write() as connection:
        connection.execute(text("DROP TRIGGER label_event_keep_values"))
        connection.execute(text("UPDATE label_event SET annotator = 'Ann' WHERE mark = 'class'"))
    reviewing._damage.cache_clear()
    assert "not as it was written" in words(view(visit("review", exp=record.id), "Log"))
