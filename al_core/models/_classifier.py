"""The shape that every network has here: trunk, stochastic neck, last linear layer."""

from __future__ import annotations

import torch  # noqa: TID253 - only builders import this module, inside their functions
from torch import Tensor, nn  # noqa: TID253 - as above


class Classifier(nn.Module):
    """Float images (n, 3, S, S) to logits (n, C).

    `trunk` ends where the first dropout begins, so that Monte Carlo passes repeat only what differs between
    them.
    """

    def __init__(
        self, trunk: nn.Module, num_features: int, num_classes: int, *, dropout: float,
        neck: nn.Module | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.trunk = trunk
        self.neck = nn.Identity() if neck is None else neck
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(num_features, num_classes)
        self.num_features = num_features

    def forward_features(self, x: Tensor) -> Tensor:
        """The embedding (n, D): the input of the last linear layer (before its dropout)."""
        return self.neck(torch.flatten(self.trunk(x), 1))

    def forward_head(self, h: Tensor) -> Tensor:
        """Logits (n, C) of embeddings."""
        return self.head(self.drop(h))

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


class MeanPool(nn.Module):
    """Mean over the places of a feature map, (n, D, H, W) to (n, D); its gradient repeats on a GPU."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))
