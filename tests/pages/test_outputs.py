"""What the pages give away: menus beside figures, tables, reports, the run log, all runs side by side."""

import json

import pytest

from al_core.records import ExperimentStatus
from state import handles, outputs, run_groups
from tests.e2e.seeded import seed
from tests.e2e.seeded_study import seed_study


def downloads(app):
    return {button.proto.label: button.proto for button in app.get("download_button")}


@pytest.fixture
def run(digits):
    return seed(handles.settings(), rounds=3, epochs=2, name="**mine** <b>")


@pytest.mark.parametrize(
    ("look", "labels"),
    [
        ("Labels per class", {"PDF", "PNG", "SVG", "HTML"}),
        ("Confusion", {"Table", "Predictions", "PDF"}),
        ("Each class", {"PDF", "HTML"}),
        ("Take away", {"Report", "Rounds", "Epochs", "Classes", "Queries", "Labels", "Samples", "Log"}),
    ],
)  # fmt: skip
def test_every_view_of_a_run_can_be_taken_away(visit, run, look, labels):
    app = visit("curves", exp=run)
    app.session_state["look"] = look
    app.run()
    assert not app.exception
    assert not app.error
    assert labels <= set(downloads(app))
    if look == "Take away":
        assert "--n-rounds 3" in app.code[0].value
        assert f"export {run}" in app.code[1].value


def test_classes_are_told_apart_the_worst_first(visit, run):
    app = visit("curves", exp=run)
    app.session_state["look"] = "Each class"
    app.run()
    shown = app.dataframe[0].value
    assert len(shown) == 10
    assert shown["f1"].is_monotonic_increasing


def test_without_a_browser_only_a_page_is_offered_and_the_way_out_is_said(visit, run, monkeypatch, tmp_path):
    monkeypatch.setenv("AL_CHROMIUM", str(tmp_path / "none"))
    app = visit("curves", exp=run)
    found = downloads(app)
    assert [found[form].disabled for form in ("PDF", "PNG", "SVG", "HTML")] == [True, True, True, False]
    assert any("AL" in caption.value and "CHROMIUM" in caption.value for caption in app.caption)


def test_the_log_of_each_attempt_is_read_and_the_whole_is_taken(visit, run, home):
    (job,) = home.jobs(experiment_id=run)
    folder = handles.settings().logs / "jobs"
    folder.mkdir(parents=True)
    text = "1 attempt 1 of advance begins\nfirst words\n2 attempt 2 of advance begins\nlater words\n"
    (folder / f"{job.id}.log").write_text(text)
    app = visit("train", exp=run)
    app.session_state["run-log"] = True
    app.run()
    assert not app.exception
    assert "later words" in app.code[-1].value
    assert "first words" not in app.code[-1].value
    app.selectbox(key=f"log-attempt-{job.id}").set_value(1).run()
    assert "first words" in app.code[-1].value
    assert "Whole log" in downloads(app)


def test_all_runs_are_curves_by_name_and_label(visit, digits):
    seed_study(handles.settings(), strategies=("random", "margin"), seeds=2, rounds=3, name="A")
    seed_study(handles.settings(), strategies=("badge",), seeds=1, rounds=3, name="B")
    app = visit("runs")
    assert not app.exception
    assert "5 runs of 3 configurations" in app.caption[0].value
    app.text_input(key="runs-prefix").set_value("A:").run()
    assert "4 runs of 2 configurations" in app.caption[0].value
    assert {"Report", "Results", "Averages", "Rounds", "PDF"} <= set(downloads(app))
    averages = app.dataframe[0].value
    assert set(averages["configuration"]) == {"random", "margin"}
    assert set(averages["seeds"]) == {2}
    app.multiselect(key="runs-labels").set_value(["seed"]).run()
    assert "of 4 configurations" in app.caption[0].value
    app.text_input(key="runs-prefix").set_value("nothing").run()
    assert "begins so" in app.info[0].value
    assert not app.exception


def test_all_runs_are_compared_over_the_seeds_that_every_configuration_has_finished(visit, digits, home):
    study = seed_study(handles.settings(), strategies=("random", "margin"), seeds=3, rounds=3, name="A")
    cell = next(e for e in home.study_experiments(study.id) if e.config.seed == 1)
    home.update_experiment(cell.id, status=ExperimentStatus.TRAINING)
    app = visit("runs")
    app.session_state["runs-view"] = "Summary"
    app.run()
    said = "Compared are 4 of 6 runs: those of the seeds 0, 2, which every configuration has finished."
    assert said in [caption.value.replace("\\", "") for caption in app.caption]
    assert set(app.dataframe[0].value["seeds"]) == {2}
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    named = {trace["name"] for trace in figure["data"] if "name" in trace}
    assert named == {"random (2 seeds)", "margin (2 seeds)"}


def test_the_page_of_all_runs_is_there_before_any_run(visit):
    app = visit("runs")
    assert not app.exception
    assert any("once there is one" in caption.value for caption in app.caption)
    assert app.button(key="runs-empty-setup").label == "Set up a session"


def test_a_study_gives_averages_results_and_a_report(visit, digits):
    study = seed_study(handles.settings(), strategies=("random", "margin"), seeds=2, rounds=3)
    app = visit("compare", study=study.id)
    app.session_state["study-view"] = "Take away"
    app.run()
    assert {"Report", "Averages", "Rounds", "Results", "Records", "Study file", "PDF"} <= set(downloads(app))


@pytest.mark.slow
def test_a_report_is_made_in_a_process_of_its_own(digits, monkeypatch):
    one = seed(handles.settings(), rounds=2, epochs=2, name="one")
    two = seed(handles.settings(), rounds=2, epochs=2, strategy="entropy", name="two", ghost=False)
    page = outputs.report([one]).decode()
    assert "Learning curve" in page
    side = outputs.report([one, two], labels=("query.strategy",), title="--both <b>").decode()
    assert "--both &lt;b&gt;" in side
    assert "entropy" in side
    ids = [run for run, _ in run_groups.found("")]
    assert set(ids) == {one, two}
    with pytest.raises(outputs.FigureError, match="no run and no study"):
        outputs.report(["nobody"])
