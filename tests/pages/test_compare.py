import json

import pytest
from conftest import components

from al_core.records import ExperimentStatus, JobState
from al_core.study import StudyConfig
from state import handles, studies
from tests.e2e.seeded_study import seed_study


def words(app):
    kinds = ("error", "warning", "markdown", "caption", "text", "info", "alert")
    return " ".join(str(e.value) for kind in kinds for e in app.get(kind) if hasattr(e, "value"))


def matrix(app):
    (found,) = components(app, "cell_matrix")
    return json.loads(found.json)


@pytest.fixture
def finished(digits):
    return seed_study(handles.settings(), seeds=5, rounds=4, name="**A** [study](http://x.test)")


def test_an_empty_store_offers_to_begin_and_says_what_it_will_be(visit):
    app = visit("compare")
    assert not app.exception
    assert "4 strategies × 5 seeds = 20 runs, about 160 labels each" in words(app)
    assert not app.button(key="study-begin").disabled


def test_a_study_is_begun_once_with_what_was_chosen(visit, home):
    app = visit("compare")
    app.multiselect(key="study-strategies").set_value(["random", "margin"])
    app.number_input(key="study-seeds").set_value(2)
    app.number_input(key="study-rounds").set_value(3).run()
    assert "2 strategies × 2 seeds = 4 runs, about 60 labels each" in words(app)
    app.button(key="study-begin").click().run()
    assert not app.exception
    (record,) = home.studies()
    config = StudyConfig.from_json(record.config)
    assert (config.axes["query.strategy"], config.seeds) == (("random", "margin"), (0, 1))
    assert (config.base.stop.n_rounds, config.base.query.n_new) == (3, 20)
    assert len(home.jobs(active=True)) == 4
    assert app.query_params["study"] in (record.id, [record.id])
    assert [[cell["state"] for cell in row["cells"]] for row in matrix(app)["rows"]] == [["waiting"] * 2] * 2


def test_what_cannot_run_is_refused_with_the_reason(visit, home, waiting):
    record = waiting(0.5, model__model="resnet18")
    app = visit("compare", exp=record.id)
    app.segmented_control(key="study-source").set_value("session").run()
    app.multiselect(key="study-strategies").set_value(["random", "bald"]).run()
    assert app.button(key="study-begin").disabled
    assert "dropout" in words(app)
    app.multiselect(key="study-strategies").set_value([]).run()
    assert app.button(key="study-begin").disabled
    assert home.studies() == []


def test_images_that_are_not_prepared_keep_a_study_from_beginning(visit):
    app = visit("compare")
    app.segmented_control(key="study-source").set_value("sherbrooke").run()
    assert app.number_input(key="study-first").value == 2021
    assert "4 strategies × 1 seed = 4 runs, about 3,000 labels each" in words(app)
    assert app.button(key="study-begin").disabled
    assert "prepare" in words(app)


def test_the_open_session_s_settings_make_a_study(visit, waiting):
    record = waiting(0.5, name="mine", query__strategy="entropy", stop__n_rounds=6)
    app = visit("compare", exp=record.id)
    app.segmented_control(key="study-source").set_value("session").run()
    assert app.text_input(key="study-name").value == "mine"
    assert app.multiselect(key="study-strategies").value == ["random", "entropy"]
    assert app.number_input(key="study-rounds").value == 6
    assert app.number_input(key="study-size").value == 5


def test_a_finished_study_shows_verdicts_curves_and_table(visit, finished):
    app = visit("compare", study=finished.id)
    assert not app.exception
    assert not app.error
    shown = words(app)
    assert "beats Random" in shown
    assert "indicative" not in shown
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert {trace["name"] for trace in figure["data"] if "name" in trace} == {
        f"{title} (5 seeds)" for title in ("Random", "Smallest margin", "BADGE", "Auto (uncertainty herding)")
    }
    table = app.dataframe[0].value
    assert len(table) == 4
    assert table["arm"].iloc[-1] == "Random"
    assert "[study](" not in shown


@pytest.mark.parametrize("view", ["Who loses to whom", "Overlap", "Classes", "Pictures", "Take away"])
def test_every_view_of_a_finished_study_is_drawn(visit, finished, view):
    app = visit("compare", study=finished.id)
    app.session_state["study-view"] = view
    app.run()
    assert not app.exception
    assert not app.error
    walls = components(app, "picture_wall")
    assert len(walls) == (3 if view == "Pictures" else 0)
    if view == "Take away":
        assert "python -m al_core study" in app.code[0].value
        assert "--out" in app.code[0].value


def test_fewer_than_five_seeds_are_indicative(visit, digits):
    record = seed_study(handles.settings(), strategies=("random", "margin"), seeds=3, rounds=3)
    app = visit("compare", study=record.id)
    assert "indicative" in words(app)


def test_a_study_under_way_shows_every_cell_and_can_be_held_stopped_and_mended(visit, digits, home):
    record = seed_study(handles.settings(), seeds=3, rounds=4, half=True)
    app = visit("compare", study=record.id)
    assert not app.exception
    states = [cell["state"] for row in matrix(app)["rows"] for cell in row["cells"]]
    assert {"done", "failed", "running", "waiting"} == set(states)
    assert "no memory left" in words(app)

    app.button(key="study-pause").click().run()
    assert {job.control for job in home.jobs(active=True)} == {"pause"}
    assert not studies.view(record).active
    app.button(key="study-go-on").click().run()
    assert {job.control for job in home.jobs(active=True)} == {""}
    app.button(key="study-retry").click().run()
    assert studies.view(record).count("failed") == 0
    waiting = studies.view(record).count("waiting")
    app.button(key="study-stop").click().run()
    found = studies.view(record)
    assert found.count("stopped", "failed") >= waiting > 0
    for job in home.jobs(active=True):
        assert job.control == "stop"


def test_the_end_of_a_study_is_told_once_to_the_tab_that_saw_it_run(visit, digits, home):
    record = seed_study(handles.settings(), strategies=("random", "margin"), seeds=2, rounds=2, half=True)
    app = visit("compare", study=record.id)
    assert not app.toast
    for job in home.jobs(active=True):
        home.control_job(job.id, "stop")
    for experiment in home.study_experiments(record.id):
        home.update_experiment(experiment.id, status=ExperimentStatus.FINISHED)
    for job in home.jobs():
        if job.state is JobState.RUNNING:
            home.requeue_lost(silent_seconds=-1)
            home.control_job(job.id, "stop")
    app.run()
    assert [toast.value for toast in app.toast] == ["The study has ended. Every run is done."]
    app.run()
    assert not app.toast


def test_the_side_bar_sums_a_study_up_in_one_line(visit, digits):
    seed_study(handles.settings(), seeds=3, rounds=3, half=True)
    app = visit()
    captions = [c.value for c in app.sidebar.caption]
    assert sum("to go" in caption for caption in captions) == 1
    assert not [b for b in app.sidebar.button if b.key.startswith("stop-")]
