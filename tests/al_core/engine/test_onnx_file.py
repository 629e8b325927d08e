"""A network as ONNX says what the network says, or is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from al_core.engine.augment import to_floats
from al_core.engine.device import choose
from al_core.engine.inference import evaluating
from al_core.engine.network import Network, NetworkSpec, build_module
from al_core.engine.onnx_file import check_onnx, metadata, write_onnx
from al_core.engine.saved import SavedModel
from al_core.errors import ModelError

SIZES = [
    ("small_cnn", 8), ("fast_net", 48), ("squeezenet1_1", 40), ("resnet18", 32), ("mobilenet_v2", 72),
    ("vit_b_16", 20),
]  # fmt: skip
"""Of pictures: smaller than, equal to and larger than what the network sees."""


def made(config, make_dataset, name, size, **changes):
    """A network whose answers differ from picture to picture."""
    spec = NetworkSpec.of(config.changed(model__model=name), make_dataset(size, 4, 4), 0)
    plan = choose(config.train)
    network = Network(build_module(replace(spec, **changes), plan), plan, spec)
    images = to_floats(torch.from_numpy(pictures(size)))
    with torch.no_grad(), evaluating(network.module):  # fresh heads say nearly the same of everything
        h, head = network.module.forward_features(images), network.module.classifier.head
        logits = (h - h.mean(0)) @ head.weight.T
        head.weight.mul_(2 / logits.std())
        head.bias.copy_(-head.weight @ h.mean(0))
    return SavedModel(network, size, name)


def pictures(size, n=5):
    rng = np.random.default_rng(1)
    base = rng.integers(0, 256, (n, 1, 1, 3))
    return (base + rng.integers(-60, 60, (n, size, size, 3))).clip(0, 255).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), SIZES)
def test_every_model_written_as_onnx_gives_the_probabilities_of_the_network(
    name, size, config, make_dataset, tmp_path
):
    model = made(config, make_dataset, name, size)
    images = pictures(size)
    ours = model.probabilities(images)
    assert np.ptp(ours, axis=0).max() > 1e-3, "the pictures must be told apart for this to prove anything"
    before = model.network.state_hash()
    write_onnx(model.network, tmp_path / "m.onnx", size, metadata(model.classes, size))
    assert check_onnx(tmp_path / "m.onnx", images, ours) <= 1e-4
    assert check_onnx(tmp_path / "m.onnx", images[:1], ours[:1]) <= 1e-4
    assert model.network.state_hash() == before


@pytest.mark.slow
def test_an_onnx_file_that_says_something_else_is_refused(config, make_dataset, tmp_path):
    model = made(config, make_dataset, "small_cnn", 8)
    write_onnx(model.network, tmp_path / "m.onnx", 8, {})
    with torch.no_grad():
        model.network.module.classifier.head.bias[0] += 3
    with pytest.raises(ModelError, match="other probabilities than the network"):
        check_onnx(tmp_path / "m.onnx", pictures(8), model.probabilities(pictures(8)))


def test_the_metadata_keeps_one_line_a_class():
    found = metadata(("a\nb", "c"), 8, run="r")
    assert found == {"classes": "a b\nc", "size": "8", "run": '"r"'}
