"""DeepFool and BIM: exact where the distance is known, the same in any batch, and never without an end."""

import numpy as np
import pytest
import torch
from torch import nn

from al_core.engine import inference
from al_core.engine.inference import evaluating
from al_core.engine.providers import EvidenceContext, adversarial, gather
from al_core.engine.providers.adversarial import bim, deepfool


@pytest.fixture(scope="module")
def linear():
    """A linear model of 4 x 4 images, and the distance of each image to its nearest border."""
    generator = torch.Generator().manual_seed(0)
    weights, bias = torch.randn(5, 48, generator=generator), torch.randn(5, generator=generator)
    x = torch.rand(30, 3, 4, 4, generator=generator)

    def logits(images):
        return images.flatten(1) @ weights.T + bias

    values = logits(x)
    top = values.argmax(1)
    distances = torch.full((30,), torch.inf)
    for other in range(5):
        gap = values[torch.arange(30), top] - values[:, other]
        steepness = (weights[top] - weights[other]).norm(dim=1)
        distances = torch.where(top == other, distances, torch.minimum(distances, gap / steepness))
    return logits, x, distances


@pytest.fixture
def context(train, config, dataset, settings):
    return EvidenceContext(
        config=config, dataset=dataset, network=train(config), candidate_ids=np.arange(20, 50),
        labeled_ids=np.arange(20), labeled_classes=dataset.train.labels[:20], settings=settings,
    )  # fmt: skip


def test_deepfool_finds_the_distance_to_the_border_of_a_linear_model(linear):
    logits, x, distances = linear
    torch.testing.assert_close(deepfool(logits, x), distances, rtol=1e-4, atol=1e-6)


def test_bim_is_never_nearer_than_the_border_and_ends_on_it(linear):
    """Steps by sign go to the border the long way round."""
    logits, x, distances = linear
    found = bim(logits, x)
    assert torch.isfinite(found).all()
    assert (found >= distances * (1 - 1e-4)).all()
    assert (found <= distances * 4).all()


def test_bim_does_not_tie_on_whole_steps(linear):
    """The second seed's BIM counted steps: 75 of 200 scores were the same."""
    logits, x, _ = linear
    assert len(torch.unique(bim(logits, x))) == len(x)


@pytest.mark.parametrize("search", [deepfool, bim])
def test_a_batch_gives_what_each_image_gives_alone(search, context, dataset):
    network = context.network
    x = torch.from_numpy(dataset.train.read(np.arange(24))).permute(0, 3, 1, 2).float() / 255
    with evaluating(network.module):
        together = search(network.module, x)
        alone = torch.cat([search(network.module, image[None]) for image in x])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("search", [deepfool, bim])
def test_without_a_gradient_the_search_ends_and_says_so(search):
    """The second seed's DeepFool looped for ever on a zero gradient."""
    calls = []

    def flat(images):
        calls.append(1)
        return torch.tensor([1.0, 0.0, 0.5]) + 0 * images.flatten(1)[:, :3]

    assert torch.isinf(search(flat, torch.rand(4, 3, 2, 2))).all()
    assert len(calls) <= 3


@pytest.mark.parametrize("search", [deepfool, bim])
def test_a_single_class_has_no_border(search):
    assert torch.isinf(search(lambda x: x.flatten(1)[:, :1], torch.rand(4, 3, 2, 2))).all()


def test_a_saturated_softmax_is_no_zero_gradient():
    """Probabilities of exactly 1 have a cross-entropy gradient of exactly 0; the log odds have not."""
    weights = torch.zeros(2, 12)
    weights[0, 0] = 500.0
    x = torch.full((2, 3, 2, 2), 0.9)

    def logits(images):
        return images.flatten(1) @ weights.T + torch.tensor([0.0, 420.0])

    assert logits(x).softmax(1)[0, 0] == 1
    expected = torch.full((2,), (450 - 420) / 500)
    torch.testing.assert_close(bim(logits, x), expected, rtol=2e-2, atol=1e-4)
    torch.testing.assert_close(deepfool(logits, x), expected, rtol=1e-4, atol=1e-6)


def test_the_evidence_turns_classes_over_and_leaves_the_network_as_it_was(context):
    network = context.network
    network.module.train()
    before, mode = network.state_hash(), network.module.training
    network.module.zero_grad(set_to_none=True)
    found = gather(["bim_distance", "deepfool_distance"], context)
    assert network.state_hash() == before
    assert network.module.training == mode
    assert all(p.grad is None for p in network.module.parameters())
    diagonal = np.sqrt(3) * 8
    for values in found.values():
        assert values.shape == (30,)
        assert values.dtype == np.float32
        assert ((values > 0) & (values <= diagonal)).all()
        assert (values < diagonal).mean() > 0.9
    ranks = [np.argsort(np.argsort(values)) for values in found.values()]
    assert np.corrcoef(ranks)[0, 1] > 0.7


def test_images_without_a_way_out_get_the_diagonal(context, caplog):
    nn.init.zeros_(context.network.module.classifier.head.weight)
    with caplog.at_level("WARNING"):
        found = gather(["deepfool_distance"], context)["deepfool_distance"]
    np.testing.assert_allclose(found, np.sqrt(3) * 8, rtol=1e-6)
    assert "30 of 30" in caplog.text


def test_the_same_images_in_any_order_and_chunk(context, monkeypatch):
    whole = gather(["deepfool_distance"], context)["deepfool_distance"]
    monkeypatch.setattr(adversarial, "CHUNK", 7)
    order = np.random.default_rng(0).permutation(30)
    other = EvidenceContext(**{**context.__dict__, "candidate_ids": context.candidate_ids[order]})
    np.testing.assert_allclose(
        gather(["deepfool_distance"], other)["deepfool_distance"], whole[order], rtol=1e-3
    )


def test_full_memory_halves_the_chunk(context, monkeypatch):
    search = adversarial.deepfool

    def limited(module, x):
        if len(x) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return search(module, x)

    monkeypatch.setattr(adversarial, "deepfool", limited)
    assert np.isfinite(gather(["deepfool_distance"], context)["deepfool_distance"]).all()
    assert inference.CHUNK > 20
