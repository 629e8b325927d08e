"""Who a worker process is, and whether it still lives. Torch-free: the server asks too."""

from __future__ import annotations

import fcntl
import socket
import time
import uuid
from pathlib import Path
from typing import IO

import psutil

from al_core.records import JobRecord, WorkerRecord
from al_core.store.base import Store


def is_alive(worker: WorkerRecord) -> bool | None:
    """Whether that very process runs; None when it is on another host, where we cannot see.

    The start time guards against another process that got the same number.
    """
    if worker.host != socket.gethostname():
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
    host, born = socket.gethostname(), process.create_time()
    worker_id = f"{host}-{process.pid}-{uuid.uuid4().hex[:6]}"
    return WorkerRecord(worker_id, host, process.pid, born, device, state, time.time())


def requeue_dead(store: Store, silent_seconds: float) -> list[JobRecord]:
    """Forget workers whose process is gone, and queue again what they, or long silent ones, were doing."""
    dead = [worker.id for worker in store.workers() if is_alive(worker) is False]
    for worker_id in dead:
        store.remove_worker(worker_id)
    return store.requeue_lost(silent_seconds=silent_seconds, dead_workers=dead)


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
