import json

import numpy as np
import pytest
from conftest import components

from al_core.records import ExperimentStatus, JobState
from al_core.results import anchors
from al_core.results.published import Anchor, PublishedCurve
from al_core.study import StudyConfig
from pages.components.compare_results import least_words
from state import handles, studies
from tests.al_core.results.test_references import measured_study
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


def test_baselines_and_an_oracle_that_errs_are_chosen_in_the_form(visit, home):
    app = visit("compare")
    app.multiselect(key="study-strategies").set_value(["random", "margin"])
    app.multiselect(key="study-baselines").set_value(["full", "balanced"])
    app.number_input(key="study-seeds").set_value(2)
    app.selectbox(key="study-oracle").set_value("recorded").run()
    app.text_input(key="study-answers:recorded_file").set_value("/etc/passwd").run()
    assert "is below no data root" in words(app)
    app.selectbox(key="study-oracle").set_value("noisy").run()
    assert "need a rate" in words(app)
    assert app.button(key="study-begin").disabled
    app.number_input(key="study-answers:noise_rate").set_value(0.2).run()
    assert "(2 strategies and 2 baselines) × 2 seeds = 8 runs, about 160 labels each" in words(app)
    assert "20 % of answers wrong" in words(app)
    app.button(key="study-begin").click().run()
    assert not app.exception
    (record,) = home.studies()
    config = StudyConfig.from_json(record.config)
    assert config.baselines == ("full", "balanced")
    assert (config.base.oracle, config.base.answers.noise_rate) == ("noisy", 0.2)
    assert [row["arm"] for row in matrix(app)["rows"]][2:] == ["Full pool", "Balanced by truth"]


def test_what_cannot_run_is_refused_with_the_reason(visit, home, waiting):
    record = waiting(0.5, model__model="resnet18")
    app = visit("compare", exp=record.id)
    app.selectbox(key="study-source").set_value("session").run()
    app.multiselect(key="study-strategies").set_value(["random", "bald"]).run()
    assert app.button(key="study-begin").disabled
    assert "dropout" in words(app)
    app.multiselect(key="study-strategies").set_value([]).run()
    assert app.button(key="study-begin").disabled
    assert home.studies() == []


def test_images_that_are_not_prepared_keep_a_study_from_beginning(visit):
    app = visit("compare")
    app.selectbox(key="study-source").set_value("sherbrooke").run()
    assert app.number_input(key="study-first").value == 2021
    assert "4 strategies × 1 seed = 4 runs, about 3,000 labels each" in words(app)
    assert app.button(key="study-begin").disabled
    assert "prepare" in words(app)


def test_the_open_session_s_settings_make_a_study(visit, waiting):
    record = waiting(0.5, name="mine", query__strategy="entropy", stop__n_rounds=6)
    app = visit("compare", exp=record.id)
    app.selectbox(key="study-source").set_value("session").run()
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


def test_the_table_has_the_share_of_the_full_pool_where_it_was_trained(visit, home, digits):
    for baselines, there in (((), False), (("full",), True)):
        study = measured_study(home, baselines=baselines)
        (table,) = (frame for frame in visit("compare", study=study.id).dataframe if "area" in frame.value)
        assert ("of_full_pool" in table.proto.column_order) is there


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ([[0, 0.5], [0.25, 0]], "**b** loses least."),
        ([[0, 0], [0, 0]], "Nobody clearly loses to anybody."),
        ([[0, 0.5], [0.5, 0]], "All lose alike."),
        ([[0, 0, 0], [0, 0, 0], [1, 0, 0]], "**a**, **b** lose least."),
    ],
)
def test_who_loses_least_is_all_of_them_where_they_tie(lost, said):
    assert least_words("abc"[: len(lost)], np.array(lost)) == said


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


def test_what_has_no_range_in_common_is_left_out_by_name_and_the_others_are_judged(visit, home, digits):
    study = measured_study(home, baselines=["balanced"], late=("balanced",))
    app = visit("compare", study=study.id)
    assert "Not compared: Balanced by truth." in words(app).replace("\\", "")
    assert "Smallest margin beats Random" in words(app)
    (table,) = (frame.value for frame in app.dataframe if "area" in frame.value)
    assert set(table["arm"]) == {"Random", "Smallest margin"}
    app.session_state["study-view"] = "Who loses to whom"
    app.run()
    assert "Balanced" not in app.get("plotly_chart")[1].proto.spec


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


