"""Where a run keeps its things, from the environment; the same for server, worker and command line."""

from __future__ import annotations

import os
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
    """

    home: Path
    database_url: str
    data_roots: tuple[Path, ...]
    workers: int = 1
    ray_address: str | None = None
    own_files: tuple[Path, ...] = ()

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

        And AL_STRATEGIES, separated as in PATH.

        Raises:
            ConfigError: AL_HOME cannot be written, or AL_WORKERS is no number.
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
        return cls(home, url, paths, _workers(env.get("AL_WORKERS", "")), address, own_paths(env))


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
