"""What the browser asked to have classified: a folder of its own under AL_HOME, until it is a day old.

`asked.json` says which model and which pictures; the worker adds `predictions.csv` and, last, `result.json`.
Uploaded files are written under harmless names and opened by nobody but the worker's decoders.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from al_core.data.images import MAX_BYTES
from al_core.deploy.pictures import Refused
from al_core.errors import DataError, NotFound
from al_core.exchange.archive import DAMAGED
from al_core.results.export import safe_name
from al_core.results.records_file import write_json
from al_core.settings import Settings
from al_core.words import kept, noted, told, tr

KEPT_SECONDS: Final = 24 * 3600
MAX_FILES: Final = 5_000
"""Pictures at once from the browser; the command line has no limit."""
MAX_UNPACKED: Final = 512 * 2**20
"""Bytes of all uploaded pictures, unpacked."""
_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Asked:
    """One request. `root` is where the pictures are; `refused` was turned away before it was written."""

    token: str
    experiment: str
    round: int | None
    root: Path
    refused: tuple[Refused, ...] = ()


def place(settings: Settings, token: str) -> Path:
    """The folder of a request.

    Raises:
        NotFound: not a token, so it could point elsewhere.
    """
    if not _TOKEN.fullmatch(token):
        raise NotFound(tr("there is no such prediction"))
    return settings.predictions / token


def ask_about_folder(settings: Settings, experiment: str, number: int | None, folder: Path) -> Asked:
    """A request about pictures that are here already; they stay where they are."""
    token = _begin(settings)
    return _write(settings, Asked(token, experiment, number, folder))


def ask_about_uploads(
    settings: Settings, experiment: str, number: int | None, files: Iterable[tuple[str, IO[bytes]]]
) -> Asked:
    """A request about uploaded files; a zip is taken apart.

    Raises:
        DataError: no file is left, or they are too many or too large together.
    """
    token = _begin(settings)
    root = place(settings, token) / "pictures"
    root.mkdir()
    try:
        keeper = _Keeper(root)
        for name, file in files:
            keeper.take(name, file)
        if not keeper.count:
            reasons = "; ".join(f"{r.name}: {told(r.reason)}" for r in keeper.refused[:3]) or tr(
                "nothing was sent"
            )
            raise DataError(tr("there is no picture to classify ({reasons})", reasons=reasons))
    except BaseException:
        shutil.rmtree(root.parent, ignore_errors=True)
        raise
    return _write(settings, Asked(token, experiment, number, root, tuple(keeper.refused)))


def _begin(settings: Settings) -> str:
    """A new folder; those of yesterday go."""
    settings.predictions.mkdir(parents=True, exist_ok=True)
    for folder in settings.predictions.iterdir():
        if _TOKEN.fullmatch(folder.name) and time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
    token = secrets.token_hex(16)
    place(settings, token).mkdir(mode=0o700)
    return token


def _write(settings: Settings, asked: Asked) -> Asked:
    values = {
        "experiment": asked.experiment, "round": asked.round, "root": os.fspath(asked.root),
        "refused": [[r.name, r.reason] for r in asked.refused],
    }  # fmt: skip
    write_json(place(settings, asked.token) / "asked.json", values)
    return asked


def read_asked(settings: Settings, token: str) -> Asked:
    """A request by its token.

    Raises:
        NotFound: there is none, or it is more than a day old and gone.
    """
    try:
        values = json.loads((place(settings, token) / "asked.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise NotFound(tr("this prediction is gone: they are kept for a day; classify again")) from None
    refused = tuple(Refused(*item) for item in values["refused"])
    return Asked(token, values["experiment"], values["round"], Path(values["root"]), refused)


def read_result(settings: Settings, token: str) -> dict[str, Any] | None:
    """What the worker wrote, or None while it has not."""
    try:
        return json.loads((place(settings, token) / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


class _Keeper:
    """Writes uploaded files below a folder, as few and as small as is allowed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.count = 0
        self.bytes = 0
        self.refused: list[Refused] = []

    def take(self, name: str, file: IO[bytes]) -> None:
        """Keep one file, or what is in it if it is a zip."""
        if name.lower().endswith(".zip"):
            self._unpack(name, file)
        else:
            self._keep(name, file)

    def _unpack(self, name: str, file: IO[bytes]) -> None:
        try:
            with zipfile.ZipFile(file) as archive:
                for info in _members(archive):
                    if info.flag_bits & 1:
                        self.refused.append(Refused(info.filename, noted("encrypted in the zip")))
                        continue
                    try:
                        with archive.open(info) as inner:
                            self._keep(info.filename, inner)
                    except DAMAGED as error:
                        self.refused.append(
                            Refused(info.filename, kept("damaged in the zip ({error})", error=error))
                        )
        except (*DAMAGED, OSError) as error:
            self.refused.append(Refused(name, kept("not a zip that can be read ({error})", error=error)))

    def _keep(self, name: str, file: IO[bytes]) -> None:
        """Copy as much as is allowed, and not what a header announces: that may be a lie."""
        if self.count >= MAX_FILES:
            raise DataError(
                tr("more than {most:,} files at once; name a folder on this machine instead", most=MAX_FILES)
            )
        path = self._path(name)
        written = 0
        try:
            with path.open("wb") as target:
                while block := file.read(_BLOCK):
                    written += len(block)
                    self.bytes += len(block)
                    if self.bytes > MAX_UNPACKED:
                        limit = f"{MAX_UNPACKED >> 20} MB"
                        raise DataError(
                            tr("the files hold more than {limit} in all; name a folder instead", limit=limit)
                        )
                    if written > MAX_BYTES:
                        break
                    target.write(block)
        except DAMAGED:
            path.unlink()
            raise
        if written > MAX_BYTES:
            path.unlink()
            self.refused.append(Refused(name, kept("larger than {max_bytes} MiB", max_bytes=MAX_BYTES >> 20)))
        else:
            self.count += 1

    def _path(self, name: str) -> Path:
        """A harmless name of its own: no part of it leads anywhere."""
        *folders, last = [safe_name(part) for part in name.replace("\\", "/").split("/") if part] or ["_"]
        folder = self._root.joinpath(*folders[:8])
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            folder = self._root  # an archive that has a file of the folder's name
        path = folder / last
        number = 2
        while path.exists():
            path = folder / f"{Path(last).stem} ({number}){Path(last).suffix}"
            number += 1
        return path


def _members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Files of an archive, without folders, hidden files and what macOS adds."""
    for info in archive.infolist():
        parts = info.filename.split("/")
        if not info.is_dir() and "__MACOSX" not in parts and not parts[-1].startswith("."):
            yield info
