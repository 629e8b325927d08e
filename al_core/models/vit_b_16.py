"""Vision transformer, base, patches of 16 (Dosovitskiy et al., 2021, arXiv:2010.11929)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from al_core.errors import ModelError
from al_core.models import model
from al_core.words import tr

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier


@model(
    "ViT-B/16", num_parameters=85_806_346, learning_rate=1e-4, image_size=224, size_multiple=4,
    max_image_size=224, weights="IMAGENET1K_V1", aliases=("vit", "vit-base"),
)  # fmt: skip
def build(
    num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
) -> Classifier:
    """A transformer over patches: for a graphics card, and best with ImageNet weights.

    Its position embedding fixes the size: pictures are brought to 224 pixels. The small variant has patches
    of 4 and takes the pictures' own size; ImageNet weights do not fit it.
    """
    import torchvision
    from torch import nn

    from al_core.models._classifier import Classifier
    from al_core.models._torchvision import backbone

    if small_stem and weights is not None:
        raise ModelError(
            tr(
                "vit_b_16 has no ImageNet weights for its small variant (patches of 4); set stem to "
                "auto or imagenet, or switch ImageNet weights off"
            )
        )
    if small_stem:
        network = torchvision.models.VisionTransformer(
            image_size=image_size, patch_size=4, num_layers=12, num_heads=12, hidden_dim=768, mlp_dim=3072
        )
    else:
        network = backbone("vit_b_16", weights)
    network.heads = nn.Sequential()  # empty: gives the class token as it is
    return Classifier(network, 768, num_classes, dropout=dropout)
