"""Studies by name: the seeds' batches with their settings, and the protocol of a paper."""

import pytest

from al_core.data.changes import Draws
from al_core.data.sources.cifar import AUGMENTATION
from al_core.study import StudyConfig, check_study
from al_core.study_presets import STUDY_PRESETS, study_preset


def study(name):
    return StudyConfig.parse(study_preset(name).values)


@pytest.mark.parametrize("preset", STUDY_PRESETS, ids=lambda preset: preset.name)
def test_every_preset_can_run(preset, settings):
    config = StudyConfig.parse(preset.values)
    assert check_study(config, settings) == []
    assert len({cell.config.hash() for cell in config.cells()}) == config.num_cells
    assert len({arm.title for arm in config.arms()}) == len(config.arms())


@pytest.mark.parametrize("batch", ["", "-generalization", "-pretraining"])
def test_the_first_seed_s_batches_have_its_settings(batch):
    squeezenet, resnet = study(f"sherbrooke{batch}"), study(f"sherbrooke{batch}-emnist")
    for config, dataset, model, n_start, n_new, queries in (
        (squeezenet, "cifar10", "squeezenet1_1", 100, 100, 20),
        (resnet, "emnist_balanced", "resnet18", 50, 1000, 10),
    ):
        base = config.base
        assert config.seeds == (2021,)
        assert (base.data.dataset, base.model.model, base.init.n_start) == (dataset, model, n_start)
        assert (base.query.n_new, base.stop.n_rounds, base.stop.patience) == (n_new, queries + 1, 3)
        assert (base.train.epochs, base.train.batch_size, base.train.learning_rate) == (10, 50, 1e-4)
        assert (base.data.epoch_validation, base.data.round_validation) == (0.2, 0.2)
        assert (base.train.start, base.train.schedule, base.train.min_steps) == ("warm", "constant", 0)


def test_generalization_pairs_augmentation_with_weight_decay():
    found = [
        (c.config.train.augment, c.config.train.weight_decay)
        for c in study("sherbrooke-generalization").cells()
    ]
    assert found == [(False, 0.0), (True, 0.0), (True, 0.001), (True, 0.005), (True, 0.008)]


def test_pretraining_and_query_strategies_keep_its_regularisation():
    pretraining, strategies = study("sherbrooke-pretraining").cells(), study("sherbrooke").cells()
    assert [c.config.model.pretrained for c in pretraining] == [False, True]
    assert [c.config.query.strategy for c in strategies] == [
        "random",
        "least_confidence",
        "margin",
        "entropy",
    ]
    for cell in (*pretraining, *strategies):
        assert (cell.config.train.augment, cell.config.train.weight_decay) == (True, 0.005)
    assert {c.config.query.strategy for c in pretraining} == {"least_confidence"}


def test_the_first_seed_s_four_changes_are_among_the_augmentation_of_cifar():
    assert AUGMENTATION.horizontal_flip
    assert (AUGMENTATION.rotation_degrees, AUGMENTATION.contrast, AUGMENTATION.hue) == (15.0, 0.1, 0.1)
    assert {"flip", "angle", "contrast", "hue"} <= set(Draws.__annotations__)


def test_a_paper_s_protocol_is_the_honest_one():
    config = study("paper")
    train, stop, data = config.base.train, config.base.stop, config.base.data
    assert len(config.seeds) >= 5
    assert "random" in config.axes["query.strategy"]
    assert (train.start, train.early_stopping, train.labeled_validation) == ("cold", None, 0.0)
    assert train.min_steps > 0
    assert train.augment
    assert (stop.patience, data.epoch_validation, data.round_validation) == (None, 0.0, 0.0)


def test_the_second_seed_s_grid_is_strategies_by_query_sizes_by_seeds():
    config = study("dalmax")
    assert (config.num_cells, config.seeds) == (90, (1, 2, 3))
    assert config.axes["query.n_new"] == (10, 50, 100)
