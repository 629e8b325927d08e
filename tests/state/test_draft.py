import json

import pytest

from al_core import presets
from al_core.config import ExperimentConfig
from al_core.errors import ConfigError
from state import draft, starting


@pytest.mark.parametrize("preset", [preset.name for preset in presets.PRESETS])
def test_a_preset_survives_the_way_through_the_fields(preset):
    config = presets.apply(ExperimentConfig(), preset)
    again, problems = draft.read(draft.flat(config))
    assert again == config
    assert problems == []


def test_a_refused_value_is_named_by_its_path_so_that_it_stands_beside_its_field():
    values = draft.flat(ExperimentConfig()) | {"train.epochs": 0, "query.n_new": -3}
    config, problems = draft.read(values)
    assert config is None
    assert draft.of_path(problems, "train.epochs")[0].value == 0
    assert len(draft.of_path(problems, "query")) == 1
    assert draft.problem_words(problems) == "2 settings to put right"


def test_a_config_file_reads_back_as_it_was_written():
    config = presets.apply(ExperimentConfig(), "paper")
    assert draft.from_file(draft.to_file(config).encode()) == config


@pytest.mark.parametrize("data", [b"", b"[1]", b"\xff\xfe", b"{" * 50_000, b"x" * 70_000, b'{"seed": -1}'])
def test_a_file_that_is_no_config_is_refused_in_words(data):
    with pytest.raises(ConfigError) as refused:
        draft.from_file(data)
    assert refused.value.problems


def test_an_unknown_option_in_a_file_is_named():
    data = json.dumps({"train": {"epoch": 3}}).encode()
    with pytest.raises(ConfigError, match=r"train\.epoch"):
        draft.from_file(data)


def test_the_plan_counts_labels_rounds_and_a_persons_time():
    config = ExperimentConfig().changed(stop__n_rounds=10)  # 2 of each class, 20 a round
    plan = draft.plan(config, 10)
    assert (plan.initial, plan.labels, plan.rounds, plan.by_hand) == (20, 200, 10, 180)
    assert plan.words == "20 to begin with + 9 × 20 = 200 labels, about 4 min of your time"


def test_the_plan_is_bounded_by_what_ends_first_and_truth_takes_nobodys_time():
    config = ExperimentConfig().changed(stop__n_rounds=10, stop__budget=50, oracle="truth")
    plan = draft.plan(config, 10)
    assert (plan.labels, plan.rounds, plan.by_hand) == (50, 3, 0)


def test_a_plan_without_an_end_says_so():
    assert "until you stop" in draft.plan(ExperimentConfig(), 10).words
    assert draft.plan(ExperimentConfig(), None).initial is None


def test_the_story_is_twenty_digits_and_then_twenty_by_hand():
    config = starting.story_config()
    plan = draft.plan(config, 10)
    assert (config.data.dataset, config.query.strategy, config.oracle) == ("digits", "margin", "human")
    assert (plan.initial, config.query.n_new) == (20, 20)


def test_a_baseline_that_trains_once_is_one_round():
    config = ExperimentConfig().changed(oracle="truth", stop__n_rounds=5, query__baseline="subset")
    found = draft.plan(config, 10)
    assert (found.rounds, found.labels, found.by_hand) == (1, 20 + 4 * 20, 0)
    full = draft.plan(config.changed(query__baseline="full"), 10)
    assert (full.rounds, full.labels) == (1, None)
