"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009), from the python version's files as torchvision lays them out."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from al_core.data.dataset import Augmentation
from al_core.data.images import MAX_BYTES
from al_core.data.material import Material, Part, Request
from al_core.data.sources import _found, _pickles, source
from al_core.errors import DataError
from al_core.types import Images, Labels
from al_core.words import kept, tr

AUGMENTATION: Final = Augmentation(4, True, 15.0, 0.1, 0.1)
_ROW: Final = 3 * 32 * 32


@dataclass(frozen=True)
class Layout:
    """Names and counts of one of the two."""

    title: str
    folder: str
    archive: str
    train: tuple[str, ...]
    test: str
    meta: str
    names_key: str
    labels_key: str
    per_file: tuple[int, int]  # pictures in each train file, and in the test file
    num_classes: int
    megabytes: float


CIFAR10: Final = Layout(
    "CIFAR-10", "cifar-10-batches-py", "cifar-10-python.tar.gz",
    tuple(f"data_batch_{k}" for k in range(1, 6)), "test_batch", "batches.meta", "label_names", "labels",
    (10_000, 10_000), 10, 170,
)  # fmt: skip
CIFAR100: Final = Layout(
    "CIFAR-100", "cifar-100-python", "cifar-100-python.tar.gz", ("train",), "test", "meta",
    "fine_label_names", "fine_labels", (50_000, 10_000), 100, 169,
)  # fmt: skip

_OFFICIAL: Final = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    "meta": "7973b15100ade9c7d40fb424638fde48",
}
"""MD5 of the files as their authors publish them."""

CLASSES: Final = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


@source(
    "CIFAR-10", aliases=("cifar_10",), classes_hint=CLASSES, num_train=50_000, num_test=10_000,
    image_size=32, download_megabytes=CIFAR10.megabytes, path="optional",
)  # fmt: skip
def cifar10(request: Request) -> Material:
    """60,000 small photos of animals and vehicles in 10 classes; the field's usual benchmark."""
    return _load(request, CIFAR10)


@source(
    "CIFAR-100", aliases=("cifar_100",), num_train=50_000, num_test=10_000, image_size=32,
    download_megabytes=CIFAR100.megabytes, path="optional",
)  # fmt: skip
def cifar100(request: Request) -> Material:
    """60,000 small photos in 100 classes, 500 train pictures each."""
    return _load(request, CIFAR100)


def _load(request: Request, layout: Layout) -> Material:
    read = _reader(request, layout)
    wanted = (*layout.train, layout.test, layout.meta)
    tables, official = {}, True
    for done, name in enumerate(wanted):
        request.progress("load", done, len(wanted))
        data = read(name)
        official &= hashlib.md5(data, usedforsecurity=False).hexdigest() == _OFFICIAL[name]
        tables[name] = _pickles.read(data, f"{layout.title}'s {name}")
    classes = _class_names(tables[layout.meta], layout)
    parts = [_part(tables[name], layout, name, layout.per_file[0]) for name in layout.train]
    images = np.concatenate([pictures for pictures, _ in parts])
    labels = np.concatenate([ids for _, ids in parts])
    test_images, test_labels = _part(tables[layout.test], layout, layout.test, layout.per_file[1])
    request.progress("load", len(wanted), len(wanted))
    repack = kept(
        "these files are not the official ones byte for byte, but a re-pack of {data}: their counts, shapes "
        "and labels were checked",
        data=layout.title,
    )
    return Material(
        title=layout.title,
        classes=classes,
        train=Part(labels, images),
        test=Part(test_labels, test_images),
        augmentation=AUGMENTATION,
        image_size=32,
        notes=() if official else (repack,),
    )


def _reader(request: Request, layout: Layout) -> Callable[[str], bytes]:
    """How the bytes of each file are had: from a folder, or out of the archive."""
    for folder in _found.candidates(request, [layout.folder]):
        if (folder / layout.test).is_file():
            return lambda name: _read_file(folder, name, layout)
        if (folder / layout.archive).is_file():
            return lambda name: _read_member(folder / layout.archive, name, layout)
    if not request.download:
        raise _found.absent(
            request,
            layout.title,
            layout.megabytes,
            tr("{archive} or the folder {folder}", archive=layout.archive, folder=layout.folder),
        )
    from torchvision.datasets import CIFAR10 as TEN
    from torchvision.datasets import CIFAR100 as HUNDRED

    known: Any = TEN if layout is CIFAR10 else HUNDRED
    archive = _found.fetch(request, known.url, known.tgz_md5, layout.title)
    return lambda name: _read_member(archive, name, layout)


def _read_file(folder: Path, name: str, layout: Layout) -> bytes:
    path = folder / name
    try:
        if path.stat().st_size > 4 * MAX_BYTES:
            raise DataError(
                tr("{path} is too large to be a file of {layout}", path=path, layout=layout.title)
            )
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            tr(
                "{path} of {layout} cannot be read ({reason})",
                path=path,
                layout=layout.title,
                reason=error.strerror,
            )
        ) from error


def _read_member(archive: Path, name: str, layout: Layout) -> bytes:
    try:
        with tarfile.open(archive) as tar:
            member = tar.getmember(f"{layout.folder}/{name}")
            file = tar.extractfile(member) if member.isreg() and member.size <= 4 * MAX_BYTES else None
            if file is None:
                raise DataError(
                    tr(
                        "{archive} holds no file {name} of {layout}",
                        archive=archive,
                        name=name,
                        layout=layout.title,
                    )
                )
            return file.read()
    except (OSError, tarfile.TarError, KeyError, EOFError) as error:
        raise DataError(
            tr(
                "{archive} is no archive of {layout} ({error}); remove it",
                archive=archive,
                layout=layout.title,
                error=error,
            )
        ) from error


def _class_names(meta: dict[str, Any], layout: Layout) -> tuple[str, ...]:
    names = meta.get(layout.names_key)
    if not isinstance(names, list) or len({str(name) for name in names}) != layout.num_classes:
        raise DataError(
            tr(
                "{meta} of {layout} does not name {num_classes} classes",
                meta=layout.meta,
                layout=layout.title,
                num_classes=layout.num_classes,
            )
        )
    return tuple(str(name) for name in names)


def _part(table: dict[str, Any], layout: Layout, name: str, expected: int) -> tuple[Images, Labels]:
    data, labels = table.get("data"), table.get(layout.labels_key)
    try:
        ids = np.asarray(labels, np.int64)
    except (TypeError, ValueError):
        ids = np.empty(0, np.int64)
    shape = getattr(data, "shape", None)
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or shape != (expected, _ROW):
        raise DataError(
            tr(
                "{name} of {layout} holds pictures of shape {shape}, not {wanted}",
                name=name,
                layout=layout.title,
                shape=shape,
                wanted=(expected, _ROW),
            )
        )
    if ids.shape != (expected,) or ids.min() < 0 or ids.max() >= layout.num_classes:
        raise DataError(
            tr(
                "{name} of {layout} needs {expected} labels from 0 to {num_classes}",
                name=name,
                layout=layout.title,
                expected=expected,
                num_classes=layout.num_classes - 1,
            )
        )
    return data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), ids
