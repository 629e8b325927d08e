"""Defects of the two seeds that lie where strategies meet networks, each with its test."""

import numpy as np
import torch
from torch import nn

from al_core.engine.inference import predict
from al_core.engine.providers.adversarial import bim, deepfool


def test_seed_2_defect_2_embeddings_are_what_the_last_linear_layer_reads_and_the_loss_reaches_them(
    train, config, dataset
):
    """Its k-means and k-center looked at a layer beside the loss's way, which was never trained."""
    network = train(config)
    ids = np.arange(12)
    found = predict(network, dataset.train, ids, embeddings=True)
    head = network.module.classifier.head
    with torch.no_grad():
        again = head(torch.from_numpy(found.embeddings)).softmax(1).numpy()
    np.testing.assert_allclose(again, found.probs, atol=1e-6)

    x = torch.from_numpy(dataset.train.read(ids)).permute(0, 3, 1, 2).float() / 255
    h = network.module.forward_features(x)
    h.retain_grad()
    nn.functional.cross_entropy(head(h), torch.zeros(12, dtype=torch.int64)).backward()
    assert h.grad is not None
    assert (h.grad.abs().sum(1) > 0).all()
    reached = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in network.module.parameters()]
    assert all(reached)


def test_seed_2_defect_7_images_are_attacked_together_and_do_not_tie():
    """It took one image at a time, and 75 of 200 of its scores were equal."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 24), nn.Tanh(), nn.Linear(24, 5))
    module.requires_grad_(False)
    batches = []

    def logits(x):
        batches.append(len(x))
        return 3 * module(x)

    x = torch.rand(64, 3, 4, 4)
    for search in (deepfool, bim):
        distances = search(logits, x).numpy()
        finite = distances[np.isfinite(distances)]
        assert len(finite) > 40
        assert len(np.unique(finite)) == len(finite)
    assert set(batches) == {64}


def test_seed_2_defect_7_a_gradient_of_zero_ends_the_search():
    """It looped for ever."""
    flat = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    nn.init.zeros_(flat[1].weight)
    x = torch.rand(5, 3, 4, 4)
    for search in (deepfool, bim):
        assert torch.isinf(search(flat, x)).all()
