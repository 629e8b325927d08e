import io
import json
from dataclasses import replace

import numpy as np
import pytest

from al_core.config import ExperimentConfig
from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, LabelSource
from al_core.results import people
from al_core.results.image_map import ImageMap, MapRequest, asked_in
from al_core.types import SKIP, UNLABEL
from state import handles, image_maps, reviewing


def made_up(ids):
    n = len(ids)
    angle = np.linspace(0, 3, n)
    places = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    none = np.full(n, np.nan, np.float32)
    near = np.roll(np.asarray(ids), 1)
    return ImageMap(
        np.asarray(ids), places, places, np.full(n, -1), none, none, near, np.full(n, 0.01, np.float32),
        angle.astype(np.float32),
    )  # fmt: skip


@pytest.fixture
def opened(waiting, digits):
    record = waiting()
    experiment = Experiment.open(handles.store(), handles.settings(), record.id)
    made_up(list(range(60))).write(MapRequest(record.id, None).path(experiment))
    return experiment


def text_of(app):
    return " ".join(e.value for kind in ("markdown", "caption", "info") for e in app.get(kind))


def test_without_a_session_the_page_says_what_would_be_there(visit):
    app = visit("explore")
    assert not app.exception
    assert "No session is open" in text_of(app)


def test_the_first_visit_asks_the_worker_for_the_map_once(visit, waiting):
    record = waiting()
    visit("explore", exp=record.id)
    app = visit("explore", exp=record.id)
    assert not app.exception
    assert sum(job.kind == "map" for job in handles.store().jobs()) == 1


def test_what_a_merged_class_was_predicted_as_counts_as_the_other(opened):
    found = replace(made_up([3, 4, 5]), predicted=np.array([2, 7, -1]))
    opened.change_class(ClassChange(2, ClassAct.MERGE, into=7))
    assert image_maps.counted(opened, found).predicted.tolist() == [7, 7, -1]


def test_the_map_is_drawn_and_asks_for_a_lasso(visit, opened):
    app = visit("explore", exp=opened.id)
    assert not app.exception
    assert "60 images of 1,297, drawn at random" in text_of(app)
    assert "Nothing is selected" in text_of(app)
    assert len(app.get("plotly_chart")) == 1


def test_outliers_can_be_labeled_together_and_undone(visit, opened):
    store = handles.store()
    app = visit("explore", exp=opened.id)
    app.session_state["explore-view"] = "Outliers"
    app.run()
    app.selectbox(key="outliers-class").set_value(4).run()
    app.button(key="outliers-label").click().run()
    assert not app.exception
    current = store.current_labels(opened.id)
    assert sorted(current) == list(range(60))
    assert {event.value for event in current.values()} == {4}
    app.button(key="explore-take-back").click().run()
    assert {event.value for event in store.current_labels(opened.id).values()} == {UNLABEL}


def test_undo_gives_back_the_answers_that_were_there(opened):
    store = handles.store()
    asked = [item.sample_id for item in store.query(opened.id, -1).items]
    opened.tell([(asked[0], 3)], client="t", source=LabelSource.CORRECTION, round=-1, annotator="Ada")
    answered = image_maps.answer(opened, asked[:3], 5)
    assert answered.ids == tuple(asked[:3])
    opened.tell([(asked[2], 7)], client="u", source=LabelSource.HUMAN, round=-1, annotator="Bob")
    assert image_maps.take_back(opened, answered) == 1
    current = store.current_labels(opened.id)
    assert {i: e.value for i, e in current.items()} == {asked[0]: 3, asked[1]: UNLABEL, asked[2]: 7}
    assert (current[asked[0]].annotator, current[asked[0]].source) == ("Ada", LabelSource.CORRECTION)
    first, *_ = store.log(opened.id, sample_id=asked[0])
    assert reviewing.line(first, opened.dataset.classes).how == "undone by me"
    assert people.last_words(store.log(opened.id))[asked[0]].keys() == {"Ada"}


def test_an_answer_over_a_label_is_a_correction_and_no_independent_rating(opened):
    store = handles.store()
    labeled, skipped, fresh = [item.sample_id for item in store.query(opened.id, -1).items][:3]
    opened.tell(
        [(labeled, 3), (skipped, SKIP)], client="t", source=LabelSource.HUMAN, round=-1, annotator="Ada"
    )
    image_maps.answer(opened, [labeled, skipped, fresh], 5)
    sources = {i: event.source for i, event in store.current_labels(opened.id).items()}
    human, correction = LabelSource.HUMAN, LabelSource.CORRECTION
    assert sources == {labeled: correction, skipped: human, fresh: human}
    said = people.ratings(store.log(opened.id))
    assert {i: set(words) for i, words in said.items()} == {
        labeled: {"Ada"}, skipped: {""}, fresh: {""},
    }  # fmt: skip


def test_what_is_kept_to_measure_by_is_never_labeled_here(waiting, digits):
    record = waiting(query__holdback=0.2)
    experiment = Experiment.open(handles.store(), handles.settings(), record.id)
    reserve = experiment.reserve[:3].tolist()
    free = [i for i in range(200) if i not in experiment.reserve][:2]
    assert image_maps.may_answer(experiment, [*reserve, *free]) == free
    assert set(image_maps.answer(experiment, [*reserve, *free], 1).ids) == set(free)
    assert not set(handles.store().current_labels(record.id)) & set(reserve)


