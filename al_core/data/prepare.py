"""Prepare a data set once, open it in milliseconds ever after."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from al_core.config import DataConfig
from al_core.data import storage
from al_core.data.dataset import Dataset, DatasetSummary
from al_core.data.material import Progress, Request, no_progress
from al_core.data.roots import resolve_folder
from al_core.data.sources import SOURCES, Source
from al_core.errors import DataError
from al_core.settings import Settings
from al_core.words import noted, tr

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,80}(\.[0-9]{1,6})?")


def parse_dataset(text: str) -> tuple[Source, str | None]:
    """The source and the path of `name` or `name:PATH`.

    Raises:
        DataError: there is no such source, or it takes no path, or needs one.
    """
    name, colon, path = text.partition(":")
    source = SOURCES.get(name.strip())
    if colon and source.path == "no":
        raise DataError(
            tr("{source} takes no path; write {source!r} instead of {text!r}", source=source.name, text=text)
        )
    if source.path == "required" and not path.strip():
        raise DataError(tr("{source} needs a path: write {source}:PATH", source=source.name))
    return source, path if colon else None


def dataset_key(data: DataConfig) -> str:
    """Name of a prepared data set's folder: the source, and what else decides its content.

    A folder of pictures that changed, or is given other classes, is prepared beside the earlier one: its key
    then ends in .2, .3, and so on. `prepared_key` finds the newest.
    """
    source, path = parse_dataset(data.dataset)
    if path is None:
        return source.name
    real = os.path.realpath(Path(path).expanduser()) if "\0" not in path else path
    decides = os.fsencode(real) + (b"" if source.splits_itself else f"\0{data.test_fraction!r}".encode())
    name = re.sub(r"[^a-z0-9]+", "-", os.path.basename(real).lower()).strip("-")[:24]  # noqa: PTH119 - any bytes
    parts = [source.name, name, hashlib.sha256(decides).hexdigest()[:10]]
    return "-".join(part for part in parts if part)


def prepare(
    settings: Settings,
    data: DataConfig,
    progress: Progress = no_progress,
    *,
    classes: Sequence[str] | None = None,
    download: bool = False,
    trusted: bool = False,
) -> Dataset:
    """The data set of a config: opened if it is prepared already, prepared otherwise.

    `classes` names the classes of pictures without labels. Nothing is downloaded unless `download`.
    `trusted` allows a path outside the data roots (the command line's).

    Raises:
        DataError: with the reason and the way out; nothing is left behind.
    """
    source, path = parse_dataset(data.dataset)
    folder = None if path is None else resolve_folder(settings, path, trusted=trusted)
    key = dataset_key(data)
    wanted = None if classes is None else tuple(classes)
    request = Request(settings, data, folder, settings.datasets, progress, wanted, download, trusted)
    revision = "" if source.revision is None else source.revision(request)
    for variant, meta in reversed(_variants(settings, key)):
        if meta["revision"] == revision and (wanted is None or tuple(meta["classes"]) == wanted):
            return open_dataset(settings, variant)
    try:
        return _prepare(settings, source, request, key, revision)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full:
            text = noted("{dataset} cannot be prepared ({error}); make room on the disk")
        else:
            text = noted(
                "{dataset} cannot be prepared ({error}); see that the folder can be written, or set AL_HOME"
            )
        raise DataError(tr(text, dataset=data.dataset, error=error)) from error


def _prepare(settings: Settings, source: Source, request: Request, key: str, revision: str) -> Dataset:
    with storage.workspace(settings.datasets, key) as folder:
        scratch = folder / "scratch"
        scratch.mkdir()
        material = source.load(request.at(scratch))
        meta = storage.write(
            folder, material, source=source.name, revision=revision, progress=request.progress
        )
        del material
        storage.remove(scratch)
        while True:
            variants = _variants(settings, key)
            for variant, old in reversed(variants):
                if all(old[name] == meta[name] for name in ("fingerprint", "classes", "root")):
                    # touched, not changed: what was prepared before still holds
                    storage.write_meta(settings.datasets / variant, old | {"revision": revision})
                    return open_dataset(settings, variant)
            name = _next(key, [variant for variant, _ in variants])
            try:
                storage.publish(folder, settings.datasets / name, meta)
            except FileExistsError:
                continue  # another process was first; perhaps with the same
            return open_dataset(settings, name)


def _number(variant: str) -> int:
    return int(variant.partition(".")[2] or 1)


def _next(key: str, variants: Sequence[str]) -> str:
    number = max(map(_number, variants), default=0) + 1
    return key if number == 1 else f"{key}.{number}"


def _variants(settings: Settings, key: str) -> list[tuple[str, dict[str, Any]]]:
    """The complete folders of a key with their metas, oldest first."""
    found = []
    for folder in settings.datasets.glob(f"{key}*"):
        if folder.name.partition(".")[0] == key and _KEY.fullmatch(folder.name):
            meta = storage.read_meta(folder)
            if meta is not None:
                found.append((folder.name, meta))
    return sorted(found, key=lambda item: _number(item[0]))


def open_dataset(settings: Settings, key: str) -> Dataset:
    """A prepared data set, without reading a pixel.

    Raises:
        DataError: it is not prepared, or damaged.
    """
    if not _KEY.fullmatch(key):
        raise DataError(tr("{key!r} is not the key of a data set", key=key))
    return storage.open_folder(settings.datasets / key, key)


def shared_dataset(settings: Settings, key: str) -> Dataset:
    """The same, opened once a process for as long as it is what is on the disk.

    Raises:
        DataError: it is not prepared, or damaged.
    """
    if not _KEY.fullmatch(key):
        raise DataError(tr("{key!r} is not the key of a data set", key=key))
    try:
        meta = (settings.datasets / key / "meta.json").stat()
    except OSError:
        return open_dataset(settings, key)  # which says what is wrong
    return _shared(settings.datasets, key, (meta.st_ino, meta.st_mtime_ns, meta.st_size))


@lru_cache(maxsize=8)
def _shared(datasets: Path, key: str, stamp: tuple[int, ...]) -> Dataset:
    del stamp  # only there to be part of the key
    return storage.open_folder(datasets / key, key)


def prepared_key(settings: Settings, data: DataConfig) -> str | None:
    """The key of a config's data set if it is prepared: the newest, where a folder was prepared again.

    None, too, for a name that is no data set's: forms ask while a person types.
    """
    try:
        variants = _variants(settings, dataset_key(data))
    except DataError:
        return None
    return variants[-1][0] if variants else None


def list_prepared(settings: Settings) -> list[DatasetSummary]:
    """All prepared data sets, by title."""
    found = []
    for folder in settings.datasets.glob("*"):
        meta = storage.read_meta(folder) if _KEY.fullmatch(folder.name) else None
        if meta is not None:
            found.append(storage.summary(folder.name, meta))
    return sorted(found, key=lambda item: (item.title, item.key))
