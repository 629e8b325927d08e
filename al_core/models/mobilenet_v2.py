"""MobileNet V2 (Sandler et al., 2018, arXiv:1801.04381)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from al_core.models import model

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier


@model(
    "MobileNet V2", num_parameters=2_236_682, learning_rate=1e-3, dropout=0.2, weights="IMAGENET1K_V2",
    aliases=("mobilenet",),
)  # fmt: skip
def build(
    num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """Depthwise convolutions in 2.2 M parameters: good frozen features for photos."""
    from torch import nn

    from al_core.models._classifier import Classifier, MeanPool
    from al_core.models._torchvision import backbone

    features = backbone("mobilenet_v2", weights).features
    if small_stem:
        features[0][0].stride = (1, 1)  # the 3x3 weights stay what they are
    return Classifier(nn.Sequential(features, MeanPool()), 1280, num_classes, dropout=dropout)
