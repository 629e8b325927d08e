"""The GPUs of this machine, and who has them: one worker each. Torch-free: the server counts them too."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from functools import lru_cache
from pathlib import Path

from al_core.worker.identity import Slot

VISIBLE = "CUDA_VISIBLE_DEVICES"


def names() -> tuple[str, ...]:
    """What CUDA calls the GPUs that this process may use; empty where there are none."""
    listed = os.environ.get(VISIBLE)
    if listed is None:
        return _present()
    return tuple(name.strip() for name in listed.split(",") if name.strip() not in ("", "-1"))


@lru_cache(maxsize=1)
def _present() -> tuple[str, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        told = subprocess.run(
            [program, "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):  # no driver, or one that hangs: then torch sees none either
        return ()
    return tuple(told.stdout.split())


class Lease:
    """The right to some GPUs, for as long as this process lives: the kernel takes it back."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._slots: list[Slot] = []

    def take(self, count: int) -> bool:
        """Take that many free ones and make CUDA see no others; all or none. Before CUDA is first used."""
        taken: list[tuple[str, Slot]] = []
        for name in names():
            slot = Slot(self._home, f"gpu-{socket.gethostname()}-{name}")
            if len(taken) < count and slot.take():
                taken.append((name, slot))
        if len(taken) < count:
            for _, slot in taken:
                slot.release()
            return False
        self._slots = [slot for _, slot in taken]
        os.environ[VISIBLE] = ",".join(name for name, _ in taken)
        return True

    def hold_first(self) -> None:
        """Keep workers with a lease off the first GPU, where it is free; this process sees them all."""
        for name in names()[:1]:
            slot = Slot(self._home, f"gpu-{socket.gethostname()}-{name}")
            if slot.take():
                self._slots = [slot]

    def release(self) -> None:
        """Let go."""
        for slot in self._slots:
            slot.release()
        self._slots = []
