"""What was trained once beside a run or a study's cells: drawn where it can be compared, in words too."""

import pytest

from al_core.baselines import as_baseline, on_selection, once
from al_core.config import ExperimentConfig
from al_core.records import ExperimentStatus, RoundRecord
from al_core.results.analysis import METRICS
from al_core.results.figures.comparison import comparison_figure
from al_core.results.figures.sheets import RunMaterial, learning_sheet
from al_core.results.passive import beside_run, references_beside
from al_core.results.runs import groups, result_of_groups, run_of
from al_core.results.study import study_result
from al_core.results.study_tables import curves_frame
from al_core.results.study_text import report_text
from al_core.store import open_store
from tests.al_core.results.test_references import measured_study

ACCURACY = METRICS[0]


@pytest.fixture
def store(settings):
    opened = open_store(settings)
    yield opened
    opened.close()


def trained(store, config, rounds, *, parent=None, fingerprint="images"):
    """An experiment of these rounds: (labels, accuracy)."""
    record = store.create_experiment(config, parent_id=None if parent is None else parent.id)
    store.submit_job("advance", experiment_id=record.id)
    _, lease = store.claim_job("w", job_id=store.jobs(experiment_id=record.id)[0].id)
    store.update_experiment(record.id, lease=lease, fingerprint=fingerprint)
    for number, (labels, value) in enumerate(rounds):
        done = RoundRecord(
            record.id, number, labels, 0, {"test_accuracy": value}, None, (), {"train": 2.0}, {}, {}, 0.0
        )
        last = number == len(rounds) - 1
        status = ExperimentStatus.FINISHED if last else ExperimentStatus.TRAINING
        store.finish_round(lease, done, None, status=status)
    return store.experiment(record.id)


@pytest.fixture
def run(store):
    return trained(store, ExperimentConfig().changed(oracle="truth"), [(20, 0.5), (40, 0.7)])


def selection(config, **changes):
    return on_selection(config, "/kept/labels.csv").changed(**changes)


def test_each_training_beside_a_run_is_named_by_what_it_trained_on_and_what_else_differs(store, run):
    config = run.config
    trained(store, selection(config), [(40, 0.68)], parent=run)
    trained(store, selection(config, model__model="resnet18"), [(40, 0.6)], parent=run)
    trained(store, as_baseline(config, "full"), [(1000, 0.95)], parent=run)
    subset = as_baseline(config.changed(stop__budget=40), "subset")
    trained(store, subset, [(40, 0.61)], parent=run)
    found = beside_run(store, run)
    assert [(one.kind, one.title, one.same) for one in found] == [
        ("selection", "Selection", True), ("selection", "Selection, model resnet18", False),
        ("full", "Full pool", True), ("subset", "Random subset", True),
    ]  # fmt: skip
    assert [one.record.parent_id for one in found] == [run.id] * 4


def test_what_is_none_or_cannot_be_compared_is_left_out(store, run):
    config = run.config
    trained(store, config.changed(query__strategy="badge"), [(20, 0.5), (40, 0.7)], parent=run)  # a fork
    trained(store, selection(config), [], parent=run)  # not trained yet
    trained(store, selection(config), [(40, 0.9)], parent=run, fingerprint="other images")
    trained(store, once(config), [(20, 0.9)], parent=run)  # one round that asked for its images
    trained(store, selection(config), [(40, 0.9)])  # of no run that is here
    assert beside_run(store, run) == []


def test_points_of_several_sizes_are_told_apart_and_the_newest_of_equals_stands(store, run):
    for labels, value in ((20, 0.4), (40, 0.6), (40, 0.65)):
        trained(store, selection(run.config), [(labels, value)], parent=run)
    found = references_beside(beside_run(store, run), ACCURACY, lambda r: store.rounds(r.id))
    assert [(r.kind, r.arm.name, r.point[0], r.point[1].mean) for r in found] == [
        ("selection", "Selection (20 labels)", 20, 0.4), ("selection", "Selection (40 labels)", 40, 0.65),
    ]  # fmt: skip
    in_seconds = references_beside(
        beside_run(store, run), ACCURACY, lambda r: store.rounds(r.id), over="seconds"
    )
    assert [r.point[0] for r in in_seconds] == [2.0, 2.0]


def test_a_run_s_finished_figure_has_them(store, run):
    trained(store, selection(run.config), [(40, 0.68)], parent=run)
    trained(store, as_baseline(run.config, "full"), [(1000, 0.95)], parent=run)
    beside = [(one, store.rounds(one.record.id)) for one in beside_run(store, run)]
    material = RunMaterial("Margin", "margin", (), store.rounds(run.id), (), (), beside)
    traces = {t.name: t for t in learning_sheet(material, ACCURACY).draw(False).data}
    assert (list(traces["Selection (1 seed)"].x), list(traces["Selection (1 seed)"].y)) == ([40], [68])
    full = traces["Full pool (1 seed)"]
    assert (full.mode, list(full.x), list(full.y)) == ("lines", [20, 40], [95, 95])


def test_selections_of_a_study_s_cells_are_points_on_its_chart_with_the_interval_of_their_seeds(store):
    study = measured_study(store, seeds=3, baselines=["full"])
    cells = [e for e in store.study_experiments(study.id) if e.config.query.chooser == "margin"]
    before = study_result(store, study.id)
    for cell, value in zip(cells, (0.7, 0.72, 0.74), strict=True):
        config = selection(cell.config, model__model="resnet18")
        trained(store, config, [(60, value)], parent=cell, fingerprint=None)
    result = study_result(store, study.id)
    assert [r.arm.name for r in result.references] == ["Full pool", "Selection, model resnet18 (margin)"]
    reference = result.references[1]
    at, value = reference.point
    assert (at, value.mean, value.n, reference.measures) == (60, pytest.approx(0.72), 3, {"margin"})
    assert [v.text for v in result.verdicts] == [v.text for v in before.verdicts]  # it is no arm
    star = {t.name: t for t in comparison_figure(result).data}["Selection, model resnet18 (margin) (3 seeds)"]
    assert (star.mode, star.marker.symbol, list(star.x)) == ("markers", "star", [60])
    assert star.error_y.array[0] == pytest.approx(100 * value.half)
    text = report_text(result)
    assert "- Selection, model resnet18 (margin): 72.0 % ± 5.0 points with 60 labels (3 seeds)." in text
    assert "Selection, model resnet18 (margin)" in set(curves_frame(result)["arm"])


def test_runs_by_prefix_do_not_take_a_selection_for_a_curve(store, run):
    other = trained(store, run.config.changed(query__strategy="badge"), [(20, 0.5), (40, 0.8)])
    once_more = trained(store, selection(run.config), [(40, 0.68)], parent=run)
    found = groups([run_of(record, store.rounds(record.id)) for record in (run, other, once_more)])
    assert [group.title for group in found] == ["u_herding", "badge", "Selection"]
    result = result_of_groups("p", found)
    assert [arm.name for arm in result.arms] == ["u_herding", "badge"]
    assert [(r.kind, r.arm.name) for r in result.references] == [("selection", "Selection")]
    assert result.places == [20, 40]
