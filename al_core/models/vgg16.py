"""VGG-16 (Simonyan & Zisserman, 2015, arXiv:1409.1556)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from al_core.models import model

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier


@model(
    "VGG-16", num_parameters=134_301_514, learning_rate=1e-4, dropout=0.5, weights="IMAGENET1K_V1",
    aliases=("vgg",),
)  # fmt: skip
def build(
    num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """Sixteen plain layers, large and slow: for a graphics card.

    Its convolutions are 3x3 with stride 1 already, so the small variant changes the other end: one mean over
    places and 512 hidden units in place of 7 x 7 places and 4096 units, which small pictures cannot fill. The
    first hidden layer belongs to the trunk, for nothing before its dropout is random.
    """
    from torch import nn

    from al_core.models._classifier import Classifier, MeanPool
    from al_core.models._torchvision import backbone

    network = backbone("vgg16", weights)
    if small_stem:
        first, second = nn.Linear(512, 512), nn.Linear(512, 512)
        pool: list[nn.Module] = [MeanPool()]
    else:
        first, second = network.classifier[0], network.classifier[3]
        pool = [network.avgpool, nn.Flatten()]
    trunk = nn.Sequential(network.features, *pool, first, nn.ReLU(inplace=True))
    neck = nn.Sequential(nn.Dropout(dropout), second, nn.ReLU(inplace=True))
    return Classifier(trunk, second.out_features, num_classes, dropout=dropout, neck=neck)
