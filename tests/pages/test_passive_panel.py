"""What is trained once beside a session, on Curves and Compare: offered, awaited, drawn."""

import csv
import json
from pathlib import Path

import pytest
from conftest import components

from al_core.records import ExperimentStatus, LabelOp, LabelSource, RoundRecord
from state import handles, passives
from tests.e2e.seeded_study import seed_study


def chart(app):
    (found,) = components(app, "live_curve")
    return json.loads(found.json)


def captions(app):
    return " ".join(c.value for c in app.caption).replace("\\", "")


@pytest.fixture
def record(waiting, home):
    made = waiting(0.5, 0.6, data__dataset="digits", query__strategy="margin")
    ops = [LabelOp(n + 1, n, n % 10) for n in range(10)]
    home.add_labels(made.id, ops, client="t", source=LabelSource.HUMAN, round=1)
    return home.experiment(made.id)


def begun(home, record):
    return {child.config.query.baseline: child for child in home.experiments(of=record.id)}


def train(home, record, num_labeled, accuracy):
    """As the worker would."""
    _, lease = home.claim_job("t", job_id=home.jobs(experiment_id=record.id)[0].id)
    parent = home.experiment(record.parent_id)
    home.update_experiment(record.id, lease=lease, fingerprint=parent.fingerprint)
    values = {"test_accuracy": accuracy}
    done = RoundRecord(record.id, 0, num_labeled, 0, values, None, (), {}, {}, {}, 0.0)
    home.finish_round(lease, done, None, status=ExperimentStatus.FINISHED)


@pytest.mark.parametrize("kind", ["full", "subset"])
def test_one_click_trains_on_the_pool_or_a_part_of_it_with_the_session_s_own_settings(
    visit, record, home, kind
):
    app = visit("curves", exp=record.id)
    assert (chart(app)["ceilings"], chart(app)["family"]) == ([], [])
    app.button(key=f"passive-{kind}").click().run()
    assert not app.exception
    found = begun(home, record)[kind]
    config = found.config
    assert (config.oracle, config.seed) == ("truth", record.config.seed)
    assert (config.model, config.train, config.data) == (
        record.config.model, record.config.train, record.config.data,
    )  # fmt: skip
    assert config.stop.budget == (None if kind == "full" else 10)
    assert [job.experiment_id for job in home.jobs(active=True)] == [found.id]
    assert "Being trained" in captions(app)
    app.button(key=f"passive-{kind}").click().run()
    assert len(home.experiments(of=record.id)) == 1


def test_the_selection_is_trained_on_its_own_labels_with_the_model_that_is_chosen(visit, record, home):
    app = visit("curves", exp=record.id)
    app.selectbox(key="passive-model").set_value("resnet18")
    app.button(key="passive-selection").click().run()
    assert not app.exception
    (found,) = home.experiments(of=record.id)
    config = found.config
    assert (config.init.init, config.stop.n_rounds, config.model.model) == ("import", 1, "resnet18")
    with Path(config.init.import_labels).open(newline="") as file:
        rows = {int(row["sample_id"]): row["label"] for row in csv.DictReader(file)}
    assert rows == {n: str(n % 10) for n in range(10)}
    assert Path(config.init.import_labels).is_relative_to(handles.settings().home)


def test_all_of_them_are_drawn_once_they_are_trained_and_the_session_measured_by_the_pool(
    visit, record, home
):
    experiment = visited_experiment(record)
    for kind, labels, accuracy in (("full", 1437, 0.96), ("subset", 10, 0.55), ("selection", 10, 0.58)):
        train(home, passives.begin(experiment, kind), labels, accuracy)
    app = visit("curves", exp=record.id)
    drawn = chart(app)
    assert drawn["ceilings"] == [{"name": "Full pool, 1,437 labels", "metrics": {"test_accuracy": 0.96}}]
    assert [(line["name"], line["once"], line["points"][0]["x"]) for line in drawn["family"]] == [
        ("Random subset", True, 10), ("Selection", True, 10),
    ]  # fmt: skip
    said = captions(app)
    assert "Random subset: 55.0 % with 10 labels. Selection: 58.0 % with 10 labels." in said
    assert "This session has reached 62.5 % of the full pool." in said
    own = visit("curves", exp=home.experiments(of=record.id)[0].id)
    assert not [b.key for b in own.button if b.key.startswith("passive-")]


def test_a_training_on_other_images_is_said_and_not_drawn(visit, record, home):
    found = passives.begin(visited_experiment(record), "selection")
    train(home, found, 10, 0.9)
    home.update_experiment(found.id, fingerprint="a folder of one's own")
    app = visit("curves", exp=record.id)
    assert chart(app)["family"] == []
    assert "1 training beside this session had other test images, and is not drawn." in captions(app)


def test_what_cannot_be_trained_with_another_model_is_refused_before_anything_is_written(
    visit, waiting, home
):
    record = waiting(0.5, 0.6, model__dropout=0.0, data__image_size=16)
    app = visit("curves", exp=record.id)
    app.selectbox(key="passive-model").set_value("vit_b_16")
    app.button(key="passive-full").click().run()
    assert not app.exception
    assert home.experiments(of=record.id) == []
    assert any("model" in w.value or "pixels" in w.value for w in app.warning)


def visited_experiment(record):
    from al_core.experiment import Experiment

    return Experiment.open(handles.store(), handles.settings(), record.id)


def test_a_study_s_chart_has_what_was_trained_of_its_cells(visit, digits, home):
    study = seed_study(handles.settings(), strategies=("random", "margin"), seeds=2, rounds=3)
    app = visit("compare", study=study.id)
    cell = next(e for e in home.study_experiments(study.id) if e.config.query.chooser == "margin")
    pool = visited_experiment(cell).pool()
    assert len(pool.labeled_ids) == 0  # seeded studies have no labels
    ops = [LabelOp(n + 1, n, n % 10) for n in range(20)]
    home.add_labels(cell.id, ops, client="t", source=LabelSource.ORACLE, round=0)
    train(home, passives.begin(visited_experiment(cell), "selection"), 20, 0.71)
    app.run()
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert "Selection (Smallest margin) (1 seed)" in {trace.get("name") for trace in figure["data"]}
    assert "Selection (Smallest margin): 71.0 %" in captions(app)
