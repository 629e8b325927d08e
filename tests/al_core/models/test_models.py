"""Every model of the registry builds, runs and says what it is."""

import subprocess
import sys

import pytest

from al_core.errors import ModelError
from al_core.models import MODELS, ModelEntry

LARGE = {"resnet34", "resnet50", "resnet101", "vgg16", "vit_b_16"}
EVERY = [pytest.param(m, id=m.name, marks=[pytest.mark.slow] if m.name in LARGE else []) for m in MODELS]


def build(entry: ModelEntry, size: int, *, small: bool, classes: int = 10, dropout: float | None = None):
    return entry.build(
        classes, image_size=size, small_stem=small, dropout=entry.dropout if dropout is None else dropout,
        weights=None,
    )  # fmt: skip


def test_listing_models_imports_no_torch():
    code = (
        "import sys; from al_core.models import MODELS; assert len(MODELS.names()) >= 8; "
        "assert 'torch' not in sys.modules, 'torch'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_seeds_models_are_found_by_their_names():
    for name, found in [("SqueezeNet11", "squeezenet1_1"), ("ResNet-18", "resnet18"), ("VGG16", "vgg16"),
                        ("ViT-B/16", None), ("vit_b_16", "vit_b_16"), ("resnet34", "resnet34")]:  # fmt: skip
        if found:
            assert MODELS.get(name).name == found
    with pytest.raises(ModelError, match="did you mean 'resnet18'"):
        MODELS.get("resnet1")


@pytest.mark.parametrize("entry", EVERY)
def test_embeddings_are_the_input_of_the_last_linear_layer(entry):
    import torch

    stem = entry.stem(32, choice="small", pretrained=False)
    module = build(entry, stem.image_size, small=stem.small).eval()
    assert stem.small
    with torch.inference_mode():
        x = torch.rand(2, 3, stem.image_size, stem.image_size)
        h = module.forward_features(x)
        assert h.shape == (2, module.num_features)
        assert module.head.in_features == module.num_features
        torch.testing.assert_close(module.forward_head(h), module.head(h))
        torch.testing.assert_close(module(x), module.head(h))


@pytest.mark.parametrize("entry", EVERY)
def test_the_trunk_holds_no_dropout_and_any_model_takes_it(entry):
    from torch import nn

    stem = entry.stem(32, choice="small", pretrained=False)
    module = build(entry, stem.image_size, small=stem.small, dropout=0.4)
    assert not [m for m in module.trunk.modules() if isinstance(m, nn.Dropout) and m.p > 0]
    assert module.drop.p == 0.4


@pytest.mark.parametrize("entry", EVERY)
def test_metadata_tells_the_number_of_parameters(entry):
    size = (
        entry.image_size or 32 if entry.max_image_size is None or entry.image_size else entry.max_image_size
    )
    module = build(entry, size, small=False)
    assert sum(p.numel() for p in module.parameters()) == entry.num_parameters
    assert entry.description.endswith(".")
    assert entry.learning_rate > 0


@pytest.mark.slow
@pytest.mark.parametrize("entry", EVERY)
def test_the_stem_for_photos_takes_photos(entry):
    import torch

    stem = entry.stem(96, choice="imagenet", pretrained=False)
    module = build(entry, stem.image_size, small=False).eval()
    with torch.inference_mode():
        assert module(torch.rand(2, 3, stem.image_size, stem.image_size)).shape == (2, 10)


@pytest.mark.parametrize("size", [8, 16, 28, 30, 32, 64])
def test_small_cnn_keeps_its_two_by_two_grid_at_any_size(size):
    import torch

    entry = MODELS.get("small_cnn")
    module = build(entry, size, small=True).eval()
    assert module.forward_features(torch.rand(2, 3, size, size)).shape == (2, 768)


def test_stems_follow_size_choice_and_weights():
    resnet, vit = MODELS.get("resnet18"), MODELS.get("vit_b_16")
    assert resnet.stem(32, choice="auto", pretrained=False).small
    assert not resnet.stem(32, choice="auto", pretrained=True).small
    assert not resnet.stem(96, choice="auto", pretrained=False).small
    assert not resnet.stem(32, choice="imagenet", pretrained=False).small
    assert resnet.stem(8, choice="auto", pretrained=False).image_size == 32
    assert vit.stem(32, choice="imagenet", pretrained=False).image_size == 224
    assert vit.stem(30, choice="auto", pretrained=False).image_size == 32
    assert vit.stem(33, choice="auto", pretrained=False).image_size == 36
    assert MODELS.get("small_cnn").stem(96, choice="auto", pretrained=False).image_size == 64


def test_a_small_stem_halves_less():
    import torch

    entry = MODELS.get("resnet18")
    x = torch.rand(1, 3, 32, 32)
    widths = []
    for small in (True, False):
        module = build(entry, 32, small=small).eval()
        trunk = module.trunk
        module.trunk.avgpool.register_forward_pre_hook(lambda m, args: widths.append(args[0].shape[-1]))
        trunk(x)
    assert widths == [4, 1]


def test_squeezenet_without_its_last_relu_is_the_original_function():
    """The mean over places and the 1x1 convolution commute; only the original's ReLU is left out."""
    import torch

    module = build(MODELS.get("squeezenet1_1"), 32, small=False).eval()
    x = torch.rand(2, 3, 64, 64)
    maps = module.trunk[0](x)
    weight = module.head.weight[:, :, None, None]
    original = torch.nn.functional.conv2d(maps, weight, module.head.bias).mean((2, 3))
    torch.testing.assert_close(module(x), original, atol=1e-5, rtol=1e-4)


def test_missing_weights_are_named_with_the_way_out(tmp_path, monkeypatch):
    import urllib.error
    import urllib.request

    def no_network(*args, **kwargs):
        raise urllib.error.URLError("no network here")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    monkeypatch.setattr("torch.hub.urlopen", no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    entry = MODELS.get("resnet18")
    with pytest.raises(ModelError) as caught:
        entry.build(10, image_size=32, small_stem=False, dropout=0.0, weights=entry.weights)
    text = str(caught.value)
    assert "no network here" in text
    assert "TORCH_HOME" in text
    assert str(tmp_path / "empty" / "hub" / "checkpoints" / "resnet18-f37072fd.pth") in text
    assert "switch ImageNet weights off" in text


def test_imagenet_weights_load_without_a_network(test_data, monkeypatch):
    import torch

    if not (test_data / "torch-home").is_dir():
        pytest.skip("the real data has no torch-home")

    def no_network(*args, **kwargs):
        raise AssertionError("asked the network")

    monkeypatch.setattr("torch.hub.urlopen", no_network)
    monkeypatch.setenv("TORCH_HOME", str(test_data / "torch-home"))
    entry = MODELS.get("SqueezeNet11")
    for small in (False, True):
        module = entry.build(7, image_size=64, small_stem=small, dropout=0.0, weights=entry.weights).eval()
        h = module.forward_features(torch.rand(2, 3, 64, 64))
        assert h.shape == (2, 512)
        assert h.std() > 0.1
        assert module.head.out_features == 7


def test_a_transformer_with_small_patches_has_no_imagenet_weights():
    entry = MODELS.get("vit_b_16")
    with pytest.raises(ModelError, match="small variant"):
        entry.build(10, image_size=32, small_stem=True, dropout=0.0, weights=entry.weights)


@pytest.mark.parametrize("size", [8, 9, 13, 28, 32, 50, 64])
def test_fast_net_takes_any_size_and_splits_at_its_last_layer(size):
    import torch

    entry = MODELS.get("fast_net")
    module = build(entry, size, small=True).eval()
    x = torch.rand(2, 3, size, size)
    h = module.forward_features(x)
    assert h.shape == (2, 128)
    assert torch.equal(module.forward_head(h), module(x))
    assert sum(p.numel() for p in module.parameters()) == entry.num_parameters
