"""Imports and exports that a page asks for: each in a process of its own, in a folder of its own, for a day.

The process is the command line's, so that both do the same. It tells its progress in a file, and leaves a
report; the server only looks. A file of a million rows stalls nobody.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

from al_core.data.names import display
from al_core.data.roots import resolve_folder
from al_core.errors import DataError, NotFound
from al_core.exchange.content import Format
from al_core.exchange.reading import SUFFIXES
from al_core.words import tr
from state import handles

MAX_UPLOAD: Final = 200  # MB: Streamlit holds an upload in memory
_KEPT_SECONDS: Final = 24 * 3600
_SILENT_SECONDS: Final = 120.0
_TOKEN: Final = re.compile(r"[0-9a-f]{16}")
_BLOCK: Final = 1 << 20
_PROJECT: Final = Path(__file__).resolve().parents[1]
_lock = threading.Lock()
_running: dict[Path, subprocess.Popen[bytes]] = {}

Step = Literal["check", "apply", "export"]


@dataclass(frozen=True)
class Status:
    """Where a step stands. `report` is there once it is done, `error` where it failed."""

    running: bool
    phase: str = ""
    done: int = 0
    total: int = 0
    error: str | None = None
    report: Mapping[str, Any] | None = None


def folder(token: str) -> Path:
    """The folder of a transfer.

    Raises:
        NotFound: no such one, or it is older than a day and gone.
    """
    place = handles.settings().transfers / token
    if not _TOKEN.fullmatch(token) or not place.is_dir():
        raise NotFound(tr("this transfer is gone: they are kept for a day; begin again"))
    return place


def begin() -> str:
    """A new folder; those of yesterday go."""
    root = handles.settings().transfers
    root.mkdir(parents=True, exist_ok=True)
    for old in root.iterdir():
        if time.time() - old.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    token = secrets.token_hex(8)
    (root / token).mkdir(mode=0o700)
    return token


def upload(token: str, name: str, file: IO[bytes]) -> Path:
    """Write an uploaded file under a harmless name; gives its path.

    Raises:
        DataError: its ending is of no format.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(tr("{name} is none of {endings}", name=name[-60:], endings=", ".join(SUFFIXES)))
    path = folder(token) / f"upload{suffix}"
    with path.open("wb") as target:
        while block := file.read(_BLOCK):
            target.write(block)
    return path


def named(path: str) -> Path:
    """A file or folder below the data roots, as a person typed it.

    Raises:
        DataError: it is not there, or below no root.
    """
    if "\0" in path or not path.strip():
        raise DataError(tr("name a file or folder on this machine, or upload one"))
    real = Path(os.path.realpath(Path(path.strip()).expanduser()))
    if real.is_dir():
        return resolve_folder(handles.settings(), path.strip())
    parent = resolve_folder(handles.settings(), str(real.parent))
    if not real.is_file():
        raise DataError(tr("{path} does not exist", path=display(path)))
    return parent / real.name


def start(token: str, step: Step, arguments: Sequence[str]) -> None:
    """Run a command of the command line for this transfer, with a report and a progress file."""
    place = folder(token)
    for name in (f"{step}.json", f"{step}.progress", f"{step}.error"):
        (place / name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "al_core", *arguments, f"--progress={place / f'{step}.progress'}"]
    settings = handles.settings()
    env = os.environ | {
        "AL_HOME": str(settings.home), "DATABASE_URL": settings.database_url,
        "AL_DATA_ROOTS": os.pathsep.join(map(str, settings.data_roots)), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    (place / f"{step}.progress").write_text("starting\n0\n0\n", encoding="utf-8")
    with (place / f"{step}.error").open("wb") as error, _lock:
        _running[place / step] = subprocess.Popen(
            command, cwd=_PROJECT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=error,
            start_new_session=True,
        )  # fmt: skip


def status(token: str, step: Step) -> Status | None:
    """Where it stands; None where it was not begun."""
    place = folder(token)
    progress = place / f"{step}.progress"
    if not progress.exists():
        return None
    with _lock:
        process = _running.get(place / step)
        code = None if process is None else process.poll()
    report = _json(place / f"{step}.json")
    if report is not None and (process is None or code is not None):
        return Status(False, report=report)
    silent = time.time() - progress.stat().st_mtime
    if code is None and (process is not None or silent < _SILENT_SECONDS):
        phase, done, total = [*progress.read_text("utf-8").split("\n"), "", "", ""][:3]
        return Status(True, phase, int(done or 0), int(total or 0))
    said = (place / f"{step}.error").read_bytes().decode("utf-8", "replace")
    lines = [line.partition("error: ")[2] for line in said.splitlines() if line.startswith("error: ")]
    return Status(False, error=" ".join(lines) or tr("it ended without a word; try again"))


def _json(path: Path) -> Mapping[str, Any] | None:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def stop(token: str, step: Step) -> None:
    """End a step; what it wrote of its own is thrown away."""
    with _lock:
        process = _running.get(folder(token) / step)
        if process is not None and process.poll() is None:
            process.terminate()


# -- the commands -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What the person chose in the wizard."""

    source: str
    experiment: str | None  # labels into this session; None: a new data set
    several: str = "refuse"
    existing: str = "replace"
    mapping: tuple[tuple[str, str], ...] = ()
    added: tuple[str, ...] = ()  # classes of the file that the session is to get
    pictures: str = ""
    name: str = ""

    def arguments(self, place: Path, step: Step) -> list[str]:
        """The command line's."""
        words = [f"--several={self.several}", f"--report={place / f'{step}.json'}"]
        words += [f"--map={old}={new}" for old, new in self.mapping]
        words += [f"--add-class={name}" for name in self.added]
        words += [f"--refused={place / 'refused.csv'}"]
        if self.experiment is not None:
            return ["import-labels", self.experiment, self.source, f"--existing={self.existing}", *words]
        words += [f"--pictures={self.pictures}"] if self.pictures else []
        return ["import-data", self.source, f"--name={self.name}", "--untrusted", *words]


def check(token: str, asked: Asked) -> None:
    """Find out what the import would do."""
    start(token, "check", asked.arguments(folder(token), "check"))


def apply(token: str, asked: Asked, rev: int | None) -> None:
    """Do it, if nothing has changed since the check."""
    words = [*asked.arguments(folder(token), "apply"), "--apply"]
    if asked.experiment is not None:
        words += [f"--token={token}", f"--rev={rev}"]
    start(token, "apply", words)


def export(token: str, experiment_id: str, form: Format, *, every: bool) -> None:
    """Write the labels in this format."""
    place = folder(token)
    out = place / "export"
    shutil.rmtree(out, ignore_errors=True)
    words = [
        "export",
        experiment_id,
        f"--out={out}",
        f"--as={form}",
        f"--zip={place / 'export.zip'}",
        "--quiet",
    ]
    start(token, "export", [*words, *(["--every"] if every else []), f"--done={place / 'export.json'}"])


def exported(token: str) -> Path | None:
    """The written file, once it is there."""
    place = folder(token)
    path = place / "export.zip"
    return path if path.is_file() and (place / "export.json").is_file() else None
