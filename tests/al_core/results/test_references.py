"""Baselines among results: the whole pool is a line and no arm, the balanced one an arm like any other."""

import numpy as np
import pytest

from al_core.records import ExperimentStatus, RoundRecord
from al_core.results.figures.comparison import comparison_figure
from al_core.results.figures.palette import look, look_keys
from al_core.results.runs import groups_of_study, result_of_groups
from al_core.results.study import study_result
from al_core.results.study_tables import curves_frame, summary_frame
from al_core.results.study_text import reference_words, report_text
from al_core.store import open_store
from al_core.study import Arm as StudyArm
from al_core.study import StudyConfig
from al_core.study_running import begin

HEIGHTS = {"random": [0.5, 0.6, 0.7], "margin": [0.5, 0.7, 0.8], "balanced": [0.5, 0.65, 0.76]}
ONCE = {"full": (1000, 0.9), "subset": (60, 0.72)}


@pytest.fixture
def store(settings):
    opened = open_store(settings)
    yield opened
    opened.close()


def measured_study(store, seeds=5, baselines=("full", "subset", "balanced"), axes=None, skip=(), late=()):
    values = {
        "base": {"stop": {"n_rounds": 3}}, "axes": {"query.strategy": ["random", "margin"], **(axes or {})},
        "seeds": seeds, "baselines": list(baselines),
    }  # fmt: skip
    record = begin(store, StudyConfig.parse(values))
    jobs = {job.experiment_id: job for job in store.jobs(active=True, limit=1000)}
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.02, seeds)
    for experiment in store.study_experiments(record.id):
        config = experiment.config
        kind = config.query.chooser
        if (kind, config.seed) in skip:
            continue
        _, lease = store.claim_job("w", job_id=jobs[experiment.id].id)
        labels, heights = (
            ([ONCE[kind][0]], [ONCE[kind][1]]) if kind in ONCE else ((20, 40, 60), HEIGHTS[kind])
        )
        labels = [n + 1000 * (kind in late) for n in labels]
        drop = 0.1 if config.model.model == "resnet18" else 0.0
        for number, (n, height) in enumerate(zip(labels, heights, strict=True)):
            value = float(height + shared[config.seed] - drop + rng.normal(0, 0.002))
            last = number == len(labels) - 1
            store.finish_round(
                lease,
                RoundRecord(
                    experiment.id, number, n, 0, {"test_accuracy": value, "test_loss": 1 - value}, None, (),
                    {"train": 2.0}, {}, {}, 0.0,
                ),
                None,
                status=ExperimentStatus.FINISHED if last else ExperimentStatus.TRAINING,
            )  # fmt: skip
    return record


def test_what_trains_once_is_no_arm_and_takes_part_in_no_test(store):
    result = study_result(store, measured_study(store).id)
    assert [arm.name for arm in result.arms] == ["random", "margin", "Balanced by truth"]
    assert [(r.kind, r.arm.name) for r in result.references] == [
        ("full", "Full pool"), ("subset", "Random subset"),
    ]  # fmt: skip
    assert {v.arm for v in result.verdicts} == {"margin", "Balanced by truth"}
    assert result.places == [20, 40, 60]


def test_the_summary_says_how_much_of_the_whole_pool_is_reached_seed_by_seed(store):
    result = study_result(store, measured_study(store).id)
    frame = summary_frame(result).set_index("arm")
    margin = next(arm for arm in result.arms if arm.name == "margin")
    tops = result.references[0].arm.values(lambda c: float(c.values[-1]))
    expected = np.mean([margin.curves[seed].at(60) / top for seed, top in tops.items()])
    assert frame.loc["margin", "of_full_pool"] == pytest.approx(expected)
    words = reference_words(result)
    assert words[0].startswith("Full pool: 9") or words[0].startswith("Full pool: 8")
    assert "with 1,000 labels (5 seeds)" in words[0]
    assert words[-1] == f"margin reaches {100 * expected:.1f} % of the full pool with 60 labels."
    text = report_text(result)
    assert "| of the full pool |" in text
    assert f"- {words[-1]}" in text


def test_a_loss_has_no_share_of_the_ceiling(store):
    result = study_result(store, measured_study(store).id, "test_loss")
    assert "of_full_pool" not in summary_frame(result)
    assert len(reference_words(result)) == 2


def test_a_study_without_baselines_says_nothing_of_them(store):
    result = study_result(store, measured_study(store, baselines=()).id)
    assert result.references == ()
    assert reference_words(result) == []
    assert "of_full_pool" not in summary_frame(result)


