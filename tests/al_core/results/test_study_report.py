"""A study's report: arms of cells, verdicts in words, tables that say what was measured."""

import numpy as np
import pandas as pd
import pytest

from al_core.cli.report import write_report
from al_core.records import ExperimentStatus, RoundRecord
from al_core.results import verdict_words
from al_core.results.study import study_result
from al_core.results.study_tables import curves_frame, frame_csv, summary_frame
from al_core.results.study_text import report_text
from al_core.store import open_store
from al_core.study import StudyConfig
from al_core.study_running import begin, queue

LABELS = (20, 40, 60, 80)


@pytest.fixture
def store(settings):
    opened = open_store(settings)
    yield opened
    opened.close()


def measured_study(store, heights, seeds=5, noise=0.002, late=()):
    """A study whose arms have the given accuracies, with a spread over seeds that all share.

    `late` arms begin with a thousand labels more.
    """
    config = StudyConfig.parse(
        {
            "name": "Test",
            "base": {"stop": {"n_rounds": 4}},
            "axes": {"query.strategy": list(heights)},
            "seeds": seeds,
        }
    )
    record = begin(store, config)
    queue(store, record)
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.03, seeds)
    jobs = {job.experiment_id: job for job in store.jobs(active=True, limit=1000)}
    for experiment in store.study_experiments(record.id):
        _, lease = store.claim_job("w", job_id=jobs[experiment.id].id)
        strategy = experiment.config.query.strategy
        more = 1000 if strategy in late else 0
        curve = np.array(heights[strategy]) + shared[experiment.config.seed]
        for number, value in enumerate(curve + rng.normal(0, noise, len(curve))):
            last = number == len(curve) - 1
            store.finish_round(
                lease,
                RoundRecord(
                    experiment.id, number, LABELS[number] + more, 0,
                    {"test_accuracy": float(value), "test_loss": float(1 - value)}, None, (), {}, {}, {}, 0.0,
                ),
                None,
                status=ExperimentStatus.FINISHED if last else ExperimentStatus.TRAINING,
            )  # fmt: skip
    return record


HEIGHTS = {
    "random": [0.5, 0.6, 0.7, 0.75],
    "margin": [0.5, 0.6, 0.76, 0.82],
    "entropy": [0.5, 0.601, 0.7, 0.7505],
    "k_center": [0.5, 0.55, 0.6, 0.65],
}


def test_the_verdicts_say_who_wins_from_where_and_who_cannot_be_told_apart(store):
    record = measured_study(store, HEIGHTS)
    result = study_result(store, record.id)
    found = {verdict.arm: verdict for verdict in result.verdicts}
    assert result.baseline.name == "random"
    assert found["margin"].text == "margin beats random from 60 labels on."
    assert found["k_center"].text == "k_center is behind random from 40 labels on."
    assert found["entropy"].text.startswith("entropy and random cannot be told apart; ")
    assert [verdict.arm for verdict in result.verdicts] == ["margin", "entropy", "k_center"]


def test_a_loss_is_better_when_it_is_lower(store):
    record = measured_study(store, HEIGHTS)
    result = study_result(store, record.id, "test_loss")
    found = {verdict.arm: verdict.text for verdict in result.verdicts}
    assert result.metric.key == "test_loss"
    assert found["margin"] == "margin beats random from 60 labels on."
    assert found["k_center"] == "k_center is behind random from 40 labels on."
    assert summary_frame(result)["arm"].iloc[0] == "margin"


def test_the_summary_has_area_final_difference_and_saving(store):
    record = measured_study(store, HEIGHTS, noise=0)
    frame = summary_frame(study_result(store, record.id)).set_index("arm")
    assert frame.loc["margin", "area"] - frame.loc["random", "area"] == pytest.approx(
        (0.06 * 20 + 0.07 / 2 * 20) / 60
    )
    assert frame.loc["margin", "difference"] == pytest.approx(
        frame.loc["margin", "area"] - frame.loc["random", "area"]
    )
    # random's last .75 lies between margin's .6 at 40 and .76 at 60 labels
    assert frame.loc["margin", "saving"] == pytest.approx(1 - (40 + 20 * 0.15 / 0.16) / 80)
    assert np.isnan(frame.loc["random", "difference"])
    assert frame.loc["margin", "seeds"] == 5


