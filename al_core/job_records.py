"""Background work and who does it, as the store keeps it (al_core.records has the rest)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """Life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def active(self) -> bool:
        """Still to run, or running."""
        return self in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class JobRecord:
    """One piece of background work."""

    id: str
    kind: str  # advance | prepare | calibrate | predict | export
    experiment_id: str | None
    spec: Mapping[str, Any]
    state: JobState
    priority: int  # higher runs first
    attempt: int
    control: str  # "" | "pause" | "stop"
    paused: bool
    progress: Mapping[str, Any]  # phase, done, total, message
    error_kind: str | None
    error_text: str | None  # for a person: what happened, and the remedy
    traceback: str | None  # for the log view only, folded
    worker: str | None
    heartbeat_at: float | None
    created_at: float
    started_at: float | None
    ended_at: float | None


@dataclass(frozen=True)
class JobLease:
    """The right of one attempt to write: every write of a worker carries it."""

    job_id: str
    token: str


@dataclass(frozen=True)
class WorkerRecord:
    """A worker process that is alive, or was."""

    id: str
    host: str
    pid: int
    pid_start: float
    device: str
    state: str  # starting | idle | busy
    heartbeat_at: float
    info: Mapping[str, Any] = field(default_factory=dict)
