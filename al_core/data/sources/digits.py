"""Optical recognition of handwritten digits (Alpaydin & Kaynak, 1998), as scikit-learn ships it."""

from __future__ import annotations

from typing import Any

import numpy as np

from al_core import seeds
from al_core.data.dataset import Augmentation
from al_core.data.material import Material, Part, Request
from al_core.data.sources import source
from al_core.data.stratify import stratified

CLASSES = tuple("0123456789")
NUM_TEST = 500


@source(
    "Digits (8 x 8)", aliases=("sklearn_digits",), classes_hint=CLASSES, num_train=1297,
    num_test=NUM_TEST, image_size=8,
)  # fmt: skip
def digits(request: Request) -> Material:
    """1,797 handwritten digits of 8 x 8 pixels; nothing to download, seconds to train."""
    from sklearn.datasets import load_digits

    request.progress("load", 0, 1)
    bunch: Any = load_digits()
    labels = np.asarray(bunch["target"], np.int64)
    images = np.rint(np.asarray(bunch["images"]) * (255 / 16)).astype(np.uint8)
    test = stratified(labels, NUM_TEST, seeds.generator(0, "digits test split"))
    train = np.setdiff1d(np.arange(len(labels)), test)
    request.progress("load", 1, 1)
    return Material(
        title="Digits (8 x 8)",
        classes=CLASSES,
        train=Part(labels[train], images, train),
        test=Part(labels[test], images, test),
        augmentation=Augmentation(crop_padding=1),
        image_size=8,
    )