def test_the_report_names_metric_intervals_and_few_seeds(store):
    record = measured_study(store, HEIGHTS, seeds=3)
    text = report_text(study_result(store, record.id))
    assert "Indicative only: 3 seeds" in text
    assert "- margin beats random" in text
    assert "| margin | 3 | " in text
    whole = report_text(study_result(store, measured_study(store, HEIGHTS).id))
    assert "Indicative" not in whole


def test_a_study_without_a_round_reports_nothing_and_does_not_fail(store):
    record = begin(store, StudyConfig.parse({"base": {"stop": {"n_rounds": 2}}}))
    result = study_result(store, record.id)
    assert result.measured == []
    assert result.verdicts == []
    assert len(summary_frame(result)) == len(curves_frame(result)) == 0
    assert report_text(result).startswith("# study")


def test_partial_results_are_compared_over_what_all_have(store):
    record = measured_study(store, {"random": [0.5, 0.6, 0.7, 0.75], "margin": [0.5, 0.7]})
    result = study_result(store, record.id)
    assert sorted(set(curves_frame(result)["labels"])) == [20, 40]
    assert result.verdicts[0].text.startswith("margin beats random")


def test_an_arm_without_a_range_in_common_is_left_out_by_name_and_the_others_are_judged(store, tmp_path):
    record = measured_study(store, HEIGHTS, late=("entropy",))
    result = study_result(store, record.id)
    assert [(v.arm, v.other) for v in result.verdicts] == [("margin", "random"), ("k_center", "random")]
    assert result.places == [20, 40, 60, 80]
    said = "Not compared: entropy. There is no range of labeled images in common with the others."
    assert result.left_out == [said]
    text = write_report(lambda over: study_result(store, record.id, over=over), tmp_path)
    assert said in text
    assert set(pd.read_csv(tmp_path / "summary.csv")["arm"]) == {"random", "margin", "k_center"}
    assert "entropy" in set(pd.read_csv(tmp_path / "target.csv")["arm"])  # what a target takes needs no range


@pytest.mark.parametrize(
    ("late", "apart"),
    [
        (("random",), ["random"]),
        (("random", "margin"), ["entropy", "k_center"]),  # of equally many those with the baseline stand
        (("entropy", "k_center"), ["entropy", "k_center"]),
        (("random", "margin", "entropy"), ["k_center"]),
    ],
)
def test_as_few_arms_as_can_be_are_left_out(store, late, apart):
    result = study_result(store, measured_study(store, HEIGHTS, late=late).id)
    names = ", ".join(apart)
    assert result.left_out == [
        f"Not compared: {names}. There is no range of labeled images in common with the others."
    ]
    assert not {v.arm for v in result.verdicts} & set(apart)
    assert len(summary_frame(result)) == 4 - len(apart)


def test_only_seeds_that_every_arm_finished_are_settled(store):
    record = measured_study(store, HEIGHTS, seeds=3)
    cells = {(e.config.query.strategy, e.config.seed): e.id for e in store.study_experiments(record.id)}
    store.update_experiment(cells["margin", 1], status=ExperimentStatus.TRAINING)
    for seed in range(3):  # an arm that never finished keeps nobody waiting
        store.update_experiment(cells["k_center", seed], status=ExperimentStatus.FAILED)
    result = study_result(store, record.id)
    settled = result.settled
    assert result.done == {0, 2}
    assert [arm.name for arm in settled.measured] == ["random", "margin", "entropy"]
    assert {seed for arm in settled.measured for seed in arm.curves} == {0, 2}
    assert settled.num_seeds == 2
    assert result.num_seeds == 3


