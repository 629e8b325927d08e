"""Artefacts on disk, named by the SHA-256 of their content: weights, predictions, embeddings.

`objects/ab/cdef….suffix`. A name exists only once its bytes are on the disk (tmp, fsync, rename, fsync of
the folder), and the row that refers to it is written after that: a crash leaves at most an object that
nobody refers to. Arrays are safetensors, so that reading one runs no code.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from al_core.errors import NotFound, StoreError
from al_core.words import noted, tr

ARRAYS = "safetensors"

_SHA = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"[a-z0-9]{1,16}")


class Objects:
    """The folder of artefacts; processes may share it, and may put the same content at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha: str, suffix: str = ARRAYS) -> Path:
        """Where the object is, or would be.

        Raises:
            StoreError: not a SHA-256 or not a suffix, so it could point out of the folder.
        """
        suffix = suffix.removeprefix(".")
        if not _SHA.fullmatch(sha) or not _SUFFIX.fullmatch(suffix):
            raise StoreError(
                tr(
                    "{sha!r} with suffix {suffix!r} is not the name of an object",
                    sha=sha[:80],
                    suffix=suffix[:40],
                )
            )
        return self.root / sha[:2] / f"{sha[2:]}.{suffix}"

    def put_bytes(self, data: bytes, suffix: str) -> str:
        """Keep these bytes; returns their SHA-256."""
        sha = hashlib.sha256(data).hexdigest()
        place = self.path(sha, suffix)
        with _in_words(place), self._arrival() as file:
            file.write(data)
            _publish(file, place)
        return sha

    def put_file(self, path: Path, suffix: str, *, move: bool = False) -> str:
        """Keep a copy of a file (`move`: then remove the file); returns its SHA-256."""
        digest = hashlib.sha256()
        with _in_words(path), self._arrival() as file:
            with path.open("rb") as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    file.write(block)
            _publish(file, self.path(digest.hexdigest(), suffix))
            if move:
                path.unlink()
        return digest.hexdigest()

    def put_arrays(self, arrays: Mapping[str, np.ndarray]) -> str:
        """Keep named arrays; equal arrays give equal bytes, whatever their order."""
        plain = {name: np.require(arrays[name], requirements="C") for name in sorted(arrays)}
        try:
            data = safetensors.save(plain)
        except (SafetensorError, KeyError, ValueError) as error:
            raise StoreError(
                tr(
                    "arrays {arrays} cannot be kept ({error}); use plain numbers",
                    arrays=sorted(arrays),
                    error=error,
                )
            ) from error
        return self.put_bytes(data, ARRAYS)

    def get_bytes(self, sha: str, suffix: str) -> bytes:
        """Read an object back, verified.

        Raises:
            NotFound: it is not there.
            StoreError: it is damaged.
        """
        place = self.path(sha, suffix)
        with _in_words(place):
            data = place.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha:
            raise _damaged(place)
        return data

    def get_arrays(self, sha: str) -> dict[str, np.ndarray]:
        """Read arrays back, verified. Raises as `get_bytes` does."""
        try:
            return safetensors.load(self.get_bytes(sha, ARRAYS))
        except SafetensorError as error:
            raise StoreError(
                tr("object {sha} does not hold arrays: {error}", sha=sha, error=error)
            ) from error

    def remove(self, sha: str, suffix: str = ARRAYS, *, older_than: float = 0.0) -> int:
        """Remove an object that was put so many seconds ago or more; gives the bytes that were freed."""
        place = self.path(sha, suffix)
        try:
            found = place.stat()
            if time.time() - found.st_mtime < older_than:
                return 0
            place.unlink()
        except FileNotFoundError:  # another process removed it
            return 0
        except OSError as error:
            raise StoreError(
                tr("{place} cannot be removed ({reason})", place=place, reason=error.strerror)
            ) from error
        return found.st_size

    def check(self, progress: Callable[[int, int], None] = lambda done, total: None) -> list[str]:
        """Damage found, in words: every object is read and hashed again; `progress` gets (done, all)."""
        return list(self._damage(progress))

    def _damage(self, progress: Callable[[int, int], None]) -> Iterator[str]:
        places = sorted(self.root.glob("*/*"))
        for done, place in enumerate(places):
            progress(done, len(places))
            sha = place.parent.name + place.name.partition(".")[0]
            if not _SHA.fullmatch(sha):
                yield f"{place} is not an object; move it elsewhere"
                continue
            try:
                self._verify(place, sha)
            except StoreError as error:
                yield str(error)

    @staticmethod
    def _verify(place: Path, sha: str) -> None:
        with _in_words(place), place.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha:
            raise _damaged(place)

    @contextlib.contextmanager
    def _arrival(self) -> Iterator[IO[bytes]]:
        """A file without a lasting name yet; unless published, it is gone at the end."""
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".tmp-", dir=self.root, delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)


def _publish(file: IO[bytes], place: Path) -> None:
    """Give a whole file its name. An object that is there is replaced: it may be damaged."""
    file.flush()
    os.fsync(file.fileno())
    if not place.parent.is_dir():
        place.parent.mkdir(exist_ok=True)
        _sync_folder(place.parent.parent)
    Path(file.name).replace(place)
    _sync_folder(place.parent)


def _damaged(place: Path) -> StoreError:
    size = place.stat().st_size
    if size == 0:
        text = noted("{place} is empty: it was cut off or changed; the round that made it must be run again")
    else:
        text = noted(
            "{place} ({size} bytes) does not have the content that its name says: it was cut off or changed; "
            "the round that made it must be run again"
        )
    return StoreError(tr(text, place=place, size=size))


@contextlib.contextmanager
def _in_words(place: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(tr("{place} is not there", place=place)) from error
    except OSError as error:
        raise StoreError(
            tr(
                "{place} cannot be written or read ({reason}): see that the disk has space and that "
                "the folder can be written, or set AL_HOME; nothing was kept",
                place=place,
                reason=error.strerror,
            )
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make a new name last through a power cut (Windows cannot, and needs no, opening of folders)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
