"""What the residual networks share (He et al., 2016, arXiv:1512.03385)."""

from __future__ import annotations

from al_core.models._classifier import Classifier
from al_core.models._torchvision import backbone


def residual(
    name: str, num_classes: int, *, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """A torchvision ResNet with a new head; the small stem is a 3x3 convolution, stride 1, and no pooling.

    Given ImageNet weights, the small stem takes the middle of the 7x7 filters.
    """
    from torch import nn

    network = backbone(name, weights)
    if small_stem:
        wide = network.conv1
        network.conv1 = nn.Conv2d(3, wide.out_channels, 3, padding=1, bias=False)
        if weights is None:
            nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        else:
            network.conv1.weight.data.copy_(wide.weight.data[:, :, 2:5, 2:5])
        network.maxpool = nn.Identity()
    num_features = network.fc.in_features
    network.fc = nn.Identity()
    return Classifier(network, num_features, num_classes, dropout=dropout)
