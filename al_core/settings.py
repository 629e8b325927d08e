"""Where a run keeps its things, from the environment; the same for server, worker and command line."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from al_core.errors import ConfigError, Problem


@dataclass(frozen=True)
class Settings:
    """`home` holds everything kept; images are read only below `data_roots` (by the browser).

    `workers`: how many processes may train at once. `ray_address`: the cluster that trains studies.
    `own_files`: Python that every process runs, to know strategies of the operator's own.
    `language`: of what the browser shows (words.py reads it); empty: the English in the code.
    """

    home: Path
    database_url: str
    data_roots: tuple[Path, ...]
    workers: int = 1
    ray_address: str | None = None
    own_files: tuple[Path, ...] = ()
    language: str = ""

    @property
    def on_sqlite(self) -> bool:
        """Whether the store is a file of this machine."""
        return self.database_url.partition(":")[0].partition("+")[0] == "sqlite"

    @property
    def objects(self) -> Path:
        """Content-addressed artefacts."""
        return self.home / "objects"

    @property
    def datasets(self) -> Path:
        """Prepared data sets, one folder each."""
        return self.home / "datasets"

    @property
    def downloads(self) -> Path:
        """Where torchvision keeps what it downloads."""
        return self.home / "downloads"

    @property
    def exports(self) -> Path:
        """Saved models that the browser made, to be downloaded."""
        return self.home / "exports"

    @property
    def predictions(self) -> Path:
        """What was classified in the browser, a folder each: uploaded pictures and results, for a day."""
        return self.home / "predictions"

    @property
    def imports(self) -> Path:
        """Data sets that were imported, a folder each, and what is still being checked."""
        return self.home / "imports"

    @property
    def transfers(self) -> Path:
        """Imports and exports that the browser asked for, a folder each, for a day."""
        return self.home / "transfers"

    @property
    def logs(self) -> Path:
        """Logs of workers and jobs."""
        return self.home / "logs"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read AL_HOME, DATABASE_URL, AL_DATA_ROOTS (separated as in PATH), AL_WORKERS, AL_RAY_ADDRESS.

        And AL_STRATEGIES, separated as in PATH, and AL_LANGUAGE.

        Raises:
            ConfigError: AL_HOME cannot be written, AL_WORKERS is no number, or AL_LANGUAGE is not there.
        """
        env = os.environ if env is None else env
        home = Path(env.get("AL_HOME", "~/.askwell")).expanduser().absolute()
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home):
                pass
        except OSError as error:
            allowed = f"a folder that can be written is needed ({error.strerror}); set AL_HOME"
            raise ConfigError([Problem("AL_HOME", str(home), allowed)]) from error
        url = env.get("DATABASE_URL", "") or f"sqlite:///{home / 'askwell.db'}"
        roots = env.get("AL_DATA_ROOTS", "") or str(Path.home())
        paths = tuple(Path(r).expanduser().absolute() for r in roots.split(os.pathsep) if r)
        address = env.get("AL_RAY_ADDRESS", "") or None
        language_file(env)
        language, workers = env.get("AL_LANGUAGE", ""), _workers(env.get("AL_WORKERS", ""))
        return cls(home, url, paths, workers, address, own_paths(env), language)


LANGUAGES = Path(__file__).resolve().parent.parent / "locale"
"""A folder a language, and the template of all (askwell.pot)."""


def language_file(env: Mapping[str, str]) -> Path | None:
    """Where the language that AL_LANGUAGE names is written; it may also be the path of such a file.

    Raises:
        ConfigError: there is none of that name.
    """
    language = env.get("AL_LANGUAGE", "")
    if not language:
        return None
    if language.endswith(".po"):
        path = Path(language).expanduser().absolute()
    else:
        path = LANGUAGES / language / "askwell.po"
    named = language.endswith(".po") or re.fullmatch(r"[A-Za-z]+([_-][A-Za-z0-9]+)*", language)
    if not named or not path.is_file():
        known = ", ".join(sorted(found.parent.name for found in LANGUAGES.glob("*/askwell.po")))
        allowed = f"there is no {path.name} for it; there is {known or 'none yet: copy locale/askwell.pot'}"
        raise ConfigError([Problem("AL_LANGUAGE", language, allowed)])
    return path


def own_paths(env: Mapping[str, str]) -> tuple[Path, ...]:
    """The files and folders that AL_STRATEGIES names."""
    parts = env.get("AL_STRATEGIES", "").split(os.pathsep)
    return tuple(Path(part).expanduser().absolute() for part in parts if part)


def _workers(text: str) -> int:
    """As many as there are cores to run on, unless it is said."""
    if not text:
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
        return len(cores)
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise ConfigError([Problem("AL_WORKERS", text, "a number from 1 to 1024 is needed")])
    return int(text)
