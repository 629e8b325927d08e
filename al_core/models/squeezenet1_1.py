"""SqueezeNet 1.1 (Iandola et al., 2016, arXiv:1602.07360)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from al_core.models import model

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier


@model(
    "SqueezeNet 1.1", num_parameters=727_626, learning_rate=5e-4, dropout=0.5, weights="IMAGENET1K_V1",
    aliases=("SqueezeNet11", "squeezenet"),
    small_stem_up_to=0,  # the small stem costs it seven times at 32 px, and it is chosen for being quick
)  # fmt: skip
def build(
    num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """Fire modules in 0.7 M parameters: quick on a processor, good frozen features.

    The original classifies with a 1x1 convolution, a ReLU and then the mean over places. Here the mean comes
    first and a linear layer follows. Without that ReLU the two are the same function, for a mean and a linear
    map commute; with it they are not. The ReLU on logits goes: it makes the gradient vanish for every class
    with a negative score, and an embedding must be the input of a linear layer.
    """
    from torch import nn

    from al_core.models._classifier import Classifier, MeanPool
    from al_core.models._torchvision import backbone

    features = backbone("squeezenet1_1", weights).features
    if small_stem:
        features[0].stride = (1, 1)  # the 3x3 weights stay what they are
    return Classifier(nn.Sequential(features, MeanPool()), 512, num_classes, dropout=dropout)