def test_each_arm_is_compared_with_the_random_that_shares_its_other_options(store):
    axes = {
        "model.model": ["small_cnn", "resnet18"]
    }  # resnet18 is ten points worse here, margin no less good
    record = measured_study(store, baselines=["full", "balanced"], axes=axes)
    result = study_result(store, record.id)
    pairs = {(verdict.arm, verdict.other) for verdict in result.verdicts}
    assert pairs == {
        (f"{name}, model {model}", f"random, model {model}")
        for name in ("margin", "Balanced by truth") for model in axes["model.model"]
    }  # fmt: skip
    assert all("beats random" in v.text for v in result.verdicts if v.arm.startswith("margin"))
    frame = summary_frame(result).set_index("arm")
    assert frame.loc["margin, model resnet18", "saving"] > 0
    assert np.isnan(frame.loc["random, model resnet18", "difference"])
    assert result.baseline_title == "its random"
    single = study_result(store, measured_study(store).id)
    assert (single.baseline_title, single.baseline_of(single.arms[1]).name) == ("random", "random")


def test_where_no_random_run_was_measured_the_first_arm_is_the_baseline(store):
    skip = {("random", seed) for seed in range(5)}
    result = study_result(store, measured_study(store, baselines=["balanced"], skip=skip).id)
    assert {verdict.other for verdict in result.verdicts} == {result.baseline_title} == {"margin"}


def test_without_a_random_arm_all_are_compared_with_the_first(store):
    axes = {"query.strategy": ["margin"], "model.model": ["small_cnn", "resnet18"]}
    result = study_result(store, measured_study(store, baselines=(), axes=axes).id)
    assert [(v.arm, v.other) for v in result.verdicts] == [
        ("margin, model resnet18", "margin, model small_cnn")
    ]
    assert "is behind" in result.verdicts[0].text


def test_each_arm_is_measured_by_the_ceiling_of_its_own_model(store):
    axes = {"model.model": ["small_cnn", "resnet18"]}
    result = study_result(store, measured_study(store, baselines=["full"], axes=axes).id)
    assert {r.arm.name: sorted(r.measures) for r in result.references} == {
        "Full pool, model small_cnn": ["margin, model small_cnn", "random, model small_cnn"],
        "Full pool, model resnet18": ["margin, model resnet18", "random, model resnet18"],
    }
    arm = next(a for a in result.arms if a.name == "margin, model resnet18")
    assert result.full_pool(arm.name).arm.name == "Full pool, model resnet18"
    top = result.full_pool(arm.name).point[1].mean
    assert result.share_of_full_pool(arm, 60).mean == pytest.approx((top - 0.1) / top, abs=0.01)


def test_a_ceiling_that_is_still_being_trained_holds_no_verdict_up(store):
    skip = {("full", seed) for seed in (1, 2, 3, 4)}
    result = study_result(store, measured_study(store, skip=skip).id)
    assert result.done == {0, 1, 2, 3, 4}
    assert result.references[0].point[1].n == 1
    assert len(result.settled.verdicts) == 2
    shares = result.share_of_full_pool(result.arms[1], 60)
    assert shares.n == 1


def test_the_chart_has_the_ceiling_across_it_and_the_subset_as_a_point(store):
    result = study_result(store, measured_study(store).id)
    traces = {t.name: t for t in comparison_figure(result, dark=True).data if t.name}
    full, subset = traces["Full pool (5 seeds)"], traces["Random subset (5 seeds)"]
    assert list(full.x) == [20, 60]
    assert full.y[0] == full.y[1] == pytest.approx(100 * result.references[0].point[1].mean)
    assert list(subset.x) == [60]
    assert subset.error_y.array[0] > 0
    rows = curves_frame(result)
    assert rows.loc[rows["arm"] == "Full pool", "labels"].tolist() == [1000]


def test_baselines_take_no_strategy_s_look():
    assert look_keys(["margin", "margin", "full"]) == ["#0", "#1", "full"]
    assert look_keys(["random", "margin", "balanced", "full", "full"])[2:] == ["balanced", "full", "full#1"]
    assert len({look(key) for key in ("random", "full", "subset", "balanced", "full#1", "balanced#1")}) == 6


def test_groups_of_a_study_tell_baselines_from_arms_too(store):
    record = measured_study(store)
    result = result_of_groups("g", groups_of_study(store, record.id))
    assert [arm.name for arm in result.arms] == ["random", "margin", "Balanced by truth"]
    assert [r.kind for r in result.references] == ["full", "subset"]
    assert result.references[0].measures == {"random", "margin", "Balanced by truth"}
    assert result.places == [20, 40, 60]


def test_a_title_names_the_baseline_and_not_the_strategy_that_it_never_asks():
    assert StudyArm({"query.strategy": "random", "query.baseline": "full"}).title == "Full pool"
    assert StudyArm({"query.strategy": "margin", "query.baseline": "none"}).title == "margin"
