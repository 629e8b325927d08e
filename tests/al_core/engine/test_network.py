"""Networks on disk, and what they see."""

import json

import numpy as np
import pytest
import torch

from al_core.engine.device import choose
from al_core.engine.inference import predict
from al_core.engine.network import FROZEN_MIN_SIZE, NetworkSpec, build_module, load_network
from al_core.errors import ModelError


def test_a_saved_network_predicts_the_same(train, config, dataset, tmp_path):
    """Defect 4 of the second seed: the saved model held no weights."""
    network = train(config)
    network.save(tmp_path / "w.safetensors")
    again = load_network(tmp_path / "w.safetensors", config.train)
    assert again.state_hash() == network.state_hash()
    assert again.spec == network.spec
    assert again.facts == network.facts
    ids = np.arange(40)
    np.testing.assert_array_equal(
        predict(again, dataset.test, ids).probs, predict(network, dataset.test, ids).probs
    )


def test_saving_twice_gives_the_same_bytes_and_leaves_nothing_else(train, config, tmp_path):
    network = train(config)
    for name in ("a", "b"):
        network.save(tmp_path / "out" / name)
    assert (tmp_path / "out" / "a").read_bytes() == (tmp_path / "out" / "b").read_bytes()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a", "b"]


def test_what_is_not_a_network_is_refused_in_words(tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ModelError, match="cannot be read as weights"):
        load_network(tmp_path / "text")
    with pytest.raises(ModelError, match="cannot be read as weights"):
        load_network(tmp_path / "absent")
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "other")
    with pytest.raises(ModelError, match="not a network"):
        load_network(tmp_path / "other")


def test_the_hash_sees_every_buffer_and_no_memory_layout(train, config):
    network = train(config)
    before = network.state_hash()
    network.module.to(memory_format=torch.contiguous_format)
    assert network.state_hash() == before
    with torch.no_grad():
        network.module.classifier.trunk[1].running_mean[0] += 1e-3
    assert network.state_hash() != before


def test_building_leaves_the_global_random_state_alone(config, dataset):
    state = torch.random.get_rng_state()
    build_module(NetworkSpec.of(config, dataset, 0), choose(config.train))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_models_see_the_size_that_was_asked_for(config, dataset):
    """The option once reached no model at all."""
    for asked, seen in ((None, dataset.image_size), (16, 16), (32, 32)):
        spec = NetworkSpec.of(config.changed(data__image_size=asked), dataset, 0)
        assert spec.image_size == seen
        module = build_module(spec, choose(config.train))
        assert module.prepare(torch.rand(2, 3, 8, 8)).shape == (2, 3, seen, seen)
    frozen = config.changed(model__model="squeezenet1_1", model__pretrained=True, model__frozen=True)
    assert NetworkSpec.of(frozen, dataset, 0).image_size == FROZEN_MIN_SIZE
    assert NetworkSpec.of(frozen.changed(data__image_size=48), dataset, 0).image_size == 48


@pytest.mark.parametrize("model", ["small_cnn", "fast_net"])
def test_small_models_take_pictures_of_every_size_from_8_to_64(model, config, dataset):
    """Small CNN once refused 12 to 15 pixels, with torch's words."""
    plan = choose(config.train)
    for size in range(8, 65):
        asked = config.changed(model__model=model, data__image_size=size)
        spec = NetworkSpec.of(asked, dataset, 0)
        module = build_module(spec, plan).eval()
        with torch.inference_mode():
            assert module(torch.rand(1, 3, 8, 8)).shape == (1, len(spec.classes))


def test_a_spec_survives_its_text(config, dataset):
    spec = NetworkSpec.of(config, dataset, 2)
    assert NetworkSpec.from_json(spec.to_json()) == spec
    assert json.loads(spec.to_json())["model"] == "small_cnn"


def test_images_are_normalised_inside(config, dataset):
    module = build_module(NetworkSpec.of(config, dataset, 0), choose(config.train))
    seen = module.prepare(torch.full((1, 3, 8, 8), 0.5))
    torch.testing.assert_close(seen, torch.full((1, 3, 8, 8), 1.0))


def test_small_images_are_enlarged_to_what_a_model_needs(config, dataset):
    spec = NetworkSpec.of(config.changed(model__model="SqueezeNet11"), dataset, 0)
    assert spec.model == "squeezenet1_1"
    assert spec.image_size == 32
    assert not spec.small_stem
    assert NetworkSpec.of(config.changed(model__model="resnet18"), dataset, 0).small_stem
    module = build_module(spec, choose(config.train)).eval()
    assert module.prepare(torch.rand(2, 3, 8, 8)).shape == (2, 3, 32, 32)
    assert module(torch.rand(2, 3, 8, 8)).shape == (2, 3)


def test_dropout_is_the_models_own_unless_asked(config, dataset):
    assert NetworkSpec.of(config, dataset, 0).dropout == 0.3
    assert NetworkSpec.of(config.changed(model__dropout=0.5), dataset, 0).dropout == 0.5
    assert NetworkSpec.of(config.changed(model__model="resnet18"), dataset, 0).dropout == 0


def test_frozen_trunks_do_not_change_from_round_to_round(config, dataset):
    frozen = config.changed(model__frozen=True)
    assert NetworkSpec.of(frozen, dataset, 0) == NetworkSpec.of(frozen, dataset, 3)
    assert NetworkSpec.of(config, dataset, 0) != NetworkSpec.of(config, dataset, 3)


def test_a_manifest_tells_machine_and_training(train, config):
    told = train(config).describe()
    assert told["threads"] == 1
    assert told["precision"] == "fp32"
    assert told["deterministic"] is True
    assert told["torch"] == torch.__version__
    assert told["model"] == "small_cnn"
    assert told["epochs"] == 4
    assert told["steps"] == 12
    assert len(told["state_hash"]) == 64
    json.dumps(told)
