import numpy as np
import pytest

from al_core.errors import ClassError
from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, LabelSource
from al_core.results.audit import Audit, audit_path, keep
from al_core.results.mistakes import Predictions
from al_core.types import EXCLUDE
from state import handles, mistakes
from tests.pages.conftest import components


@pytest.fixture
def predicted(monkeypatch):
    """Rounds whose predictions are made up: each is wrong on every tenth image, on others each round."""

    def of(experiment, record):
        labels = experiment.dataset.test.labels[:60]
        guess = np.where(np.arange(60) % 10 == record.number, (labels + 1) % 10, labels)
        return Predictions(np.arange(60), np.eye(10)[guess] * 0.91 + 0.009, labels)

    monkeypatch.setattr(mistakes, "predictions", of)
    return of


def text_of(app):
    return " ".join(e.value for kind in ("markdown", "caption", "info", "success") for e in app.get(kind))


def test_without_a_session_the_page_says_what_would_be_there(visit):
    app = visit("errors")
    assert not app.exception
    assert "No session is open" in text_of(app)


def test_before_any_prediction_the_page_says_so_and_still_offers_the_audit(visit, waiting):
    app = visit("errors", exp=waiting().id)
    assert not app.exception
    assert "has not been trained yet" in text_of(app)
    assert [tab.label for tab in app.tabs] == ["Doubtful labels"]


def test_the_confusion_view_shows_the_mistakes_of_the_latest_round(visit, waiting, predicted):
    app = visit("errors", exp=waiting(0.5, 0.6).id)
    assert not app.exception
    assert "6 mistakes, the surest first" in text_of(app)
    assert len(components(app, "askwell_query_cards")) == 1


def test_a_class_chosen_shows_its_images_right_or_wrong(visit, waiting, predicted):
    app = visit("errors", exp=waiting(0.5, 0.6).id)
    app.selectbox(key="errors-true").set_value(2).run()  # a class id
    labels = handles.dataset(handles.store().experiments()[0].dataset_key).test.labels[:60]
    assert f"{(labels == 2).sum()} images, the surest first" in text_of(app)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("Surest mistakes", "6 mistakes among 60 test images"),
        ("Unlearned", "6 test images became right and 6 became wrong: +0"),
        ("Calibration", "On average 91.9 % sure and 90.0 % right"),
    ],
)
def test_each_view_says_what_it_shows(visit, waiting, predicted, view, words):
    record = waiting(0.5, 0.6)
    app = visit("errors", exp=record.id)
    app.session_state["errors-view"] = view
    app.run()
    assert not app.exception
    assert words in text_of(app)


def test_a_doubtful_label_is_decided_once_and_the_log_says_that_it_was_a_correction(visit, waiting, digits):
    record = waiting(0.5)
    store, settings = handles.store(), handles.settings()
    asked = [item.sample_id for item in store.query(record.id, -1).items]
    experiment = Experiment.open(store, settings, record.id)
    experiment.tell([(i, 0) for i in asked[:2]], client="t", source=LabelSource.HUMAN, round=-1)
    rev = store.label_rev(record.id)
    probs = np.eye(10, dtype=np.float32)[[0, 4, 4]] * 0.9 + 0.01
    keep(
        audit_path(settings, record.id, rev),
        Audit(np.array([*asked[:2], asked[0]]), probs, np.array([0, 0, 4])),
    )
    _, open_ = mistakes.doubtful(experiment)
    assert open_["sample_id"].tolist() == [asked[1]]
    assert open_["suggested"].tolist() == [4]

    app = visit("errors", exp=record.id)
    assert "Is it **4**?" in text_of(app)
    app.button(key="audit-f").click().run()
    assert not app.exception
    event = store.current_labels(record.id)[asked[1]]
    assert (event.value, event.source, event.round) == (4, LabelSource.CORRECTION, -1)
    assert "Every doubtful label has been decided" in text_of(app)


@pytest.fixture
def doubted(waiting, digits):
    """Six labels, of which the audit takes the first three for others: 1 for 4, 2 for 5, 3 for 6."""
    record = waiting(0.5)
    experiment = Experiment.open(handles.store(), handles.settings(), record.id)
    given = np.array([1, 2, 3, 4, 5, 6])
    experiment.tell(enumerate(given), client="t", source=LabelSource.HUMAN, round=-1)
    probs = np.eye(10, dtype=np.float32)[[4, 5, 6, 4, 5, 6]] * 0.9 + 0.01
    path = audit_path(handles.settings(), record.id, handles.store().label_rev(record.id))
    keep(path, Audit(np.arange(6), probs, given))
    return experiment


def test_no_label_is_doubted_for_a_retired_class_and_one_of_a_retired_class_can_be_kept(visit, doubted):
    experiment = doubted
    experiment.change_class(ClassChange(1, ClassAct.RETIRE, labels="keep"))
    experiment.change_class(ClassChange(5, ClassAct.RETIRE, labels="keep"))
    _, open_ = mistakes.doubtful(experiment)
    assert open_[["given", "suggested"]].values.tolist() == [[1, 4], [3, 6]]
    app = visit("errors", exp=experiment.id)
    app.button(key="audit-k").click().run()
    assert not app.exception
    event = experiment.store.current_labels(experiment.id)[0]
    assert (event.value, event.source) == (1, LabelSource.CORRECTION)


def test_a_class_that_is_retired_while_the_page_shows_it_is_refused_in_words(visit, doubted):
    experiment = doubted
    app = visit("errors", exp=experiment.id)
    experiment.change_class(ClassChange(4, ClassAct.RETIRE, labels="keep"))
    rev = experiment.store.label_rev(experiment.id)
    app.button(key="audit-f").click().run()
    assert not app.exception
    assert any("“4” is retired" in warning.value for warning in app.warning)
    assert experiment.store.label_rev(experiment.id) == rev


def test_what_is_no_class_is_not_written(waiting, digits):
    record = waiting(0.5)
    experiment = Experiment.open(handles.store(), handles.settings(), record.id)
    asked = [item.sample_id for item in handles.store().query(record.id, -1).items]
    experiment.tell([(asked[0], 1)], client="t", source=LabelSource.HUMAN, round=-1)
    before = handles.store().label_rev(record.id)
    with pytest.raises(ClassError, match="no class"):
        mistakes.decide(experiment, asked[0], 99)
    assert handles.store().label_rev(record.id) == before
    mistakes.decide(experiment, asked[0], EXCLUDE)
    assert handles.store().current_labels(record.id)[asked[0]].value == EXCLUDE
