"""Batched augmentation against one image at a time."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from al_core.data.changes import YIQ, Draws, augmented_sheet, changed, words
from al_core.data.dataset import Augmentation
from al_core.engine.augment import Source, change_contrast, rotate, shift_hue
from al_core.seeds import generator

CPU = torch.device("cpu")


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (12, 10, 10, 3)).astype(np.uint8)


def test_crop_and_flip_equal_a_slice_by_slice_oracle(images):
    augmentation = Augmentation(crop_padding=3, horizontal_flip=True)
    positions = np.array([5, 0, 11, 5, 3])
    batch = Source(images, augmentation, CPU).epoch(1, 2, 3)(positions)
    draws = Draws.draw(augmentation, len(images), generator(1, "augment", 2, 3))
    assert len(np.unique(draws.dy)) > 1
    assert draws.flip.any()
    assert not draws.flip.all()
    for row, i in zip(batch, positions, strict=True):
        padded = np.pad(images[i], ((3, 3), (3, 3), (0, 0)))
        cut = padded[draws.dy[i] : draws.dy[i] + 10, draws.dx[i] : draws.dx[i] + 10]
        cut = cut[:, ::-1] if draws.flip[i] else cut
        np.testing.assert_allclose(row.permute(1, 2, 0).numpy(), cut / 255, atol=1e-6)


def test_a_gpu_style_tensor_view_cuts_the_same_crops(images):
    """The path that a GPU takes, on the only device that every machine has: meta for shapes is not enough."""
    source = Source(images, Augmentation(crop_padding=2), CPU)
    positions, dy, dx = np.array([1, 4]), np.array([0, 3]), np.array([4, 1])
    expected = source._floats(positions, dy, dx)
    padded = torch.from_numpy(np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0))))
    m, height, width, _ = padded.shape
    source._windows = padded.as_strided((m, 5, 5, 10, 30), (height * width * 3, width * 3, 3, width * 3, 1))
    torch.testing.assert_close(source._floats(positions, dy, dx), expected)


def test_without_augmentation_pixels_stay_what_they_are(images):
    batch = Source(images, None, CPU).epoch(0, 0, 0)(np.arange(12))
    np.testing.assert_allclose(batch.permute(0, 2, 3, 1).numpy(), images / 255, atol=1e-6)


def test_each_image_gets_its_own_changes_whatever_batch_it_is_in(images):
    augmentation = Augmentation(2, True, 20, 0.3, 0.2)
    batch_of = Source(images, augmentation, CPU).epoch(0, 0, 0)
    together = batch_of(np.arange(12))
    for i in range(12):
        torch.testing.assert_close(batch_of(np.array([i]))[0], together[i], atol=1e-5, rtol=0)


def test_another_epoch_draws_other_changes_and_the_same_epoch_the_same(images):
    source = Source(images, Augmentation(2, True), CPU)
    ids = np.arange(12)
    assert torch.equal(source.epoch(0, 0, 1)(ids), source.epoch(0, 0, 1)(ids))
    assert not torch.equal(source.epoch(0, 0, 1)(ids), source.epoch(0, 0, 2)(ids))


def test_switching_one_change_on_leaves_the_draws_of_the_others():
    plain = Draws.draw(Augmentation(2, True), 50, np.random.default_rng(0))
    more = Draws.draw(Augmentation(2, True, 15, 0.1, 0.1), 50, np.random.default_rng(0))
    np.testing.assert_array_equal(plain.dy, more.dy)
    np.testing.assert_array_equal(plain.flip, more.flip)


def test_a_quarter_turn_is_a_quarter_turn():
    image = torch.rand(1, 3, 6, 6)
    turned = rotate(image, torch.tensor([np.pi / 2], dtype=torch.float32))
    either = [torch.rot90(image, k, (2, 3)) for k in (1, -1)]
    assert any(torch.allclose(turned, other, atol=1e-4) for other in either)


def test_a_batch_equals_torchs_own_turn_and_the_colours_pixel_by_pixel():
    rng, n = np.random.default_rng(0), 5
    image = torch.from_numpy(rng.random((n, 3, 7, 9), np.float32))
    angle, hue = torch.linspace(-0.4, 0.4, n), torch.linspace(-0.6, 0.6, n)
    theta = torch.stack([torch.tensor([[a.cos(), -a.sin(), 0], [a.sin(), a.cos(), 0]]) for a in angle])
    grid = F.affine_grid(theta, list(image.shape), align_corners=False)
    turned = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
    torch.testing.assert_close(rotate(image, angle), turned, atol=1e-5, rtol=0)
    to_yiq = np.array(YIQ)
    factors = torch.linspace(0.8, 1.2, n)
    stretched, shifted = change_contrast(image, factors), shift_hue(image, hue)
    for i in range(n):
        pixels = image[i].permute(1, 2, 0).double().numpy()
        bright = (pixels @ to_yiq[0]).mean()
        expected = np.clip(bright + (pixels - bright) * float(factors[i]), 0, 1)
        np.testing.assert_allclose(stretched[i].permute(1, 2, 0), expected, atol=1e-5)
        yiq, a = pixels @ to_yiq.T, float(hue[i])
        yiq[..., 1:] = yiq[..., 1:] @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
        expected = np.clip(yiq @ np.linalg.inv(to_yiq).T, 0, 1)
        np.testing.assert_allclose(shifted[i].permute(1, 2, 0), expected, atol=1e-5)


def test_batches_lie_in_memory_as_the_network_wants_them(images):
    """Whatever changes are on: else the first layer would copy them."""
    for change in (None, Augmentation(2, True), Augmentation(2, True, 15, 0.1, 0.1)):
        batch = Source(images, change, CPU).epoch(0, 0, 0)(np.arange(12))
        assert batch.is_contiguous(memory_format=torch.channels_last)


def test_no_turn_no_contrast_and_no_hue_change_nothing():
    image = torch.rand(2, 3, 6, 6)
    zero, one = torch.zeros(2), torch.ones(2)
    torch.testing.assert_close(rotate(image, zero), image, atol=1e-5, rtol=0)
    torch.testing.assert_close(change_contrast(image, one), image, atol=1e-6, rtol=0)
    torch.testing.assert_close(shift_hue(image, zero), image, atol=1e-5, rtol=0)


def test_hue_leaves_grey_alone_and_keeps_brightness():
    grey = torch.full((1, 3, 4, 4), 0.4)
    torch.testing.assert_close(shift_hue(grey, torch.tensor([1.0])), grey, atol=2e-3, rtol=0)
    colour = torch.rand(1, 3, 4, 4) * 0.2 + 0.4
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    turned = shift_hue(colour, torch.tensor([0.5]))
    assert not torch.allclose(turned, colour, atol=1e-2)
    torch.testing.assert_close((turned * weights).sum(1), (colour * weights).sum(1), atol=2e-3, rtol=0)


def test_contrast_is_drawn_within_its_range():
    draws = Draws.draw(
        Augmentation(contrast=0.1, rotation_degrees=15, hue=0.1), 1000, np.random.default_rng(0)
    )
    assert 0.9 <= draws.contrast.min() < 0.92
    assert 1.08 < draws.contrast.max() <= 1.1
    assert np.abs(draws.angle).max() <= np.deg2rad(15) + 1e-6
    assert np.abs(draws.hue).max() <= 0.2 * np.pi + 1e-6


def test_the_preview_shows_what_training_does(images):
    """NumPy beside torch, on blurred pictures: the two interpolate alike to a grey level."""
    smooth = (images.astype(float) + np.roll(images, 1, 1) + np.roll(images, 1, 2)) / 3
    smooth = smooth.astype(np.uint8)
    augmentation = Augmentation(2, True, 25, 0.3, 0.2)
    batch = Source(smooth, augmentation, CPU).epoch(1, 0, 4)(np.arange(12))
    seen = 255 * batch.permute(0, 2, 3, 1).numpy()
    shown = changed(smooth, augmentation, Draws.of(augmentation, 12, 1, 0, 4))
    assert np.abs(shown - seen).max() <= 1.0
    assert np.abs(shown.astype(float) - smooth).mean() > 10


def test_a_sheet_begins_with_the_pictures_as_they_are_and_repeats_with_its_seed():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 8, 8, 3)).astype(np.uint8)
    dataset = SimpleNamespace(
        train=SimpleNamespace(read=lambda ids: images[ids]), augmentation=Augmentation(1, True, 15, 0.1, 0.1)
    )
    sheet = augmented_sheet(dataset, ids=[3, 7], epochs=2)
    scale = 9  # 8 pixels become 72
    assert sheet.shape == ((2 * 10 - 2) * scale, (3 * 10 + 2) * scale, 4)
    small, seen = sheet[::scale, ::scale, :3], sheet[::scale, ::scale, 3]
    assert seen[:8, :8].all()
    assert not seen[8:10].any()
    np.testing.assert_array_equal(small[:8, :8], images[3])
    np.testing.assert_array_equal(small[10:18, :8], images[7])
    np.testing.assert_array_equal(sheet, augmented_sheet(dataset, ids=[3, 7], epochs=2))
    assert (small[:8, 14:22] != images[3]).any()
    assert words(Augmentation()) == "no change is declared safe"
    assert words(Augmentation(1, True, 15)) == (
        "crops moved by up to 1 pixel, mirrored half the time, turned by up to 15 degrees"
    )
