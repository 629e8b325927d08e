"""Street View House Numbers, cropped digits (Netzer et al., 2011)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from al_core.data.dataset import Augmentation
from al_core.data.material import Material, Part, Request
from al_core.data.sources import _found, source
from al_core.errors import DataError
from al_core.words import tr

CLASSES: Final = tuple("0123456789")
MEGABYTES: Final = 246


@source(
    "SVHN", classes_hint=CLASSES, num_train=73_257, num_test=26_032, image_size=32,
    download_megabytes=MEGABYTES, path="optional",
)  # fmt: skip
def svhn(request: Request) -> Material:
    """99,289 digits of house numbers in street photos; classes are unequal in size."""
    train, test = (_part(request, name) for name in ("train", "test"))
    return Material(
        title="SVHN",
        classes=CLASSES,
        train=train,
        test=test,
        # digits: no flip
        augmentation=Augmentation(crop_padding=4, rotation_degrees=15.0, contrast=0.1, hue=0.1),
        image_size=32,
    )


def _part(request: Request, name: str) -> Part:
    file = f"{name}_32x32.mat"
    found = [f / file for f in _found.candidates(request, ["SVHN", "svhn"]) if (f / file).is_file()]
    if found:
        path = found[0]
    elif request.download:
        from torchvision.datasets import SVHN

        url, _, md5 = SVHN.split_list[name]
        path = _found.fetch(request, url, md5, "SVHN")
    else:
        raise _found.absent(request, "SVHN", MEGABYTES, "train_32x32.mat and test_32x32.mat")
    request.progress("load", int(name == "test"), 2)
    return _read(path)


def _read(path: Path) -> Part:
    import scipy.io

    try:
        tables: Any = scipy.io.loadmat(path, variable_names=["X", "y"])
        images, labels = tables["X"], tables["y"].ravel().astype(np.int64)
    except Exception as error:  # damaged files make the reader raise nearly anything
        raise DataError(tr("{path} is no file of SVHN ({error})", path=path, error=error)) from error
    if images.dtype != np.uint8 or images.shape != (32, 32, 3, len(labels)) or len(labels) == 0:
        raise DataError(
            tr(
                "{path} holds pictures of shape {shape} for {n} labels",
                path=path,
                shape=images.shape,
                n=len(labels),
            )
        )
    if labels.min() < 0 or labels.max() > 10:
        raise DataError(tr("the labels in {path} must lie between 0 and 10", path=path))
    # the files write 0 as 10
    return Part(labels % 10, images.transpose(3, 0, 1, 2))