def test_a_report_says_what_is_cut_only_where_something_is(store):
    record = measured_study(store, HEIGHTS)
    cut, whole = (study_result(store, record.id, ceiling=ceiling) for ceiling in (0.5, 0.99))
    assert (cut.cut, whole.cut, study_result(store, record.id).cut) == (True, False, False)
    assert "Compared up to 40 labels: beyond, every mean is within 1 % of 50.0 %." in report_text(cut)
    assert "Nothing is cut: before 80 labels not every mean is within 1 % of 99.0 %." in report_text(whole)


def test_a_report_compares_the_seeds_that_are_done_and_says_what_is_not(store, tmp_path):
    record = measured_study(store, HEIGHTS, seeds=3)
    assert study_result(store, record.id).unfinished is None
    cells = {(e.config.query.strategy, e.config.seed): e.id for e in store.study_experiments(record.id)}
    store.update_experiment(cells["margin", 1], status=ExperimentStatus.FAILED)
    said = "Compared are 8 of 12 runs: those of the seeds 0, 2, which every configuration"
    text = write_report(lambda over: study_result(store, record.id, over=over), tmp_path)
    assert f"{said} has finished." in text
    assert "| margin | 2 | " in text
    assert "| random | 2 | " in text
    assert set(pd.read_csv(tmp_path / "summary.csv")["seeds"]) == {2}
    for seed in range(3):
        store.update_experiment(cells["k_center", seed], status=ExperimentStatus.FAILED)
    assert study_result(store, record.id).unfinished == f"{said.replace('8', '6')} but k_center has finished."
    for cell in cells.values():
        store.update_experiment(cell, status=ExperimentStatus.TRAINING)
    assert "No seed is finished in every configuration" in study_result(store, record.id).unfinished


def test_the_two_best_are_compared_with_each_other_unless_the_baseline_is_one_of_them(store):
    close = HEIGHTS | {"badge": [0.5, 0.6, 0.759, 0.8195]}
    result = study_result(store, measured_study(store, close).id)
    top = result.at_the_top
    assert {top.arm, top.other} == {"margin", "badge"}
    assert top.picked
    assert verdict_words.numbers(top, result).endswith(
        "the two best, picked by what they came to: p is too small"
    )
    assert "cannot be told apart" in top.text
    worse = {"random": HEIGHTS["random"], "k_center": HEIGHTS["k_center"]}
    assert study_result(store, measured_study(store, worse).id).at_the_top is None
    one = {"random": HEIGHTS["random"], "margin": HEIGHTS["margin"], "k_center": HEIGHTS["k_center"]}
    assert (
        study_result(store, measured_study(store, one).id).at_the_top is None
    )  # the second is behind random
    under = {"random": [0.5, 0.7, 0.8, 0.9], "entropy": HEIGHTS["entropy"], "margin": HEIGHTS["margin"]}
    assert study_result(store, measured_study(store, under).id).at_the_top is None


def test_arms_bear_the_names_that_they_are_given(store):
    record = measured_study(store, HEIGHTS)
    result = study_result(store, record.id, title=lambda arm: f"the {arm.title}")
    assert result.baseline.name == "the random"
    assert result.strategy("the margin") == "margin"
    assert result.verdicts[0].text == "the margin beats the random from 60 labels on."


def test_a_table_for_spreadsheets_has_no_formulas_and_empty_cells_for_nothing(store):
    record = measured_study(store, HEIGHTS)
    result = study_result(store, record.id, title=lambda arm: f"={arm.title}")
    lines = frame_csv(summary_frame(result)).splitlines()
    assert lines[0].startswith("arm,seeds,labels,final,")
    assert all(line.startswith("'=") for line in lines[1:])
    random = next(line for line in lines if "=random" in line)
    assert random.endswith(",,,,,")
