"""ResNet-101 (He et al., 2016, arXiv:1512.03385)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from al_core.models import model

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier


@model("ResNet-101", num_parameters=42_520_650, learning_rate=1e-3, weights="IMAGENET1K_V2")
def build(
    num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """101 residual layers with bottlenecks: for a graphics card and many labels."""
    from al_core.models._resnet import residual

    return residual("resnet101", num_classes, small_stem=small_stem, dropout=dropout, weights=weights)
