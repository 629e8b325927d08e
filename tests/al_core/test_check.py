import pytest

from al_core.check import check_config, require_valid
from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.errors import ConfigError


def problems(settings, **changes):
    return {p.option: str(p) for p in check_config(ExperimentConfig().changed(**changes), settings)}


def test_the_default_can_run(settings):
    assert problems(settings) == {}
    require_valid(ExperimentConfig(), settings)


@pytest.mark.parametrize(
    ("changes", "option", "said"),
    [
        ({"data__dataset": "digit"}, "data.dataset", "did you mean 'digits'"),
        ({"data__dataset": "folder"}, "data.dataset", "needs a path: folder:PATH"),
        ({"data__dataset": "digits:/x"}, "data.dataset", "takes no path"),
        ({"model__model": "resnet99"}, "model.model", "did you mean"),
        ({"model__pretrained": True}, "model.pretrained", "has no ImageNet weights"),
        ({"query__strategy": "margn"}, "query.strategy", "did you mean 'margin'"),
        ({"query__options": {"zz": 1}}, "query.options.zz", "u_herding has: radius"),
        (
            {"query__strategy": "qbc", "query__committee": "snapshots", "model__frozen": True},
            "query.committee",
            "take bootstrap",
        ),
        ({"query__strategy": "bandit", "query__second": "margin"}, "query.second", "mixes its own arms"),
        (
            {"query__strategy": "bandit", "query__options": {"arms": "margn"}},
            "query.options.arms",
            "did you mean 'margin'",
        ),
        ({"query__second": "margn"}, "query.second", "did you mean 'margin'"),
        ({"query__second": "auto"}, "query.second", "is the strategy itself"),
        (
            {"query__second": "falcun", "query__second_options": {"gama": 1}},
            "query.second_options.gama",
            "did you mean 'gamma'",
        ),
        (
            {"query__second": "falcun", "query__second_options": {"gamma": -1}},
            "query.second_options.gamma",
            "a number from 0 to 100",
        ),
        ({"query__second_options": {"gamma": 1}}, "query.second_options", "no second strategy"),
        ({"query__strategy": "k_center", "query__power": 1}, "query.power", "k_center chooses sets"),
        (
            {"model__model": "resnet18", "query__second": "bald"},
            "query.second",
            "set model.dropout above 0",
        ),
        (
            {"model__model": "resnet18", "query__strategy": "bald"},
            "query.strategy",
            "set model.dropout above 0",
        ),
        ({"stop__patience": 3}, "stop.patience", "needs data.round_validation"),
        ({"stop__target_accuracy": 0.9}, "stop.target_accuracy", "the test split never stops a run"),
        ({"train__early_stopping": 3}, "train.early_stopping", "needs train.labeled_validation"),
        ({"init__init": "import"}, "init.import_labels", "needs the path"),
        ({"query__size_schedule": "rate"}, "query.size_schedule", "round_validation above 0"),
        (
            {"oracle": "truth", "stop__n_rounds": 3, "query__n_new": 20, "query__candidates": 5},
            "query.candidates",
            "up to 20 images; set it to 20 at least",
        ),
        (
            {"query__n_new": 20, "query__candidates": 39},
            "query.candidates",
            "up to 20 images and 20 ahead; set it to 40 at least",
        ),
        (
            {
                "query__size_schedule": "rate",
                "data__round_validation": 0.1,
                "query__max_new": 30,
                "query__ahead": 0,
                "query__candidates": 29,
            },
            "query.candidates",
            "up to 30 images",
        ),
        ({"oracle": "truth", "stop__stable_rounds": 2}, "oracle", "budget or another stop"),
        ({"oracle": "truth"}, "oracle", "set n_rounds, budget or another stop"),
        (
            {"init__init": "random", "init__n_start": 9, "stop__budget": 5},
            "stop.budget",
            "below the initial set",
        ),
    ],
)
def test_a_config_that_cannot_run_is_refused_with_the_way_out(settings, changes, option, said):
    found = problems(settings, **changes)
    assert option in found, found
    assert said in found[option]


def test_a_candidate_cap_as_large_as_the_largest_query_can_be(settings):
    oracle = {"oracle": "truth", "stop__n_rounds": 3, "query__n_new": 20}
    rate = {"query__size_schedule": "rate", "data__round_validation": 0.1}
    assert problems(settings, **oracle, query__candidates=20) == {}
    assert problems(settings, **oracle, **rate, query__candidates=200) == {}
    assert problems(settings, **oracle, **rate, query__max_new=5, query__candidates=20) == {}
    assert problems(settings, query__n_new=20, query__candidates=40) == {}
    assert problems(settings, query__n_new=20, query__ahead=3, query__candidates=23) == {}
    assert problems(settings, query__n_new=20, stop__n_rounds=2, query__candidates=20) == {}
    balanced = oracle | {"query__baseline": "balanced"}  # looks at all of the pool
    assert problems(settings, **balanced, query__candidates=5) == {}


def test_dropout_strategies_run_on_models_that_have_dropout(settings):
    assert problems(settings, query__strategy="bald") == {}
    assert problems(settings, query__strategy="bald", model__model="resnet18", model__dropout=0.3) == {}


def test_several_problems_are_told_at_once(settings):
    with pytest.raises(ConfigError) as caught:
        require_valid(ExperimentConfig().changed(model__model="x", query__strategy="y"), settings)
    assert {p.option for p in caught.value.problems} == {"model.model", "query.strategy"}


def test_what_a_prepared_data_set_says_counts_too(settings, tmp_path):
    prepare(settings, DataConfig())
    assert "below the initial set of 2 x 10 = 20" in problems(settings, stop__budget=15)["stop.budget"]


def test_unlabeled_pictures_need_a_person(settings, tmp_path):
    from PIL import Image

    folder = tmp_path / "plain"
    folder.mkdir()
    for i in range(12):
        Image.new("RGB", (20, 20), (i * 20, 0, 0)).save(folder / f"{i}.png")
    data = f"folder:{folder}"
    prepare(settings, DataConfig(dataset=data), classes=["a", "b"])
    found = problems(
        settings, data__dataset=data, oracle="truth", stop__n_rounds=2, data__round_validation=0.1
    )
    assert set(found) == {"oracle", "init.init", "data.round_validation"}
    assert problems(settings, data__dataset=data, init__init="random") == {}
