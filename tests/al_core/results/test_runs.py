"""Runs from the store and from folders, grouped by configuration."""

import json
from dataclasses import replace

import numpy as np
import pytest

from al_core.config import ExperimentConfig
from al_core.errors import ConfigError, DataError
from al_core.records import ExperimentStatus, RoundRecord
from al_core.results.analysis import METRICS
from al_core.results.averages import averages_frame, results, results_json, runs_frame
from al_core.results.runs import (
    Run,
    flat,
    groups,
    groups_of_study,
    metric_named,
    option_path,
    result_of_groups,
    runs_in_folders,
    runs_named,
)
from al_core.store import open_store
from tests.al_core.results.test_study_report import HEIGHTS, measured_study


def rounds(values, start=20, step=20):
    return tuple(
        RoundRecord(
            "r", n, start + step * n, 0, {"test_accuracy": v, "test_loss": 1 - v}, None, (), {"train": 2.0},
            {}, {}, 0.0,
        )
        for n, v in enumerate(values)
    )  # fmt: skip


def run(values, name="run", **changes):
    config = ExperimentConfig().changed(name=name, **changes)
    return Run(f"{name}-{config.hash()[:4]}", name, flat(config), rounds(values))


def test_runs_that_differ_in_the_seed_alone_are_one_configuration():
    found = groups([run([0.5], seed=s, query__strategy=q) for s in (3, 1, 2) for q in ("margin", "random")])
    assert [group.title for group in found] == ["margin", "random"]
    assert [list(group.runs) for group in found] == [[1, 2, 3], [1, 2, 3]]


def test_name_device_and_threads_make_no_configuration_of_their_own():
    one, other = run([0.5], name="a"), run([0.6], name="b", seed=1, train__device="cpu", train__threads=1)
    (group,) = groups([one, other])
    assert group.title == "u_herding"
    assert len(group.runs) == 2


def test_of_two_runs_of_one_seed_the_newer_stands():
    (group,) = groups([run([0.5], name="old"), run([0.6], name="new")])
    assert group.runs[0].name == "new"


def test_titles_say_what_differs_and_labels_say_what_was_asked_for():
    some = [run([0.5], query__n_new=n, train__augment=a) for n in (10, 20) for a in (True, False)]
    assert [g.title for g in groups(some)] == [
        "augment True, n_new 10", "augment False, n_new 10",
        "augment True, n_new 20", "augment False, n_new 20",
    ]  # fmt: skip
    titles = [g.title for g in groups(some, ["query.n_new"])]
    assert titles[0] == "n_new 10 (augment True)"  # a label that does not tell them apart is completed
    assert len(set(titles)) == 4


def test_a_label_that_is_the_seed_gives_every_seed_a_curve():
    found = groups([run([0.5], seed=s) for s in (0, 1)], ["seed"])
    assert [g.title for g in found] == ["seed 0", "seed 1"]


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("query_strategy", "query.strategy"), ("-qs", "query.strategy"), ("query.strategy", "query.strategy"),
        ("n_new", "query.n_new"), ("--data-aug", "train.augment"), ("lr", "train.learning_rate"),
        ("init_sampling_seed", "seed"), ("valid_size_2", "data.round_validation"),
        ("pretrained", "model.pretrained"),
    ],
)  # fmt: skip
def test_an_option_is_found_by_each_of_its_names(word, path):
    assert option_path(word) == path


def test_an_option_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'query_strategy'"):
        option_path("query_strategi")


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("accuracy", "test_accuracy"), ("Macro F1", "test_macro_f1"), ("test_ece", "test_ece"),
        ("Validation-2 Accuracy Coordinates", "validation_accuracy"), ("Final Test Score", "test_accuracy"),
    ],
)  # fmt: skip
def test_a_metric_is_found_by_each_of_its_names(word, key):
    assert metric_named(word).key == key


def test_every_metric_is_found_by_its_key_and_title():
    assert all(metric_named(m.key) is m and metric_named(m.title) is m for m in METRICS)
    with pytest.raises(ConfigError, match="one of test_accuracy"):
        metric_named("beauty")


def test_averages_are_means_and_sample_deviations_over_seeds():
    values = {0: [0.5, 0.7], 1: [0.6, 0.65], 2: [0.55, 0.9]}
    found = groups([run(v, seed=s) for s, v in values.items()] + [run([0.1], query__strategy="random")])
    frame = averages_frame(found).set_index(["configuration", "labels"])
    row = frame.loc[("u_herding", 40)]
    assert row["seeds"] == 3
    assert row["test_accuracy_mean"] == pytest.approx(np.mean([0.7, 0.65, 0.9]))
    assert row["test_accuracy_deviation"] == pytest.approx(np.std([0.7, 0.65, 0.9], ddof=1))
    assert row["train_seconds_mean"] == 2.0
    alone = frame.loc[("random", 20)]
    assert alone["seeds"] == 1
    assert np.isnan(alone["test_accuracy_deviation"])
    assert len(runs_frame(found)) == 7


def test_a_round_that_was_trained_again_at_the_same_labels_counts_once_and_the_later_one():
    again = rounds([0.5, 0.7]) + rounds([0.8], start=40)  # labels were corrected, none was added
    one = replace(run([0.0], seed=0), rounds=tuple(again))
    row = averages_frame(groups([one, run([0.5, 0.6], seed=1)])).set_index("labels").loc[40]
    assert row["seeds"] == 2
    assert row["test_accuracy_mean"] == pytest.approx(0.7)
    alone = averages_frame(groups([one])).set_index("labels").loc[40]
    assert (alone["seeds"], alone["test_accuracy_mean"]) == (1, 0.8)
    assert alone["test_accuracy_deviation"] is None


