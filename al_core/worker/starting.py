"""Starting worker processes: each in a slot, so that nobody starts two of one. Torch-free."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from al_core.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]


def start_worker(
    settings: Settings, slot: str = "default", *, idle_minutes: float | None = None, gpus: int = 0
) -> subprocess.Popen[bytes]:
    """Start a worker in a session of its own; it ends at once if the slot is taken."""
    command = worker_command(idle_minutes=idle_minutes)
    command += ["--slot", slot]
    if gpus:
        command += ["--gpus", str(gpus)]
    with worker_log(settings, slot).open("ab") as log:
        return subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | worker_environment(settings), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def start_cluster(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the process that keeps workers on the cluster; it ends at once if there is one."""
    with worker_log(settings, "cluster").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "al_core.worker.cluster"], cwd=PROJECT,
            env=os.environ | worker_environment(settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip


def worker_command(*, idle_minutes: float | None = None) -> list[str]:
    """The command line of a worker, wherever it runs."""
    idle = [] if idle_minutes is None else ["--idle-minutes", str(idle_minutes)]
    return [sys.executable, "-m", "al_core.worker", *idle]


def worker_environment(settings: Settings) -> Mapping[str, str]:
    """What a worker reads its settings from."""
    return {
        "AL_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "AL_RAY_ADDRESS": settings.ray_address or "",
        "AL_DATA_ROOTS": os.pathsep.join(str(root) for root in settings.data_roots),
        "AL_STRATEGIES": os.pathsep.join(str(path) for path in settings.own_files),
    }


def worker_log(settings: Settings, slot: str) -> Path:
    """The file that takes what a worker says."""
    settings.logs.mkdir(parents=True, exist_ok=True)
    return settings.logs / ("worker.log" if slot == "default" else f"worker-{slot}.log")


def study_slot(number: int) -> str:
    """The slot of a study's worker: the command line and the server name them alike."""
    return f"study-{number}"
