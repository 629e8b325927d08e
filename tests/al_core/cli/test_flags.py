import argparse
import json

import pytest

from al_core.cli.flags import add_option_flags, config_from, read_config
from al_core.config import ExperimentConfig, options
from al_core.errors import ConfigError


def parse(*argv, base=None):
    parser = argparse.ArgumentParser()
    add_option_flags(parser)
    return config_from(parser.parse_args(argv), base or ExperimentConfig())


def test_nothing_given_is_the_base():
    base = ExperimentConfig().changed(seed=5, query__strategy="entropy")
    assert parse(base=base) == base


def test_every_option_can_be_set_by_its_flag():
    samples = {
        "init.import_labels": "a.csv", "data.image_size": "32", "train.learning_rate": "0.01",
        "stop.n_rounds": "4", "train.early_stopping": "3", "train.threads": "1", "query.candidates": "10",
        "stop.budget": "9", "stop.patience": "2", "stop.target_accuracy": "0.5", "init.init": "random",
        "init.new_classes": "add",
        "model.stem": "small", "train.optimizer": "sgd", "train.schedule": "cosine", "train.start": "warm",
        "train.precision": "fp32", "train.device": "cpu", "oracle": "truth", "query.options": "a=1",
        "query.second_options": "a=1", "query.size_schedule": "rate", "query.baseline": "full",
        "stop.agreement": "0.9", "stop.class_change": "0.01", "stop.stop_images": "50",
        "query.committee": "heads", "query.features": "pixels", "answers.noise_rate": "0.3",
        "answers.noise_matrix": "m.csv", "answers.recorded_file": "r.csv", "answers.recorded_column": "c",
    }  # fmt: skip
    for option in options():
        value = samples.get(option.path, "0.25" if isinstance(option.default, float) else "7")
        if option.annotation is bool:
            value = "false" if option.default else "true"
        elif option.annotation is str and option.path not in samples:
            value = "other"
        config = parse(option.flag, value).model_dump()
        place = config[option.section] if option.section else config
        assert place[option.name] != option.default, option.path


@pytest.mark.parametrize(
    ("argv", "path", "value"),
    [
        (["--n_start", "3"], ("init", "n_start"), 3),
        (["-ns", "3"], ("init", "n_start"), 3),
        (["--query_strategy", "least_confident"], ("query", "strategy"), "least_confident"),
        (["-qs", "margin_sampling"], ("query", "strategy"), "margin_sampling"),
        (["--model", "SqueezeNet11"], ("model", "model"), "squeezenet1_1"),
        (["-m", "ResNet34"], ("model", "model"), "resnet34"),
        (["-pt"], ("model", "pretrained"), True),
        (["--pretrained", "True"], ("model", "pretrained"), True),
        (["--data_aug", "False"], ("train", "augment"), False),
        (["--no-augment"], ("train", "augment"), False),
        (["--learning_rate", "1e-4"], ("train", "learning_rate"), 1e-4),
        (["--batch_size", "50"], ("train", "batch_size"), 50),
        (["--n_rounds", "none"], ("stop", "n_rounds"), None),
        (["--patience", "4"], ("stop", "patience"), 4),
        (["--second-option", "gamma=2.5"], ("query", "second_options"), {"gamma": 2.5}),
        (["--option", "n=3", "--option", "kind=cosine"], ("query", "options"), {"n": 3, "kind": "cosine"}),
    ],
)
def test_both_spellings_and_the_first_seeds_names_work(argv, path, value):
    config = parse(*argv).model_dump()
    assert config[path[0]][path[1]] == value


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--epochs", "0"], r"--epochs: '0' is refused; should be greater than or equal to 1"),
        (["--epochs", "many"], r"--epochs: 'many' is refused"),
        (["--pretrained", "perhaps"], r"--pretrained: 'perhaps' is refused"),
        (["--optimizer", "rmsprop"], r"--optimizer: 'rmsprop' is refused; should be 'adam' or 'sgd'"),
        (["--device", "tpu"], r"--device: 'tpu' is refused"),
        (["--option", "n"], r"--option: 'n' is refused; has the form NAME=VALUE"),
    ],
)
def test_a_refused_flag_is_named_as_it_was_typed(argv, said):
    with pytest.raises(ConfigError, match=said):
        parse(*argv)


def test_a_manifest_repeats_its_config_and_flags_go_on_top(tmp_path):
    config = ExperimentConfig().changed(seed=9, query__strategy="entropy", stop__budget=50)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"config": config.model_dump(mode="json"), "askwell": "0"}))
    assert read_config(path) == config
    assert parse("--seed", "10", base=read_config(path)) == config.changed(seed=10)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"config": {"zz": 1}}', '{"config": 5}'])
def test_a_file_that_is_no_config_is_refused(tmp_path, text):
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        read_config(path)
