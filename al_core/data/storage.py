"""A prepared data set on disk: a folder of plain .npy files and a meta.json, complete or absent.

It is written under a temporary name, flushed, and renamed; meta.json is the last file. So a folder with a
meta.json is whole, whenever the process or the power went away.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Protocol

import numpy as np

from al_core.data.cache import PixelCache
from al_core.data.dataset import Augmentation, Dataset, DatasetSummary, Refusal, Split
from al_core.data.material import Material, Moments, Progress
from al_core.data.names import Names
from al_core.data.photos import FileSplit, sizes_file
from al_core.data.pixels import MemmapSplit
from al_core.errors import DataError
from al_core.types import UNKNOWN, SplitName
from al_core.words import tr

FORMAT: Final = 2
_CHUNK: Final = 2048
_TEMPORARY: Final = ".tmp-"


class Digest(Protocol):
    """What hashlib gives: fed in pieces."""

    def update(self, data: Any, /) -> None: ...


@contextlib.contextmanager
def workspace(datasets: Path, key: str) -> Iterator[Path]:
    """A new folder beside the prepared ones, removed at the end if it is still there.

    It is locked while its process lives, so that the next prepare can tell a killed one's leftovers.
    """
    datasets.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(datasets)
    folder, lock = _locked_folder(datasets, key)
    with lock:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _locked_folder(datasets: Path, key: str) -> tuple[Path, BinaryIO]:
    """A new folder and the open file that locks it.

    Between the file's making and its lock another process may take the folder for a leftover and remove it:
    then the lock is on a file that is no longer there, and another folder is made.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{key}-", dir=datasets))
        lock = (folder / ".lock").open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock.fileno()).st_nlink:
            return folder, lock
        lock.close()


