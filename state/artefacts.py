"""What the worker makes for a page, one file a request: looked for, asked for, waited for.

A request is a frozen dataclass; its fields are the job's spec, and it names the file that the worker leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from al_core.experiment import Experiment
from al_core.records import JobRecord
from state import jobs


class Request(Protocol):
    """What decides an artefact."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def path(self, experiment: Experiment) -> Path:
        """Its file; whatever decides the content is part of the name, so that none is ever stale."""
        ...


R = TypeVar("R", bound=Request)
T = TypeVar("T")


class Artefacts(Generic[R, T]):
    """The artefacts that jobs of one kind make, read by `read`; the last `keep` stay in memory."""

    def __init__(self, kind: str, read: Callable[[Path], T], *, keep: int) -> None:
        self.kind = kind

        @lru_cache(maxsize=keep)
        def cached(path: Path, modified: int) -> T:
            del modified  # only there to be part of the key
            return read(path)

        self._read = cached

    def find(self, experiment: Experiment, request: R) -> T | None:
        """What the worker made, or None while it has not.

        Raises:
            NotFound: the request names what is not there, a round for example.
        """
        path = request.path(experiment)
        try:
            return self._read(path, path.stat().st_mtime_ns)
        except FileNotFoundError:
            return None

    def ask(self, request: R) -> None:
        """Let the worker make it."""
        jobs.ask(self.kind, **asdict(request))

    def job_of(self, request: R) -> JobRecord | None:
        """The newest job that makes it."""
        return jobs.newest(self.kind, **asdict(request))
