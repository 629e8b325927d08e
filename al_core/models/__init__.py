"""Recipes of networks: one decorated file each. Listing them imports no torch; building one does.

A recipe builds a `Classifier` (see `_classifier`): `forward_features` gives the input of the last linear
layer, `forward_head` the logits.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from al_core.errors import ModelError
from al_core.registry import Registry
from al_core.words import noted

if TYPE_CHECKING:
    from al_core.models._classifier import Classifier

__all__ = ["MODELS", "ModelEntry", "Stem", "model"]

SMALL_STEM_UP_TO = 64  # pixels: a stem that halves twice leaves too little of a smaller picture


class Build(Protocol):
    """What a model's file defines. `weights` names torchvision weights, or is None for fresh ones."""

    def __call__(
        self, num_classes: int, *, image_size: int, small_stem: bool, dropout: float, weights: str | None
    ) -> Classifier: ...


@dataclass(frozen=True)
class Stem:
    """What a network sees: the side of its input in pixels, and which first layer it has."""

    image_size: int
    small: bool


@dataclass(frozen=True)
class ModelEntry:
    """A recipe and the facts that a form shows. Sizes are sides in pixels."""

    name: str
    title: str
    aliases: tuple[str, ...]
    description: str
    num_parameters: int  # with ten classes and the stem for large images
    learning_rate: float
    min_image_size: int  # smaller images are enlarged to it
    max_image_size: int | None  # larger ones are reduced to it
    image_size: int | None  # the one size that the ImageNet stem sees; None: the data set's
    size_multiple: int  # with the small stem, sizes are rounded up to a multiple
    small_stem_up_to: int  # images up to this size get the small stem where nothing else is said
    dropout: float  # the model's own, in front of its last layer
    weights: str | None  # torchvision's name of its ImageNet weights
    build: Build

    @property
    def has_dropout(self) -> bool:
        """Whether it has active dropout without being asked to."""
        return self.dropout > 0

    def weights_file(self) -> Path | None:
        """The file of its ImageNet weights, where torch looks for one; None if it is not on this machine."""
        if self.weights is None:
            return None
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        home = Path(os.environ.get("TORCH_HOME") or Path(cache) / "torch").expanduser()
        found = sorted((home / "hub" / "checkpoints").glob(f"{self.name}-*.pth"))
        return found[0] if found else None

    def stem(self, image_size: int, *, choice: str, pretrained: bool) -> Stem:
        """What the network sees of images of this size; `choice` is auto, imagenet or small.

        Automatically, weights from ImageNet keep the stem that they were trained with.
        """
        automatic = image_size <= self.small_stem_up_to and not pretrained
        small = automatic if choice == "auto" else choice == "small"
        size = max(image_size, self.min_image_size)
        size = size if self.max_image_size is None else min(size, self.max_image_size)
        if self.image_size is not None and not small:
            size = self.image_size
        elif small:
            size = -(-size // self.size_multiple) * self.size_multiple
        return Stem(size, small)


MODELS: Registry[ModelEntry] = Registry(noted("model"), __name__, ModelError)


def model(
    title: str,
    *,
    num_parameters: int,
    learning_rate: float,
    min_image_size: int = 32,
    max_image_size: int | None = None,
    image_size: int | None = None,
    size_multiple: int = 1,
    small_stem_up_to: int = SMALL_STEM_UP_TO,
    dropout: float = 0.0,
    weights: str | None = None,
    aliases: tuple[str, ...] = (),
) -> Callable[[Build], Build]:
    """Register a recipe: its name is the module's, its description the docstring's first line."""

    def register(build: Build) -> Build:
        name = build.__module__.rpartition(".")[2]
        description = (build.__doc__ or "").strip().partition("\n")[0]
        MODELS.add(
            ModelEntry(
                name, title, aliases, description, num_parameters, learning_rate, min_image_size,
                max_image_size, image_size, size_multiple, small_stem_up_to, dropout, weights, build,
            )
        )  # fmt: skip
        return build

    return register
