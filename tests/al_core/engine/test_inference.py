"""Scoring: the same for an image whatever is scored with it, and nothing left changed."""

import numpy as np
import pytest
import torch

from al_core.engine import inference
from al_core.engine.augment import to_floats
from al_core.engine.folding import folded
from al_core.engine.inference import embed, evaluating, predict
from al_core.engine.network import ImageClassifier
from al_core.errors import DeviceError


@pytest.fixture
def network(train, config):
    return train(config)


def test_results_do_not_depend_on_batch_order_or_company(network, dataset):
    ids = np.arange(60)
    whole = predict(network, dataset.train, ids, embeddings=True)
    shuffled = np.random.default_rng(0).permutation(ids)
    other = predict(network, dataset.train, shuffled, embeddings=True)
    np.testing.assert_array_equal(other.probs, whole.probs[shuffled])
    np.testing.assert_array_equal(other.embeddings, whole.embeddings[shuffled])
    for part in ([7], [3, 59], list(range(33))):
        np.testing.assert_array_equal(
            predict(network, dataset.train, np.array(part)).probs, whole.probs[part]
        )


@pytest.mark.parametrize("chunk", [8, 13, 64])
def test_results_do_not_depend_on_the_chunk_size(network, dataset, chunk):
    ids = np.arange(60)
    whole = embed(network, dataset.train, ids)
    np.testing.assert_allclose(embed(network, dataset.train, ids, chunk=chunk), whole, atol=1e-5)


def test_probabilities_are_the_head_of_the_embeddings(network, dataset):
    ids = np.arange(10)
    found = predict(network, dataset.train, ids, embeddings=True)
    assert found.probs.dtype == found.embeddings.dtype == np.float32
    assert found.embeddings.shape == (10, network.num_features)
    np.testing.assert_allclose(found.probs.sum(1), 1, atol=1e-6)
    head = network.module.classifier.head
    with torch.inference_mode():
        logits = head(torch.from_numpy(found.embeddings))
        direct = network.module(to_floats(torch.from_numpy(dataset.train.read(ids)))).softmax(1)
    np.testing.assert_allclose(found.probs, logits.softmax(1).numpy(), atol=1e-6)
    np.testing.assert_allclose(found.probs, direct.numpy(), atol=1e-5)


def test_scoring_changes_neither_state_nor_mode(network, dataset):
    """Defect 1 of the second seed: querying changed BatchNorm's buffers."""
    before = network.state_hash()
    for training in (True, False):
        network.module.train(training)
        network.module.classifier.drop.train(not training)  # a mode of its own comes back too
        predict(network, dataset.train, np.arange(60), embeddings=True)
        assert network.state_hash() == before
        assert network.module.training == training
        assert network.module.classifier.drop.training != training


def test_modes_come_back_after_an_error(network):
    network.module.train()
    with pytest.raises(ZeroDivisionError), evaluating(network.module):
        1 / int(network.module.training)
    assert network.module.training


def test_without_images_there_are_no_rows(network, dataset):
    found = predict(network, dataset.train, np.arange(0), embeddings=True)
    assert found.probs.shape == (0, 3)
    assert found.embeddings.shape == (0, network.num_features)


def test_progress_and_control_are_called(network, dataset):
    told, asked = [], []
    predict(
        network, dataset.train, np.arange(60), chunk=16,
        progress=lambda *a: told.append(a), control=lambda: asked.append(1),
    )  # fmt: skip
    assert told == [(16, 60), (32, 60), (48, 60), (60, 60)]
    assert len(asked) == 4


def test_full_memory_halves_the_chunk(network, dataset, monkeypatch):
    whole = embed(network, dataset.train, np.arange(60))
    forward = ImageClassifier.forward_features

    def limited(self, x):
        if len(x) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, x)

    monkeypatch.setattr(ImageClassifier, "forward_features", limited)
    np.testing.assert_allclose(embed(network, dataset.train, np.arange(60)), whole, atol=1e-5)

    def full(self, x):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(ImageClassifier, "forward_features", full)
    with pytest.raises(DeviceError, match="one image at a time"):
        embed(network, dataset.train, np.arange(3))


def test_larger_images_are_scored_fewer_at_once():
    assert inference.chunk_of(8) == inference.chunk_of(32) == 256
    assert inference.chunk_of(96) == 32
    assert inference.chunk_of(224) >= 8


def test_folding_batch_norm_keeps_the_function_and_the_original(network, dataset):
    before = network.state_hash()
    other = folded(network.module)
    kinds = [type(m) for m in other.modules()]
    assert torch.nn.BatchNorm2d not in kinds
    assert network.state_hash() == before
    x = torch.rand(4, 3, 8, 8)
    with evaluating(network.module), torch.inference_mode():
        torch.testing.assert_close(other(x), network.module(x), atol=1e-4, rtol=1e-4)


def test_without_batch_norm_there_is_no_copy():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
    assert folded(module) is module
