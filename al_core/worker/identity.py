"""Who a worker process is, and whether it still lives. Torch-free: the server asks too."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import signal
import socket
import sys
import time
import uuid
from functools import lru_cache
from pathlib import Path
from typing import IO

import psutil

from al_core.records import JobRecord, WorkerRecord
from al_core.store.base import Store

_MOST_JOBS = 100_000


@lru_cache(maxsize=1)
def host_name() -> str:
    """This machine, told apart from others that are called the same, as containers often are.

    The running kernel and the space of process numbers are part of it: only there can `is_alive` see.
    """
    seen = []
    for place in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        try:
            path = Path(place)
            seen.append(str(path.readlink()) if path.is_symlink() else path.read_text())
        except OSError:  # not Linux: the name has to do
            seen.append("")
    return f"{socket.gethostname()}/{hashlib.sha256(''.join(seen).encode()).hexdigest()[:8]}"


def die_with(parent: int) -> bool:
    """Let the kernel kill this process when `parent` dies (Linux); False when that has happened already.

    On a cluster the parent is the node's task: when the node dies, its workers must not live on unseen.
    """
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    return os.getppid() == parent


def is_alive(worker: WorkerRecord) -> bool | None:
    """Whether that very process runs; None when it is on another host, where we cannot see.

    The start time guards against another process that got the same number.
    """
    if worker.host != host_name():
        return None
    try:
        process = psutil.Process(worker.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - worker.pid_start) < 1.0
    except psutil.NoSuchProcess:
        return False


def own_record(device: str = "", state: str = "busy") -> WorkerRecord:
    """This process as a worker, under an id that no other process ever had."""
    process = psutil.Process()
    born = process.create_time()
    worker_id = f"{socket.gethostname()}-{process.pid}-{uuid.uuid4().hex[:6]}"
    return WorkerRecord(worker_id, host_name(), process.pid, born, device, state, time.time())


def requeue_dead(store: Store, silent_seconds: float) -> list[JobRecord]:
    """Forget workers whose process is gone, and queue again what they, or long silent ones, were doing.

    One of another machine counts as gone when it is silent and has no job; if it lives, it tells so again.
    """
    known = [(worker, is_alive(worker)) for worker in store.workers()]
    dead = [worker.id for worker, alive in known if alive is False]
    lost = store.requeue_lost(silent_seconds=silent_seconds, dead_workers=dead)
    since = time.time() - silent_seconds
    silent = [worker.id for worker, alive in known if alive is None and worker.heartbeat_at < since]
    if silent:
        busy = {job.worker for job in store.jobs(active=True, limit=_MOST_JOBS)}
        dead += [worker_id for worker_id in silent if worker_id not in busy]
    for worker_id in dead:
        store.remove_worker(worker_id)
    return lost


class Slot:
    """A lock file that one worker holds for its whole life; the kernel lets go when the process dies."""

    def __init__(self, home: Path, name: str = "default") -> None:
        self.path = home / f"worker-{name}.lock"
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Take the slot without waiting; False when another process has it."""
        file = self.path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def taken(self) -> bool:
        """Whether some process holds the slot now."""
        if not self.take():
            return True
        self.release()
        return False

    def release(self) -> None:
        """Let go."""
        if self._file is not None:
            self._file.close()
            self._file = None