def _remove_leftovers(datasets: Path) -> None:
    for folder in datasets.glob(f"{_TEMPORARY}*"):
        try:
            with (folder / ".lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        except OSError:
            # not locked yet, or being renamed: only what is old is a leftover
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > 3600:
                    shutil.rmtree(folder, ignore_errors=True)


def write(
    folder: Path, material: Material, *, source: str, revision: str, progress: Progress
) -> dict[str, Any]:
    """Write a data set's files into an empty folder and return its meta, which `publish` writes last."""
    digest = hashlib.sha256()
    digest.update(json.dumps(["memmap", material.classes, material.image_size]).encode())
    num_train, num_test = len(material.train.labels), len(material.test.labels)
    total = num_train + num_test
    moments = _write_part(folder, "train", material, digest, lambda done: progress("write", done, total))
    _write_part(folder, "test", material, digest, lambda done: progress("write", num_train + done, total))
    progress("write", total, total)
    refused = [asdict(refusal) for refusal in material.refused]
    (folder / "refused.json").write_text(json.dumps(refused))
    mean, std = (material.moments or moments).mean_and_std()
    return {
        "format": FORMAT,
        "source": source,
        "revision": revision,
        "title": material.title,
        "classes": list(material.classes),
        "kind": material.kind,
        "fingerprint": material.fingerprint or digest.hexdigest(),
        "image_size": material.image_size,
        "pixelated": material.pixelated,
        "augmentation": asdict(material.augmentation),
        "mean": mean,
        "std": std,
        "notes": list(material.notes),
        "cases": {name: list(ids) for name, ids in material.cases.items()},
        "root": None if material.root is None else str(material.root),
        "num_train": num_train,
        "num_test": num_test,
        "has_truth": bool(num_train) and bool((material.train.labels != UNKNOWN).all()),
        "num_refused": len(material.refused),
        "prepared_at": time.time(),
    }


def _write_part(
    folder: Path, name: SplitName, material: Material, digest: Digest, told: Callable[[int], None]
) -> Moments:
    """Write labels, names and pixels of a split; its content goes into the digest."""
    part = material.train if name == "train" else material.test
    count, size = len(part.labels), material.image_size
    np.save(folder / f"{name}_labels.npy", part.labels.astype(np.int64))
    if part.names is not None:
        names = Names.pack(part.names)
        np.save(folder / f"{name}_names.npy", names.blob)
        np.save(folder / f"{name}_ends.npy", names.ends)
    if part.sizes is not None:
        np.save(sizes_file(folder, name), part.sizes)
    moments = Moments()
    if material.kind == "files":
        cache = None if part.images is None else PixelCache.open(folder, name, count, size)
        for start in range(0, count, _CHUNK):
            told(start)
            if cache is not None:
                pictures = part.chunk(start, min(start + _CHUNK, count))
                cache.put(np.arange(start, start + len(pictures)), pictures)
        return moments
    digest.update(json.dumps([name, count]).encode())
    with (folder / f"{name}_images.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, count, _CHUNK):
            told(start)
            pictures = part.chunk(start, min(start + _CHUNK, count))
            file.write(pictures.data)
            digest.update(pictures.data)
            if name == "train" and material.moments is None:
                moments = moments.add(pictures)
    digest.update(part.labels.astype("<i8").tobytes())
    return moments


def publish(folder: Path, target: Path, meta: dict[str, Any]) -> None:
    """Make a written folder a prepared data set, all at once.

    Raises:
        FileExistsError: another process was first.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            _flush(path)
    write_meta(folder, meta)
    _flush(folder)
    if target.exists() and read_meta(target) is None:
        # a folder of another version, or one that somebody else damaged
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=target.parent) as away:
            target.rename(Path(away) / "old")
    try:
        folder.rename(target)
    except OSError as error:
        if target.exists():
            raise FileExistsError(str(target)) from error
        raise
    (target / ".lock").unlink(missing_ok=True)
    _flush(target.parent)


def write_meta(folder: Path, meta: dict[str, Any]) -> None:
    """Write or replace meta.json; a reader sees the old or the new one."""
    new = folder / f".meta-{uuid.uuid4().hex}"  # threads of one process may write at once
    new.write_text(json.dumps(meta, indent=1))
    _flush(new)
    new.replace(folder / "meta.json")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_meta(folder: Path) -> dict[str, Any] | None:
    """The meta of a prepared data set, or None where there is no complete one of this version."""
    try:
        meta = json.loads((folder / "meta.json").read_text())
    except (OSError, ValueError):
        return None
    return meta if isinstance(meta, dict) and meta.get("format") == FORMAT else None


def summary(key: str, meta: dict[str, Any]) -> DatasetSummary:
    """What a list shows of a data set."""
    return DatasetSummary(
        key, meta["source"], meta["title"], meta["kind"], len(meta["classes"]), meta["num_train"],
        meta["num_test"], meta["image_size"], meta["has_truth"], meta["num_refused"], meta["fingerprint"],
        meta["prepared_at"],
    )  # fmt: skip


def open_folder(folder: Path, key: str) -> Dataset:
    """Open a prepared data set: maps files, reads no pixels.

    Raises:
        DataError: it is not there, or one of its files is missing or damaged.
    """
    meta = read_meta(folder)
    if meta is None:
        raise DataError(
            tr(
                "the data set {key!r} is not prepared; prepare it on the Setup page or with `prepare`",
                key=key,
            )
        )
    try:
        refused = tuple(Refusal(**item) for item in json.loads((folder / "refused.json").read_text()))
        train, test = (_split(folder, name, meta) for name in ("train", "test"))
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            tr(
                "the prepared data set {key!r} is damaged ({error}); remove {folder} and prepare it again",
                key=key,
                error=error,
                folder=folder,
            )
        ) from error
    return Dataset(
        key=key, source=meta["source"], title=meta["title"], classes=tuple(meta["classes"]),
        fingerprint=meta["fingerprint"], train=train, test=test, image_size=meta["image_size"],
        pixelated=meta["pixelated"], kind=meta["kind"], augmentation=Augmentation(**meta["augmentation"]),
        mean=tuple(meta["mean"]), std=tuple(meta["std"]), refused=refused, notes=tuple(meta["notes"]),
        cases={name: tuple(ids) for name, ids in meta["cases"].items()},
    )  # fmt: skip


def _split(folder: Path, name: Literal["train", "test"], meta: dict[str, Any]) -> Split:
    labels = np.load(folder / f"{name}_labels.npy", allow_pickle=False)
    if labels.shape != (meta[f"num_{name}"],):
        raise ValueError(f"{name}_labels.npy holds {labels.shape}, not {meta[f'num_{name}']} labels")
    labels.flags.writeable = False
    names = None
    if (folder / f"{name}_names.npy").exists():
        names = Names(_map(folder / f"{name}_names.npy"), _map(folder / f"{name}_ends.npy"))
    if meta["kind"] == "files":
        if names is None:
            raise ValueError(f"{name}_names.npy is missing")
        return FileSplit(name, labels, names, Path(meta["root"]), meta["image_size"], folder)
    images = _map(folder / f"{name}_images.npy")
    if len(images) != len(labels):
        raise ValueError(f"{name}_images.npy holds {len(images)} pictures for {len(labels)} labels")
    return MemmapSplit(name, labels, images, names)


def _map(path: Path) -> np.ndarray:
    # an empty array cannot be mapped
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        return np.load(path, allow_pickle=False)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it."""
    shutil.rmtree(folder)
