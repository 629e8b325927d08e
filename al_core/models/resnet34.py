"""ResNet-34 (He et al., 2016, arXiv:1512.03385)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from al_core.models import model

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier


@model("ResNet-34", num_parameters=21_289_802, learning_rate=1e-3, weights="IMAGENET1K_V1")
def build(
    num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """34 residual layers: slower than ResNet-18 and seldom better with few labels."""
    from al_core.models._resnet import residual

    return residual("resnet34", num_classes, small_stem=small_stem, dropout=dropout, weights=weights)
