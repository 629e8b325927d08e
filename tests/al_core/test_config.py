import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.config import ExperimentConfig, options
from al_core.errors import ConfigError


def test_a_config_survives_its_json():
    config = ExperimentConfig().changed(
        query__strategy="entropy", stop__budget=120, train__learning_rate=1e-3
    )
    assert ExperimentConfig.from_json(config.to_json()) == config


def test_every_refused_option_is_named_with_its_value_and_what_is_allowed():
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.parse({"train": {"epochs": 0, "optimizer": "rmsprop"}, "stop": {"patience": "x"}})
    texts = [str(problem) for problem in caught.value.problems]
    assert [p.option for p in caught.value.problems] == ["train.epochs", "train.optimizer", "stop.patience"]
    assert "0 is refused" in texts[0]
    assert "greater than or equal to 1" in texts[0]
    assert "'adam' or 'sgd'" in texts[1]


def test_an_unknown_option_is_refused_not_ignored():
    with pytest.raises(ConfigError, match=r"train\.lr: 3 is refused; there is no such option"):
        ExperimentConfig.parse({"train": {"lr": 3}})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1])
def test_numbers_that_no_optimiser_can_use_are_refused(value):
    with pytest.raises(ConfigError, match="learning_rate"):
        ExperimentConfig().changed(train__learning_rate=value)


def test_the_hash_ignores_the_name_and_nothing_else():
    config = ExperimentConfig()
    assert config.changed(name="other").hash() == config.hash()
    changed = {config.changed(seed=1).hash(), config.changed(train__epochs=51).hash()}
    assert len(changed | {config.hash()}) == 3


def test_every_option_has_a_label_and_help_and_flags_are_not_shared():
    seen: dict[str, str] = {}
    for option in options():
        assert option.label, option.path
        assert option.help.endswith("."), option.path
        for flag in {option.flag, *option.flags}:
            assert seen.setdefault(flag, option.path) == option.path
    assert {
        "-m",
        "-d",
        "-ns",
        "-nn",
        "-e",
        "-qs",
        "-en",
        "-p",
        "-b",
        "-lr",
        "-wd",
        "-pt",
        "-da",
        "-nr",
        "-s",
    } <= set(seen)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["seed", "train", "epochs", "zz"]), x),
        max_leaves=6,
    )
)
def test_any_json_is_read_or_refused_but_never_crashes(value):
    values = value if isinstance(value, dict) else {"train": value}
    refused = ()
    try:
        config = ExperimentConfig.parse(values)
    except ConfigError as error:
        refused = error.problems
    assert refused or json.loads(config.to_json())["seed"] == config.seed