def test_any_option_is_an_axis_and_several_together_are_one(visit, home, digits):
    app = visit("compare")
    app.multiselect(key="study-strategies").set_value(["margin"])
    app.multiselect(key="study-axes").set_value(
        ["study-axis:train.augment", "study-axis:train.epochs", "study-bundles:together"]
    ).run()
    app.multiselect(key="study-axis:train.augment").set_value(["off", "on"])
    app.multiselect(key="study-axis:train.epochs").set_value(["2", "none"])
    app.text_area(key="study-bundles:together").set_value("weak\nstrong: train.weight_decay=0.01")
    app.number_input(key="study-seeds").set_value(1).run()
    assert not app.exception
    assert "train\\.epochs" in words(app)
    assert app.button(key="study-begin").disabled
    app.multiselect(key="study-axis:train.epochs").set_value(["2", "3"]).run()
    assert "8 combinations × 1 seed = 8 runs" in words(app)
    app.button(key="study-begin").click().run()
    (record,) = home.studies()
    config = StudyConfig.from_json(record.config)
    assert list(config.axes) == ["train.augment", "train.epochs", "together"]
    assert (config.base.query.strategy, config.axes["train.epochs"]) == ("margin", (2, 3))
    rows = [row["arm"] for row in matrix(app)["rows"]]
    assert rows[0] == "augment off, epochs 2, weak"
    assert rows[-1] == "augment on, epochs 3, strong"


def test_a_preset_with_bundles_fills_the_form(visit):
    app = visit("compare")
    app.selectbox(key="study-source").set_value("sherbrooke-generalization").run()
    assert not app.exception
    assert app.multiselect(key="study-strategies").value == ["least_confidence"]
    lines = app.text_area(key="study-bundles:regularisation").value.splitlines()
    assert lines[-1] == "augmented, decay 0.008: train.augment=on, train.weight_decay=0.008"
    assert "5 combinations × 1 seed = 5 runs, about 3,000 labels each" in words(app)


@pytest.mark.parametrize("view", ["Summary", "Overlap", "Classes", "Pictures"])
def test_every_view_of_a_study_without_strategies_as_axis_is_drawn(visit, digits, view):
    axes = {"train.augment": [False, True], "query.n_new": [10, 20]}
    record = seed_study(handles.settings(), axes=axes, seeds=2, rounds=3)
    app = visit("compare", study=record.id)
    app.session_state["study-view"] = view
    app.run()
    assert not app.exception
    assert not app.error
    rows = matrix(app)["rows"]
    assert [row["arm"] for row in rows][:2] == ["augment off, query size 10", "augment off, query size 20"]
    assert len({row["color"] for row in rows}) == 4


def test_the_time_of_a_study_is_measured_when_a_person_asks(visit, home, digits):
    app = visit("compare")
    assert "Time not measured yet" in words(app)
    assert home.jobs(active=True) == []
    app.button(key="study-measure-now").click().run()
    (job,) = home.jobs(active=True)
    assert (job.kind, job.spec["training"]) == ("calibrate", True)
    assert "Time being measured" in words(app)


def test_a_study_is_compared_over_minutes_and_money_at_the_prices_that_are_given(visit, finished):
    app = visit("compare", study=finished.id)
    assert "from 40 labels on" in words(app).replace("\\", "")
    app.segmented_control(key="study-over").set_value("minutes").run()
    assert not app.exception
    assert "from 1.0 minutes of labeling on" in words(app).replace("\\", "")  # 40 labels of 1.5 seconds
    app.number_input(key="price-seconds").set_value(3.0).run()
    assert "from 2.0 minutes of labeling on" in words(app).replace("\\", "")
    app.segmented_control(key="study-over").set_value("money").run()
    app.number_input(key="price-label").set_value(2.0)
    app.number_input(key="price-hour").set_value(0.0).run()
    assert "from a cost of 80.00 on" in words(app).replace("\\", "")
    app.number_input(key="price-ratio").set_value(5.0).run()
    # two trainings more, of five labels each
    assert "from a cost of 100.00 on" in words(app).replace("\\", "")
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert figure["layout"]["xaxis"]["title"]["text"] == "cost"


def test_a_target_s_rounds_labels_and_costs_are_a_table(visit, finished):
    app = visit("compare", study=finished.id)
    app.session_state["study-view"] = "To a target"
    app.run()
    assert not app.exception
    (table,) = (frame.value for frame in app.dataframe if "cost_10" in frame.value)
    assert table["arm"].iloc[-1] == "Random"
    assert table["labels"].is_monotonic_increasing
    assert (table["cost_10"] > table["cost_0"]).all()


