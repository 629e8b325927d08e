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
    """`home` holds everything kept; images are read only below `data_roots` (by the browser)."""

    home: Path
    database_url: str
    data_roots: tuple[Path, ...]

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
    def logs(self) -> Path:
        """Logs of workers and jobs."""
        return self.home / "logs"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read AL_HOME, DATABASE_URL and AL_DATA_ROOTS (paths separated as in PATH).

        Raises:
            ConfigError: AL_HOME cannot be written.
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
        return cls(home, url, paths)
