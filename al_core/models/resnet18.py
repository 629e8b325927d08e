"""ResNet-18 (He et al., 2016, arXiv:1512.03385)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from al_core.models import model

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier


@model("ResNet-18", num_parameters=11_181_642, learning_rate=1e-3, weights="IMAGENET1K_V1")
def build(
    num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """The usual yardstick: 18 residual layers."""
    from al_core.models._resnet import residual

    return residual("resnet18", num_classes, small_stem=small_stem, dropout=dropout, weights=weights)
