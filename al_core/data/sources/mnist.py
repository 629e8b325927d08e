"""MNIST (LeCun et al., 1998), Fashion-MNIST (Xiao et al., 2017) and EMNIST (Cohen et al., 2017)."""

from __future__ import annotations

import gzip
import string
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from al_core.data.dataset import Augmentation
from al_core.data.material import Material, Part, Request
from al_core.data.sources import SOURCES, Source, _found, _idx, source
from al_core.errors import DataError
from al_core.types import Images, Labels
from al_core.words import kept, tr

DIGITS: Final = tuple(string.digits)
FASHION: Final = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
WRITING: Final = Augmentation(crop_padding=2, rotation_degrees=15.0, contrast=0.1)
"""No flip: a mirrored letter is another letter, or none."""

_MNIST_FILES: Final = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@source(
    "MNIST", classes_hint=DIGITS, num_train=60_000, num_test=10_000, image_size=28,
    download_megabytes=12, path="optional",
)  # fmt: skip
def mnist(request: Request) -> Material:
    """70,000 handwritten digits of 28 x 28 pixels."""
    folder = _find_mnist(request, "MNIST", "MNIST", 12)
    return _material(request, "MNIST", DIGITS, _files(folder, _MNIST_FILES), WRITING)


@source(
    "Fashion-MNIST", aliases=("fmnist",), classes_hint=FASHION, num_train=60_000, num_test=10_000,
    image_size=28, download_megabytes=31, path="optional",
)  # fmt: skip
def fashion_mnist(request: Request) -> Material:
    """70,000 grey pictures of clothes of 28 x 28 pixels."""
    folder = _find_mnist(request, "Fashion-MNIST", "FashionMNIST", 31)
    augmentation = Augmentation(crop_padding=2, horizontal_flip=True, contrast=0.1)
    return _material(request, "Fashion-MNIST", FASHION, _files(folder, _MNIST_FILES), augmentation)


_LETTERS: Final = tuple(string.ascii_lowercase)
_BY_CLASS: Final = DIGITS + tuple(string.ascii_uppercase) + _LETTERS
# lower-case letters that look like their capitals share a class with them
_BY_MERGE: Final = tuple(c for c in _BY_CLASS if c not in "cijklmopsuvwxyz")
_EMNIST: Final[dict[str, tuple[tuple[str, ...], int, int, str]]] = {
    "balanced": (_BY_MERGE, 112_800, 18_800, "digits and letters in 47 classes of equal size"),
    "byclass": (_BY_CLASS, 697_932, 116_323, "digits, capitals and small letters in 62 classes"),
    "bymerge": (
        _BY_MERGE,
        697_932,
        116_323,
        "digits and letters in 47 classes as often as people write them",
    ),
    "letters": (_LETTERS, 124_800, 20_800, "letters, capital and small together, in 26 classes"),
    "digits": (DIGITS, 240_000, 40_000, "digits"),
    "mnist": (DIGITS, 60_000, 10_000, "digits, prepared as MNIST's were"),
}
EMNIST_MEGABYTES: Final = 562


def _emnist(request: Request, split: str) -> Material:
    title = f"EMNIST {split}"
    classes, num_train, num_test, _ = _EMNIST[split]
    names = {
        part: (f"emnist-{split}-{part}-images-idx3-ubyte", f"emnist-{split}-{part}-labels-idx1-ubyte")
        for part in ("train", "test")
    }
    wanted = [name for pair in names.values() for name in pair]
    folder = _search(request, ["EMNIST/raw", "raw", "gzip", "EMNIST"], wanted)
    archives = [f / "gzip.zip" for f in _found.candidates(request, ["EMNIST/raw"])]
    archive = next((path for path in archives if path.is_file()), None)
    if folder is None and archive is None and not request.download:
        raise _found.absent(request, title, EMNIST_MEGABYTES, "gzip.zip or the files EMNIST/raw/emnist-*")
    if folder is None:
        from torchvision.datasets import EMNIST

        archive = archive or _found.fetch(request, EMNIST.url, EMNIST.md5, "EMNIST")
        folder = _extract(request, archive, wanted)
    parts = _files(folder, names)
    counts = len(parts[0][1]), len(parts[1][1])
    notes = ()
    if counts != (num_train, num_test):
        notes = (
            kept(
                "{train} + {test} pictures, not the official {num_train} + {num_test}",
                train=counts[0],
                test=counts[1],
                num_train=num_train,
                num_test=num_test,
            ),
        )
    # the files count letters from 1, and their class 0 is empty
    first = 1 if split == "letters" else 0
    # and they hold every picture transposed
    upright = [(images.transpose(0, 2, 1), labels - first) for images, labels in parts]
    return _material(request, title, classes, upright, WRITING, notes)


