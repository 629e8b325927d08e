"""Frozen features: computed once, kept under a name that decides them, and trained on."""

import numpy as np
import pytest
import torch

from al_core.engine import features
from al_core.engine.features import frozen_features
from al_core.engine.inference import embed, predict
from al_core.engine.network import load_network
from al_core.engine.providers.dropout import mc_predict
from al_core.errors import ModelError

IDS = np.array([5, 0, 41])


@pytest.fixture
def frozen(config):
    return config.changed(model__frozen=True)


def files(settings):
    return sorted((settings.home / "features").iterdir())


def test_a_frozen_model_trains_its_head_only_and_learns(train, frozen, dataset, settings):
    told = []
    network = train(frozen, settings=settings, on_epoch=told.append)
    other = train(frozen, settings=settings, round=3)
    trunk = {k: v for k, v in network.module.state_dict().items() if "head" not in k}
    for name, value in other.module.state_dict().items():
        if "head" not in name:
            assert (value == trunk[name]).all()
    probs = predict(network, dataset.test, np.arange(40)).probs
    assert (probs.argmax(1) == dataset.test.labels).mean() > 0.6
    assert told
    assert told[-1].train_loss < 0.1  # the penalised loss falls; its first part alone need not
    assert train(frozen, settings=settings).state_hash() == network.state_hash()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_head_is_the_minimum_of_the_penalised_loss(train, frozen, dataset, data, smoothing):
    """Brute force: its gradient by autograd, on the features as they are, vanishes."""
    network = train(frozen.changed(train__label_smoothing=smoothing))
    head, h = network.module.classifier.head, torch.from_numpy(embed(network, dataset.train, data.ids))
    size, y = h.square().mean().sqrt(), torch.from_numpy(data.classes)
    weight, bias = (v.detach().clone().requires_grad_() for v in (head.weight, head.bias))
    loss = torch.nn.functional.cross_entropy(h @ weight.T + bias, y, label_smoothing=smoothing)
    (loss + network.facts["penalty"] / 2 * (weight * size).square().sum()).backward()
    assert (weight.grad / size).abs().max() < 2e-3
    assert bias.grad.abs().max() < 2e-3


def test_with_and_without_a_cache_the_results_agree(train, frozen, dataset, settings):
    cached, direct = train(frozen, settings=settings), train(frozen)
    assert cached.tables is not None
    assert direct.tables is None
    np.testing.assert_allclose(
        predict(cached, dataset.test, np.arange(40)).probs,
        predict(direct, dataset.test, np.arange(40)).probs, atol=1e-5,
    )  # fmt: skip


def test_features_are_computed_once(train, frozen, dataset, settings, monkeypatch):
    train(frozen, settings=settings)
    monkeypatch.setattr(features, "run_chunks", None)  # whoever computes again fails
    network = train(frozen, settings=settings, round=1)
    embed(network, dataset.train, IDS)
    found = frozen_features(frozen, dataset, settings, IDS)
    np.testing.assert_array_equal(found, embed(network, dataset.train, IDS))
    assert len(files(settings)) == 1


def test_the_cache_tells_data_and_weights_apart(frozen, dataset, settings, make_dataset):
    """Defect 9 of the second seed: a cached file outlived its seed."""
    first = frozen_features(frozen, dataset, settings, IDS)
    assert not np.array_equal(frozen_features(frozen.changed(seed=1), dataset, settings, IDS), first)
    other = make_dataset(seed=1)
    assert not np.array_equal(frozen_features(frozen, other, settings, IDS), first)
    larger = make_dataset(size=16)
    assert not np.array_equal(frozen_features(frozen, larger, settings, IDS), first)
    assert len(files(settings)) == 4
    np.testing.assert_array_equal(frozen_features(frozen, dataset, settings, IDS), first)


def test_an_interrupted_computation_leaves_nothing(frozen, dataset, settings):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frozen_features(frozen, dataset, settings, IDS, control=stop)
    assert files(settings) == []


def test_a_frozen_network_on_disk_is_its_head_and_comes_back(train, frozen, dataset, settings, tmp_path):
    network = train(frozen, settings=settings)
    path = tmp_path / "w.safetensors"
    network.save(path)
    assert path.stat().st_size < 20_000
    ids = np.arange(40)
    expected = predict(network, dataset.test, ids).probs
    again = load_network(path, frozen.train, dataset=dataset, settings=settings)
    assert again.tables is not None
    assert again.state_hash() == network.state_hash()
    np.testing.assert_array_equal(predict(again, dataset.test, ids).probs, expected)


def test_a_frozen_trunk_that_is_another_one_is_refused(train, frozen, settings, tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    network = train(frozen, settings=settings)
    monkeypatch.setattr(type(network), "state_hash", lambda self: "another")
    network.save(path)
    monkeypatch.undo()
    with pytest.raises(ModelError, match="frozen trunk has other weights"):
        load_network(path, frozen.train)


def test_dropout_acts_on_a_frozen_head(train, frozen, dataset, settings):
    network = train(frozen, settings=settings)
    options = {"passes": 4, "seed": 0, "progress": lambda *a: None, "control": lambda: None}
    probs = mc_predict(network, dataset.train, IDS, **options)
    assert probs.shape == (4, 3, 3)
    assert probs.std(0).max() > 1e-3
    network.tables = None
    np.testing.assert_allclose(mc_predict(network, dataset.train, IDS, **options), probs, atol=1e-5)


def test_pixel_components_keep_what_distances_there_are(config, dataset, settings):
    ids = np.arange(60)
    found = frozen_features(config, dataset, settings, ids)
    assert found.shape == (60, 60)
    assert found.dtype == np.float32
    pixels = dataset.train.read(ids).reshape(60, -1) / 255
    exact = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    # as many components as images: nothing is lost
    np.testing.assert_allclose(np.linalg.norm(found[:, None] - found[None], axis=2), exact, atol=1e-3)


def test_pixel_components_are_at_most_64_and_repeat(config, settings, make_dataset):
    dataset = make_dataset(train=300)
    ids = np.arange(300)
    found = frozen_features(config, dataset, settings, ids)
    assert found.shape == (300, 64)
    variances = found.var(0)
    pixels = dataset.train.read(ids).reshape(300, -1) / 255
    exact = np.linalg.svd(pixels - pixels.mean(0))[1]
    assert variances.sum() * 300 == pytest.approx((exact[:64] ** 2).sum(), rel=0.02)
    for path in files(settings):
        path.unlink()
    np.testing.assert_array_equal(frozen_features(config, dataset, settings, ids), found)


@pytest.mark.slow
def test_imagenet_features_of_real_weights_fill_the_table(
    config, settings, test_data, monkeypatch, make_dataset
):
    if not (test_data / "torch-home").is_dir():
        pytest.skip("no ImageNet weights in the real data")
    monkeypatch.setenv("TORCH_HOME", str(test_data / "torch-home"))
    dataset = make_dataset(size=16)
    pretrained = config.changed(model__model="squeezenet1_1", model__pretrained=True)
    found = frozen_features(pretrained, dataset, settings, IDS)
    assert found.shape == (3, 512)
    assert np.isfinite(found).all()
    assert found.std() > 0.01
