"""The command that repeats a run gives its config back when the command line reads it."""

import argparse
import functools
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_core.cli import run as run_command_line
from al_core.cli.flags import config_from
from al_core.config import ExperimentConfig
from al_core.results.repeat import differing, run_command, study_command, study_file
from al_core.study import StudyConfig


@functools.cache
def parser():
    made = argparse.ArgumentParser()
    run_command_line.add_parser(made.add_subparsers())
    return made


def read(command):
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "al_core"]
    return config_from(parser().parse_args(words[3:]), ExperimentConfig()).changed(oracle="truth")


@settings(deadline=None, max_examples=40)
@given(
    name=st.text(min_size=1, max_size=20),
    seed=st.integers(0, 2**32 - 1),
    rate=st.none() | st.floats(1e-6, 1),
    flags=st.tuples(st.booleans(), st.booleans()),
    size=st.integers(1, 1000),
    rounds=st.none() | st.integers(1, 50),
    power=st.floats(0, 10),
)
def test_a_run_s_command_repeats_its_config(name, seed, rate, flags, size, rounds, power):
    config = ExperimentConfig().changed(
        name=name, seed=seed, oracle="truth", train__learning_rate=rate, train__augment=flags[0],
        model__pretrained=flags[1], query__n_new=size, stop__n_rounds=rounds, query__power=power,
    )  # fmt: skip
    assert read(run_command(config, "again")) == config


def test_options_of_the_strategy_are_repeated():
    config = ExperimentConfig().changed(oracle="truth", query__options={"a": 0.5, "b": "x y", "c": True})
    assert read(run_command(config, "again")) == config
    assert "query.options" in differing(config)


def test_options_of_both_strategies_are_repeated_each_as_its_own():
    config = ExperimentConfig().changed(
        oracle="truth",
        query__options={"k": 3},
        query__second="k_center",
        query__second_options={"k": 5, "b": "x y"},
    )
    assert read(run_command(config, "again")) == config


def test_a_default_config_is_repeated_by_a_bare_command():
    assert run_command(ExperimentConfig(), "again") == "python -m al_core run --out again"


@pytest.mark.parametrize("seeds", [[2021], [0, 1, 2]])
def test_a_study_s_file_repeats_it(seeds):
    study = StudyConfig.parse({"base": ExperimentConfig().changed(stop__n_rounds=2), "seeds": seeds})
    assert StudyConfig.from_json(study_file(study.to_json())) == study
    assert study_command("it's mine.json", "x") == "python -m al_core study 'it'\"'\"'s mine.json' --out x"
