import pytest

from al_core.config import options
from al_core.errors import ConfigError
from al_core.study import Bundle, StudyConfig
from al_core.study_presets import STUDY_PRESETS
from state import handles, study_form
from state.text import value_words

OPTIONS = {option.path: option for option in options()}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    handles.settings.cache_clear()
    yield
    handles.settings.cache_clear()


def compose(axes, strategies=("random", "margin"), rounds=3, budget=None):
    return study_form.compose(
        {}, name="s", strategies=strategies, axes=axes, seeds=(0,), rounds=rounds, budget=budget, size=5
    )


@pytest.mark.parametrize(
    ("path", "words", "value"),
    [
        ("train.augment", "on", True),
        ("train.augment", "off", False),
        ("train.weight_decay", "0.001", 0.001),
        ("query.n_new", "1,000", 1000),
        ("query.candidates", "not set", None),
        ("train.learning_rate", "not set", None),
        ("query.n_new", "many", "many"),
        ("model.model", "resnet18", "resnet18"),
    ],
)
def test_words_become_values(path, words, value):
    found = study_form.value_of(OPTIONS[path], words)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("path", sorted(study_form.axis_options()))
def test_every_option_can_be_an_axis_and_its_default_is_read_back(path):
    option = OPTIONS[path]
    offered, others = study_form.offered(option)
    assert others or value_words(option.default) in offered
    assert study_form.value_of(option, value_words(option.default)) == option.default


def test_bundles_are_lines_and_lines_are_bundles():
    bundles = (
        Bundle(name="none"),
        Bundle(name="aug, 0.001", options={"train.augment": True, "train.weight_decay": 0.001}),
    )
    text = study_form.bundle_lines(bundles)
    assert text == "none\naug, 0.001: train.augment=on, train.weight_decay=0.001"
    assert study_form.read_bundles(text + "\n\n") == bundles


@pytest.mark.parametrize("line", [": train.augment=on", "a: train.augment", "x" * 61])
def test_a_bundle_that_cannot_be_read_is_refused(line):
    with pytest.raises(ConfigError, match="has the form"):
        study_form.read_bundles(line)


def test_what_an_axis_s_values_cannot_be_is_said():
    for axes, option in (
        ({"query.n_new": (5, 0)}, "query.n_new"),
        ({"train.epochs": (3, "many")}, "train.epochs"),
        ({"model.model": ("small_cnn", "resnet99")}, "model.model"),
        ({"reg": study_form.read_bundles("a: train.augmnt=on")}, "axes.reg.train.augmnt"),
        ({"train.augment": ()}, "axes.train.augment"),
    ):
        _, problems = compose(axes)
        assert [p.option for p in problems] == [option], problems


def test_one_strategy_beside_other_axes_is_a_setting_and_no_axis():
    study, problems = compose({"train.augment": (False, True)}, strategies=("margin",))
    assert problems == []
    assert (list(study.axes), study.base.query.strategy) == (["train.augment"], "margin")
    assert [arm.title for arm in study.arms()] == ["augment False", "augment True"]


def test_words_count_combinations_and_their_labels():
    study, _ = compose({"query.n_new": (5, 10)}, rounds=3)
    assert study_form.plan_words(study).startswith("4 combinations × 1 seed = 4 runs, 30 to 40 labels each")
    study, _ = compose({"query.n_new": (5, 10)}, rounds=None, budget=60)
    assert study_form.plan_words(study).startswith("4 combinations × 1 seed = 4 runs, about 60 labels each")


def test_a_data_set_that_is_not_prepared_is_named_where_it_is_an_axis():
    _, problems = compose({"data.dataset": ("digits", "cifar10")})
    assert [(p.option, p.value) for p in problems] == [("data.dataset", "cifar10")]


@pytest.mark.parametrize("preset", STUDY_PRESETS, ids=lambda preset: preset.name)
def test_a_study_file_reads_back_also_as_the_command_line_kept_it(preset):
    study = StudyConfig.parse(preset.values)
    assert StudyConfig.parse(study_form.read_file(study.to_json().encode())) == study
    kept = f'{{"study": "abc", "config": {study.to_json()}}}'
    assert StudyConfig.parse(study_form.read_file(kept.encode())) == study


@pytest.mark.parametrize("data", [b"[]", b"\xff", b"{", b" " * 300_000])
def test_what_is_no_study_file_is_refused(data):
    with pytest.raises(ConfigError, match="a study file is needed"):
        study_form.read_file(data)
