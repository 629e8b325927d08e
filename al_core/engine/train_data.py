"""What a round trains on, and how it is cut into batches."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from al_core.config import TrainConfig
from al_core.data.dataset import Split
from al_core.engine.inference import Control
from al_core.errors import TrainingError
from al_core.types import Images, Labels, SampleIds
from al_core.words import tr, tr_n

READ_AT_ONCE = 512


@dataclass(frozen=True)
class TrainData:
    """Sample ids of the train split and their classes, as labeled; and what is looked at after each epoch.

    `copies` are made-up images that are trained on beside them: nobody labeled these, they cost nothing and
    are never validated on.
    """

    ids: SampleIds
    classes: Labels
    validation_ids: SampleIds | None = None
    validation_classes: Labels | None = None
    copies: Images | None = None
    copy_classes: Labels | None = None
    weights: Float32[np.ndarray, " n"] | None = None  # of each label in the loss; none: all count one

    @property
    def num_images(self) -> int:
        """Labeled images and copies."""
        return len(self.ids) + (0 if self.copies is None else len(self.copies))

    @property
    def targets(self) -> Labels:
        """The class of each image that is trained on, copies last."""
        return (
            self.classes if self.copy_classes is None else np.concatenate([self.classes, self.copy_classes])
        )

    @property
    def target_weights(self) -> Float32[np.ndarray, " m"] | None:
        """The weight of each image that is trained on, copies last; None where all count one."""
        if self.weights is None or self.copies is None:
            return self.weights
        return np.concatenate([self.weights, np.ones(len(self.copies), np.float32)])

    def images(self, split: Split, control: Control) -> Images:
        """Pixels of what is trained on, in the order of `targets`."""
        labeled = read_images(split, self.ids, control)
        return labeled if self.copies is None else np.concatenate([labeled, self.copies])

    @property
    def has_validation(self) -> bool:
        return self.validation_ids is not None and len(self.validation_ids) > 0

    def hash(self) -> str:
        """Identity of ids, classes, weights and copies."""
        digest = hashlib.sha256()
        for part in (self.ids, self.classes, self.validation_ids, self.validation_classes):
            digest.update(b"|" if part is None else np.asarray(part, np.int64).tobytes() + b"|")
        if self.copies is not None and self.copy_classes is not None:
            digest.update(np.ascontiguousarray(self.copies).tobytes())
            digest.update(np.asarray(self.copy_classes, np.int64).tobytes())
        if self.weights is not None:
            digest.update(np.asarray(self.weights, "<f4").tobytes())
        return digest.hexdigest()


def check_trainable(train: TrainConfig, data: TrainData) -> None:
    """Refuse what cannot be trained on.

    Raises:
        TrainingError: fewer than two classes, or nothing to stop early by.
    """
    present = np.unique(data.classes)
    if len(present) < 2:
        if not len(present):
            raise TrainingError(
                tr(
                    "the labeled set has no images; training needs labels of at least two classes: label "
                    "further images of other classes, or start with init=per_class"
                )
            )
        raise TrainingError(
            tr_n(
                "the labeled set has {n} image of one class (number {number}); training needs labels of at "
                "least two classes: label further images of other classes, or start with init=per_class",
                "the labeled set has {n} images of one class (number {number}); training needs labels of at "
                "least two classes: label further images of other classes, or start with init=per_class",
                len(data.classes),
                number=present[0],
            )
        )
    if train.early_stopping is not None and not data.has_validation:
        raise TrainingError(
            tr(
                "early_stopping={early_stopping} needs validation images: set "
                "train.labeled_validation or data.epoch_validation above 0, or leave early_stopping "
                "empty",
                early_stopping=train.early_stopping,
            )
        )


def read_images(split: Split, ids: SampleIds, control: Control) -> Images:
    """Pixels of many ids; files may take a while, so `control` is asked now and then."""
    parts = []
    for begin in range(0, len(ids), READ_AT_ONCE):
        control()
        parts.append(split.read(ids[begin : begin + READ_AT_ONCE]))
    return np.concatenate(parts)


def split_evenly(positions: np.ndarray, size: int, smallest: int) -> list[np.ndarray]:
    """Parts of at most about `size` and of nearly equal length, none below `smallest`.

    BatchNorm cannot train on one sample, so that with it a remainder of one is spread over the others.
    """
    parts = min(math.ceil(len(positions) / size), max(1, len(positions) // smallest))
    return np.array_split(positions, parts)