def test_the_saturated_end_is_cut_at_a_ceiling(visit, finished):
    app = visit("compare", study=finished.id)
    app.toggle(key="study-cut").set_value(True).run()
    ceiling = app.number_input(key="study-ceiling-test_accuracy")
    for value, said, unsaid, sentence in (
        (99.0, "over the whole curve", "up to the cut", "not every mean is within 1 % of 99.0 %."),
        (40.0, "up to the cut", "over the whole curve", "beyond, every mean is within 1 % of 40.0 %."),
    ):
        ceiling.set_value(value).run()
        assert not app.exception
        assert len(app.dataframe[0].value) == 4
        assert sentence in words(app).replace("\\", "")
        assert said in words(app).replace("\\", "")
        assert unsaid not in words(app).replace("\\", "")


def test_deleting_a_study_asks_for_its_name_first(visit, digits, home):
    record = seed_study(handles.settings(), strategies=("random", "margin"), seeds=2, rounds=2)
    app = visit("compare", study=record.id)
    app.button(key="study-delete").click().run()
    assert not app.exception
    assert app.button(key=f"gone-{record.id}").disabled
    assert len(home.studies()) == 1


def test_seeds_are_added_until_it_is_clear_and_the_cap_is_named_once(visit, home, digits):
    record = seed_study(handles.settings(), strategies=("random", "k_center", "entropy"), seeds=2, rounds=2)
    app = visit("compare", study=record.id)
    assert "cannot be told apart" in words(app)
    app.number_input(key=f"study-most-{record.id}").set_value(6)
    app.button(key="study-add-seeds").click().run()
    assert not app.exception
    config = StudyConfig.from_json(home.study(record.id).config)
    assert (config.seeds, config.most_seeds, config.planned) == ((0, 1, 2), 6, 2)
    assert len(home.jobs(active=True)) == 3
    assert "allows for a look after every seed from 2 to 6" in words(app)
    assert "study-add-seeds" not in [button.key for button in app.button]


def test_a_clear_study_offers_no_further_seeds(visit, finished):
    app = visit("compare", study=finished.id)
    assert "study-add-seeds" not in [button.key for button in app.button]


PUBLISHED = Anchor(
    "x", "A *paper*", "Some [source](http://x.test)", "3 runs", "digits", 10, {"train.epochs": 7}, (),
    (PublishedCurve("Random", "random", ((20, 0.5), (80, 0.7), (9999, 0.9))),),
)  # fmt: skip


def test_published_results_are_drawn_with_what_differs_beneath(visit, finished, monkeypatch):
    monkeypatch.setattr(anchors, "ANCHORS", (PUBLISHED,))
    app = visit("compare", study=finished.id)
    before = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    app.toggle(key="study-published").set_value(True).run()
    assert not app.exception
    drawn = [t for t in json.loads(app.get("plotly_chart")[0].proto.spec)["data"] if t not in before]
    assert [(t["x"], t["line"]["dash"], t["name"]) for t in drawn] == [([20, 80], "dot", "A *paper*")]
    assert "Some [source]" in drawn[0]["hovertemplate"]
    assert any("1 difference of protocol" in e.label for e in app.expander)
    assert "Epochs: 7 there, 50 here" in words(app).replace("\\", "")
    assert "[source](" not in words(app)
    app.segmented_control(key="study-over").set_value("seconds").run()
    assert not [t for t in app.toggle if t.key == "study-published"]


def test_where_nothing_was_published_it_is_said(visit, finished):
    app = visit("compare", study=finished.id)
    app.toggle(key="study-published").set_value(True).run()
    assert "No published curve that is known here" in words(app)


def test_a_session_s_curve_has_published_results_too(visit, waiting, monkeypatch):
    monkeypatch.setattr(anchors, "ANCHORS", (PUBLISHED,))
    record = waiting(0.4, 0.5, 0.6, 0.7, 0.8)
    app = visit("curves", exp=record.id)
    app.toggle(key="curve-published").set_value(True).run()
    assert not app.exception
    (chart,) = components(app, "live_curve")
    (found,) = json.loads(chart.json)["published"]
    assert found["curves"][0]["points"] == [[20, 0.5]]
    assert found["source"] == "Some [source](http://x.test) (3 runs)"
    assert any("1 difference of protocol" in e.label for e in app.expander)
