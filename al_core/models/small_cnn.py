"""A small convolutional network that trains in about a second on a few hundred tiny pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from al_core.models import model

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier


@model(
    "Small CNN", num_parameters=138_154, learning_rate=3e-3, min_image_size=8, max_image_size=64, dropout=0.3,
    aliases=("cnn", "simple_cnn"),
)  # fmt: skip
def build(
    num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """Three convolutions, made for pictures of 8 to 64 pixels: a round takes seconds.

    On 8 px digits the widths below reach 0.98 to 0.99 with 160 labels. Enlarging the pictures to 16 px gains
    nothing there and doubles the time; a 2 x 2 grid in place of one mean keeps where in the picture a part
    is, which single digits need.
    """
    from torch import nn

    from al_core.models._classifier import Classifier

    layers: list[nn.Module] = []
    width = 3
    for out, pool in ((32, True), (64, True), (192, False)):
        layers += [
            nn.Conv2d(width, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
        ]
        layers += [nn.MaxPool2d(2)] * pool
        width = out
    # the map is image_size // 4 wide; 2 x 2 are left of it
    layers.append(nn.AvgPool2d(2, stride=1) if image_size // 4 == 3 else nn.AvgPool2d(image_size // 8))
    return Classifier(nn.Sequential(*layers), 4 * width, num_classes, dropout=dropout)