def test_results_are_json_with_every_run_and_its_averages():
    found = groups([run([0.5, 0.7], seed=s) for s in (0, 1)])
    body = json.loads(results_json(found, "mine"))
    (one,) = body["configurations"]
    assert [r["seed"] for r in one["runs"]] == [0, 1]
    assert one["options"]["query.strategy"] == "u_herding"
    assert [a["labels"] for a in one["averages"]] == [20, 40]
    assert one["averages"][0]["test_accuracy_deviation"] == 0
    assert results([], "none")["configurations"] == []


def test_a_comparison_of_runs_says_what_a_study_s_says(settings):
    store = open_store(settings)
    record = measured_study(store, HEIGHTS)
    by_study = result_of_groups("Test", groups_of_study(store, record.id))
    by_name = result_of_groups("Test", groups(runs_named(store, "Test: ")))
    assert [v.text for v in by_name.verdicts] == [v.text for v in by_study.verdicts]
    assert by_study.verdicts
    assert by_study.done == frozenset(range(5))
    assert runs_named(store, "nobody") == []
    store.close()


def test_each_configuration_is_compared_with_the_random_one_that_shares_its_further_options():
    """As in a study: one random alone is the baseline of all."""
    strategies = {"random": [0.5, 0.6], "margin": [0.5, 0.7]}
    some = [
        run([v + s / 100 for v in values], seed=s, query__strategy=name, model__model=model)
        for model in ("small_cnn", "resnet18") for name, values in strategies.items() for s in (0, 1)
    ]  # fmt: skip
    beside = run([0.4, 0.5], query__strategy="margin", model__model="squeezenet1_1")
    result = result_of_groups("side by side", groups([*some, beside]))
    assert {(v.arm, v.other) for v in result.verdicts} == {
        ("margin, model small_cnn", "random, model small_cnn"),
        ("margin, model resnet18", "random, model resnet18"),
    }
    assert result.baseline_title == "its random"
    assert result.left_out == [
        "No verdict on margin, model squeezenet1_1: "
        "no random one that is compared has the same further options."
    ]
    single = result_of_groups("side by side", groups([*some[:4], beside]))
    assert {(v.arm, v.other) for v in single.verdicts} == {
        (f"margin, model {model}", "random, model small_cnn") for model in ("small_cnn", "squeezenet1_1")
    }
    assert single.left_out == []


def test_an_arm_without_a_round_is_there_without_runs(settings):
    store = open_store(settings)
    record = measured_study(store, HEIGHTS, seeds=1)
    for cell in store.study_experiments(record.id)[2:]:
        store.update_experiment(cell.id, status=ExperimentStatus.FAILED)
    known = groups_of_study(store, record.id, rounds_of=lambda e: store.rounds(e.id) if e.cell < 2 else ())
    assert [len(g.runs[0].rounds) > 0 for g in known] == [True, True, False, False]
    assert len(result_of_groups("x", known).measured) == 2
    store.close()


SEED_FILE = {
    "Initialization": {"model": "SqueezeNet11", "query_strategy": "margin_sampling", "n_new": 100, "lr": 1e-4,
                       "init_sampling_seed": 2021},
    "Query Instances": [0, 100, 200],
    "Validation-2 Accuracy Coordinates": [[0, 0.3], [100, 0.35], [200, 0.4]],
    "Final Test Score": 0.41,
    "Labels History": {"cat": [50, 90, 150], "dog": [50, 110, 150]},
}  # fmt: skip


def test_the_first_seed_s_own_records_are_read(tmp_path):
    for name, strategy in (
        ("qs-margin", "margin_sampling"),
        ("qs-random", "random_sampling"),
        ("other", "x"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        body = {**SEED_FILE, "Initialization": {**SEED_FILE["Initialization"], "query_strategy": strategy}}
        (folder / "records.json").write_text(json.dumps(body))
    found = groups(runs_in_folders(str(tmp_path / "qs-")), [option_path("query_strategy")])
    assert [g.title for g in found] == ["margin_sampling", "random_sampling"]
    assert list(found[0].runs) == [2021]
    rounds_ = found[0].runs[2021].rounds
    assert [r.num_labeled for r in rounds_] == [100, 200, 300]
    assert [r.metrics["validation_accuracy"] for r in rounds_] == [0.3, 0.35, 0.4]
    assert rounds_[-1].metrics["test_accuracy"] == 0.41
    assert len(runs_in_folders(str(tmp_path))) == 3  # a folder of runs


def test_a_folder_that_holds_something_else_is_refused_by_name(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "records.json").write_text('{"rounds": 3}')
    with pytest.raises(DataError, match="leave the folder out"):
        runs_in_folders(str(tmp_path / "a"))


def test_runs_side_by_side_are_warned_of_as_a_study_s_are():
    """Other machines, other data, and more validation images than labels."""

    def warnings(*some, num_train=None):
        return result_of_groups("side by side", groups(list(some)), num_train=num_train).caveats

    def on(device, **more):
        made = run([0.5, 0.6], **more)
        told = tuple(replace(r, manifest={"device": device}) for r in made.rounds)
        return replace(made, rounds=told)

    assert warnings(on("cpu"), on("cpu", seed=1), num_train=1000) == ()
    (said,) = warnings(on("cpu"), on("NVIDIA H100", seed=1))
    assert "the device (cpu; NVIDIA H100)" in said
    (said,) = warnings(on("cpu"), on("cpu", data__dataset="shapes"))
    assert "2 data sets" in said
    held = on("cpu", data__epoch_validation=0.2)
    (said,) = warnings(held, num_train=1000)
    assert said.startswith("200 validation images")
    assert warnings(held) == ()