def _extract(request: Request, archive: Path, wanted: Sequence[str]) -> Path:
    """The wanted files out of EMNIST's zip, and no others."""
    folder = request.workspace / "emnist"
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as bundle:
            for done, name in enumerate(wanted):
                request.progress("extract", done, len(wanted))
                with bundle.open(f"gzip/{name}.gz") as packed, gzip.open(packed) as file:
                    array = _idx.parse(file, name)
                with (folder / name).open("wb") as plain:
                    shape = b"".join(side.to_bytes(4, "big") for side in array.shape)
                    plain.write(b"\0\0\x08" + bytes([array.ndim]) + shape + array.tobytes())
    except (OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            tr("{archive} is not EMNIST's archive ({error}); remove it", archive=archive, error=error)
        ) from error
    return folder


def _find_mnist(request: Request, title: str, class_name: str, megabytes: float) -> Path:
    wanted = [name for pair in _MNIST_FILES.values() for name in pair]
    # the two have files of the same names, so that a shared folder is only searched by class name
    below = [f"{class_name}/raw", class_name] if request.path is None else [f"{class_name}/raw", "raw"]
    folder = _search(request, below, wanted, itself=request.path is not None)
    if folder is not None:
        return folder
    if not request.download:
        raise _found.absent(
            request, title, megabytes, tr("{folder}/raw/*-ubyte (plain or .gz)", folder=class_name)
        )
    import torchvision.datasets

    known: Any = getattr(torchvision.datasets, class_name)
    folder = request.settings.downloads / class_name / "raw"
    for name, md5 in known.resources:
        problem: DataError | None = None
        for mirror in known.mirrors:
            try:
                _found.fetch(request, f"{mirror}{name}", md5, title, folder)
                problem = None
                break
            except DataError as error:
                problem = error
        if problem is not None:
            raise problem
    return folder


def _search(
    request: Request, below: Sequence[str], wanted: Sequence[str], *, itself: bool = True
) -> Path | None:
    for folder in _found.candidates(request, below):
        if not itself and folder in _found.places(request):
            continue
        if all(_idx.find(folder, name) for name in wanted):
            return folder
    return None


def _files(folder: Path, names: dict[str, tuple[str, str]]) -> list[tuple[Images, Labels]]:
    parts = []
    for part, pair in names.items():
        images, labels = (_idx.read(path) for name in pair if (path := _idx.find(folder, name)))
        if images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
            raise DataError(
                tr(
                    "the {part} files in {folder} do not fit: pictures {shape}, labels {labels_shape}",
                    part=part,
                    folder=folder,
                    shape=images.shape,
                    labels_shape=labels.shape,
                )
            )
        parts.append((images, labels.astype(np.int64)))
    return parts


def _material(
    request: Request,
    title: str,
    classes: tuple[str, ...],
    parts: Sequence[tuple[Images, Labels]],
    augmentation: Augmentation,
    notes: tuple[str, ...] = (),
) -> Material:
    request.progress("load", 1, 1)
    for _, labels in parts:
        if len(labels) == 0 or labels.min() < 0 or labels.max() >= len(classes):
            raise DataError(
                tr("the labels of {title} must lie between 0 and {n}", title=title, n=len(classes) - 1)
            )
    (images, labels), (test_images, test_labels) = parts
    return Material(
        title=title, classes=classes, train=Part(labels, images), test=Part(test_labels, test_images),
        augmentation=augmentation, image_size=28, notes=notes,
    )  # fmt: skip


for _split, (_classes, _train, _test, _text) in _EMNIST.items():
    SOURCES.add(
        Source(
            name=f"emnist_{_split}", title=f"EMNIST {_split}",
            load=lambda request, split=_split: _emnist(request, split),
            aliases=("emnist",) if _split == "balanced" else (),
            description=f"Handwriting of 28 x 28 pixels: {_text}.", classes_hint=_classes,
            num_train=_train, num_test=_test, image_size=28, download_megabytes=EMNIST_MEGABYTES,
            path="optional",
        )
    )  # fmt: skip