def test_what_is_selected_can_be_asked_for_and_that_undone(visit, opened):
    store = handles.store()
    asked = [item.sample_id for item in store.query(opened.id, -1).items]
    app = visit("explore", exp=opened.id)
    app.session_state["explore-view"] = "Outliers"
    app.run()
    app.button(key="outliers-query").click().run()
    assert not app.exception
    shown = Experiment.open(store, handles.settings(), opened.id).pending()
    assert len(shown.items) == 60
    assert [item.sample_id for item in store.query(opened.id, -1).items] == asked
    assert any("60 images stand in front of the initial set" in m.value for m in app.markdown)
    app.button(key="explore-take-back").click().run()
    shown = Experiment.open(store, handles.settings(), opened.id).pending()
    assert [item.sample_id for item in shown.items] == asked


def test_tags_are_given_found_again_and_taken(visit, opened):
    app = visit("explore", exp=opened.id)
    app.session_state["explore-view"] = "Outliers"
    app.run()
    app.button(key="outliers-tag-go").click().run()
    assert any("1 to 60 letters" in w.value for w in app.warning)
    app.text_input(key="outliers-tag").set_value("odd <b>").run()
    app.button(key="outliers-tag-go").click().run()
    assert len(image_maps.with_tag(opened, "odd <b>")) == 60
    assert "Tag" in app.segmented_control(key="explore-colour").options
    app.session_state["explore-view"] = "Tags"
    app.run()
    assert app.selectbox(key="explore-tag").value == "odd <b>"
    app.button(key="tagged-untag").click().run()
    assert image_maps.with_tag(opened, "odd <b>") == []
    assert not app.exception


def test_the_map_shows_labels_as_they_were_at_the_round_that_is_looked_at(visit, waiting, digits):
    store = handles.store()
    record = waiting()
    experiment = Experiment.open(handles.store(), handles.settings(), record.id)
    experiment.tell([(0, 3), (1, 3)], client="t", source=LabelSource.HUMAN, round=-1)
    seen = store.label_rev(record.id)
    from dataclasses import replace

    from al_core.records import ExperimentStatus, RoundRecord

    store.submit_job("advance", experiment_id=record.id)
    _, lease = store.claim_job("w")
    done = RoundRecord(record.id, 0, 2, seen, {}, None, (1,) * 10, {}, {"weights": "ab" * 32}, {}, 0.0)
    store.finish_round(lease, done, None, status=ExperimentStatus.AWAITING_LABELS)
    experiment.tell([(2, 4)], client="t", source=LabelSource.HUMAN, round=0)
    later = replace(done, number=1, num_labeled=3, label_event_id=store.label_rev(record.id), at=1.0)
    store.finish_round(lease, later, None, status=ExperimentStatus.AWAITING_LABELS)
    experiment = Experiment.open(handles.store(), handles.settings(), record.id)
    for number in (0, 1):
        made_up(list(range(60))).write(MapRequest(record.id, number).path(experiment))
    for number, labeled in ((None, 3), ("0", 2)):
        app = visit("explore", exp=record.id, **({} if number is None else {"round": number}))
        assert not app.exception
        spec = json.loads(app.get("plotly_chart")[0].proto.spec)
        words = [text for trace in spec["data"] for text in trace["text"]]
        assert sum("labeled" in text for text in words) == labeled


def test_thinned_images_are_no_part_of_the_session_and_cannot_be_labeled(home, digits):
    store = handles.store()
    record = store.create_experiment(ExperimentConfig().changed(data__imbalance=5.0))
    store.update_experiment(record.id, dataset_key=digits.key, fingerprint=digits.fingerprint)
    experiment = Experiment.open(store, handles.settings(), record.id)
    thinned = experiment.splits.thinned[:2].tolist()
    assert thinned
    free = experiment.pool().unlabeled_ids[:1].tolist()
    assert image_maps.may_answer(experiment, [*thinned, *free]) == free


def test_each_image_says_who_asked_for_it_first(opened):
    store = handles.store()
    asked = [item.sample_id for item in store.query(opened.id, -1).items]
    free = next(i for i in range(60) if i not in asked)
    image_maps.query_these(opened, [free, asked[0]])
    who, names = image_maps.asked_by(opened)
    assert names[who[free]] == image_maps.BY_HAND
    assert names[who[asked[1]]] == store.query(opened.id, -1).strategy
    assert asked_in(opened)[free] == -1


def test_a_picture_from_outside_is_asked_about_and_its_likes_are_shown(visit, opened):
    token = image_maps.ask_alike(MapRequest(opened.id, 0), [("x.png", io.BytesIO(b"some bytes"))])
    assert image_maps.alike_found(token) is None
    assert image_maps.alike_job(token).spec["map"]["round"] == 0
    app = visit("explore", exp=opened.id)
    app.session_state["explore-view"] = "Like a picture"
    app.run()
    assert not app.exception
    assert "This round's network" in text_of(app)
