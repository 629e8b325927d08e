"""The class radar on the pages: the count, what it proposes, asking for it, and taking that back."""

import numpy as np
import pytest

from al_core.experiment import Experiment
from al_core.query.geometry import unit_rows
from al_core.records import LabelSource
from al_core.results.image_map import ImageMap
from state import class_radar, handles


@pytest.fixture
def opened(waiting, digits):
    return Experiment.open(handles.store(), handles.settings(), waiting(init__init="random").id)


def label(experiment, *classes, each=2):
    """That many labels of these classes, as the truth has them; gives the ids."""
    truth = experiment.dataset.train.labels
    ids = [i for c in classes for i in np.flatnonzero(truth[:400] == c)[:each].tolist()]
    experiment.tell([(i, int(truth[i])) for i in ids], client="t", source=LabelSource.HUMAN, round=-1)
    return ids


def make_map(experiment, count=400):
    """A map as the worker leaves it, of the pixels themselves."""
    ids = np.arange(count)
    pixels = experiment.dataset.train.read(ids).reshape(count, -1).astype(np.float32)
    points = unit_rows(pixels - pixels.mean(0))
    far = 1 - points @ points.T
    np.fill_diagonal(far, np.inf)
    none = np.full(count, np.nan, np.float32)
    ImageMap(
        ids, points[:, :2], points, np.full(count, -1), none, none, ids[far.argmin(1)],
        far.min(1), np.sort(far, 1)[:, :10].mean(1),
    ).write(class_radar.request(experiment).path(experiment))  # fmt: skip


def text_of(app):
    kinds = ("markdown", "caption", "info", "success")
    return " ".join(e.value for kind in kinds for e in app.get(kind))


def test_it_says_how_many_classes_were_seen_and_offers_to_look(visit, opened):
    label(opened, *range(7))
    make_map(opened)
    likeliest = class_radar.proposals(opened, class_radar.find(opened), opened.pool())[0]
    app = visit("explore", exp=opened.id)
    app.session_state["explore-view"] = "Missing classes"
    app.run()
    assert not app.exception
    assert "**7 of 10 classes seen.** Not yet: 7, 8, 9." in text_of(app)
    assert app.button(key="radar-query").label == f"Query these {len(likeliest.ids)}"


def test_what_it_proposes_is_asked_for_and_taken_back(visit, opened):
    label(opened, *range(9))
    make_map(opened)
    likeliest = class_radar.proposals(opened, class_radar.find(opened), opened.pool())[0]
    app = visit("label", exp=opened.id)
    assert not app.exception
    assert "9 of 10 classes seen" in [block.proto.popover.label for block in app.get("popover")]
    app = visit("explore", exp=opened.id)
    app.session_state["explore-view"] = "Missing classes"
    app.run()
    before = [item.sample_id for item in opened.pending().items]
    app.button(key="radar-query").click().run()
    assert not app.exception
    shown = [item.sample_id for item in opened.pending().items]
    assert shown[: len(likeliest.ids)] == list(likeliest.ids)
    again = class_radar.proposals(opened, class_radar.find(opened), opened.pool())
    assert not {i for proposal in again for i in proposal.ids} & set(likeliest.ids), "asked for already"
    app.button(key="radar-take-back").click().run()
    assert [item.sample_id for item in opened.pending().items] == before


def test_another_group_can_be_looked_at_and_a_new_label_begins_with_the_likeliest_again(visit, opened):
    label(opened, *range(7))
    make_map(opened)
    app = visit("explore", exp=opened.id)
    app.session_state["explore-view"] = "Missing classes"
    app.run()
    assert "Most likely to show one." in text_of(app)
    app.button(key="radar-pass").click().run()
    assert "2 of" in text_of(app)
    label(opened, 7)
    app.run()
    assert "Most likely to show one." in text_of(app)


def test_where_every_class_was_seen_there_is_no_radar(visit, opened):
    label(opened, *range(10))
    make_map(opened)
    app = visit("explore", exp=opened.id)
    assert not app.exception
    assert "Missing classes" not in [tab.label for tab in app.tabs]
    assert class_radar.coverage(opened).missing == ()


def test_the_images_that_it_shows_are_named_by_number_and_not_by_their_true_class(visit, opened):
    label(opened, *range(7))
    make_map(opened)
    app = visit("explore", exp=opened.id)
    app.session_state["explore-view"] = "Missing classes"
    app.run()
    walls = [e.proto for e in app.get("bidi_component") if e.proto.component_name.endswith("picture_wall")]
    import json

    captions = [item["caption"] for wall in walls for item in json.loads(wall.json)["items"]]
    assert captions
    assert all(caption.startswith("#") for caption in captions)


def test_missing_classes_of_digits_are_found_sooner_than_by_chance(opened):
    """Twelve images a time: how often a class that was left out is in the first proposal."""
    truth = opened.dataset.train.labels
    label(opened, 0, 1, 2, 3, 4, 5, 6, each=3)
    make_map(opened)
    first = class_radar.proposals(opened, class_radar.find(opened), opened.pool())[0]
    share = np.isin(truth[list(first.ids)], (7, 8, 9)).mean()
    assert share > 0.6, "0.3 of all images are of one of them"
