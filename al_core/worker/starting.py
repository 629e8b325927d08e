"""Starting worker processes: each in a slot, so that nobody starts two of one. Torch-free."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from al_core.settings import Settings

_PROJECT = Path(__file__).resolve().parents[2]


def start_worker(
    settings: Settings, slot: str = "default", *, idle_minutes: float | None = None
) -> subprocess.Popen[bytes]:
    """Start a worker in a session of its own; it ends at once if the slot is taken."""
    settings.logs.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "al_core.worker", "--slot", slot]
    if idle_minutes is not None:
        command += ["--idle-minutes", str(idle_minutes)]
    env = os.environ | {
        "AL_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "AL_DATA_ROOTS": os.pathsep.join(str(root) for root in settings.data_roots),
    }
    name = "worker.log" if slot == "default" else f"worker-{slot}.log"
    with (settings.logs / name).open("ab") as log:
        return subprocess.Popen(
            command, cwd=_PROJECT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip


def study_slot(number: int) -> str:
    """The slot of a study's worker: the command line and the server name them alike."""
    return f"study-{number}"
