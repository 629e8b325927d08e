"""Random changes of whole batches, each image with its own, drawn by (seed, round, epoch) and position.

Crops are one indexed copy from a window view of the padded uint8 images: the same pixels as padding, slicing
and mirroring image by image, at a hundredth of the time of per-image transforms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from al_core.data.changes import YIQ, Draws
from al_core.data.dataset import Augmentation


class Source:
    """Training images, resident on the device as uint8; gives batches of floats in 0..1, (n, 3, S, S)."""

    def __init__(self, images: np.ndarray, augmentation: Augmentation | None, device: torch.device) -> None:
        self._augmentation = augmentation
        self._device = device
        self._size = images.shape[1]
        padding = 0 if augmentation is None else augmentation.crop_padding
        if padding:
            images = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
        self._windows = _windows(np.ascontiguousarray(images), self._size, padding, device)

    def __len__(self) -> int:
        return len(self._windows)

    def epoch(self, seed: int, round: int, epoch: int) -> Callable[[np.ndarray], Tensor]:
        """A function from positions to their batch, with this epoch's changes."""
        if self._augmentation is None:
            return self._plain
        draws = Draws.of(self._augmentation, len(self), seed, round, epoch)
        return lambda positions: self._changed(positions, draws)

    def _plain(self, positions: np.ndarray) -> Tensor:
        zeros = np.zeros(len(positions), np.int64)
        return self._floats(positions, zeros, zeros)

    def _changed(self, positions: np.ndarray, draws: Draws) -> Tensor:
        a = self._augmentation
        mirrored = draws.flip[positions]
        batch = self._floats(positions, draws.dy[positions], draws.dx[positions], mirrored)
        if a is None:
            return batch
        if a.rotation_degrees:
            batch = rotate(batch, self._tensor(draws.angle[positions]))
        if a.contrast:
            batch = change_contrast(batch, self._tensor(draws.contrast[positions]))
        if a.hue:
            batch = shift_hue(batch, self._tensor(draws.hue[positions]))
        return batch.contiguous(memory_format=torch.channels_last)

    def _floats(
        self, positions: np.ndarray, dy: np.ndarray, dx: np.ndarray, mirrored: np.ndarray | None = None
    ) -> Tensor:
        """Crops as floats. What is mirrored is mirrored as bytes, by the order of a row's bytes."""
        which = np.empty(0, np.int64) if mirrored is None else np.flatnonzero(mirrored)
        order = np.arange(3 * self._size).reshape(-1, 3)[::-1].ravel()
        if isinstance(self._windows, np.ndarray):
            rows = self._windows[positions, dy, dx]
            rows[which] = rows[which][:, :, order]
            found = torch.from_numpy(rows)
        else:
            found = self._windows[self._tensor(positions), self._tensor(dy), self._tensor(dx)]
            if len(which):
                where = self._tensor(which)
                found[where] = found[where][:, :, self._tensor(order)]
        return to_floats(found.reshape(len(positions), self._size, self._size, 3))

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self._device)


def to_floats(images: Tensor) -> Tensor:
    """Bytes (n, H, W, 3) to floats in 0..1, (n, 3, H, W), channels_last without a copy."""
    return images.permute(0, 3, 1, 2).float().mul_(1 / 255)


def _windows(images: np.ndarray, size: int, padding: int, device: torch.device) -> Any:
    """View (m, 2p+1, 2p+1, S, 3 S): every crop of every image, without copying one.

    NumPy on the processor, where torch gathers bytes nine times more slowly; a tensor elsewhere.
    """
    m, height, width, _ = images.shape
    shape = (m, 2 * padding + 1, 2 * padding + 1, size, 3 * size)
    strides = (height * width * 3, width * 3, 3, width * 3, 1)
    if device.type == "cpu":
        return np.lib.stride_tricks.as_strided(images, shape, strides, writeable=False)
    return torch.from_numpy(images).to(device).as_strided(shape, strides)


def rotate(batch: Tensor, angle: Tensor) -> Tensor:
    """Turn each image about its centre by its angle (radians), bilinear; border pixels fill the corners."""
    _, _, height, width = batch.shape
    cos, sin = (f(angle).view(-1, 1, 1) for f in (torch.cos, torch.sin))
    y, x = _centres(height, batch.device).view(-1, 1), _centres(width, batch.device)
    # affine_grid is a product of tiny matrices for every pixel and takes longer than the sampling
    grid = torch.stack((cos * x - sin * y, sin * x + cos * y), 3)
    # one plane a colour from here on: what follows walks rows of pixels, not triples
    return F.grid_sample(batch.contiguous(), grid, padding_mode="border", align_corners=False)


def _centres(size: int, device: torch.device) -> Tensor:
    """Where pixels lie between -1 and 1."""
    return torch.linspace(1 / size - 1, 1 - 1 / size, size, device=device)


def change_contrast(batch: Tensor, factor: Tensor) -> Tensor:
    """Stretch each image's values about its mean brightness."""
    weights = torch.tensor(YIQ[0], device=batch.device)
    mean = (batch.mean((2, 3)) @ weights).view(-1, 1, 1, 1)
    factor = factor.view(-1, 1, 1, 1)
    return torch.addcmul(mean * (1 - factor), batch, factor).clamp_(0, 1)


def shift_hue(batch: Tensor, angle: Tensor) -> Tensor:
    """Turn each image's colours by its angle (radians); the brightness stays."""
    to_yiq = torch.tensor(YIQ, device=batch.device)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = ((zero + 1, zero, zero), (zero, cos, -sin), (zero, sin, cos))
    turn = torch.stack([torch.stack(row, 1) for row in rows], 1)  # (n, 3, 3)
    matrix = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    return torch.bmm(matrix, batch.flatten(2)).view_as(batch).clamp_(0, 1)
