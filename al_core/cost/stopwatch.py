"""Seconds of work on a machine that may be busy with something else."""

from __future__ import annotations

import os
import time
from typing import Final

# Wall time this many times above the processor's is taken for others' work, and not for waiting.
_BUSY: Final = 1.3


class Stopwatch:
    """Runs from the moment that it is made; `waits` where the work is done outside of the processor."""

    def __init__(self, *, waits: bool = False) -> None:
        self._waits = waits
        self._began = _now()

    def seconds(self) -> float:
        """What the work takes on an idle machine: wall time, or this process's own where others took part.

        A calculation on several threads keeps the one that asks for it busy throughout, and all of them for
        no longer than there are cores.
        """
        wall, thread, process = (now - then for now, then in zip(_now(), self._began, strict=True))
        own = max(thread, process / (os.cpu_count() or 1))
        return own if not self._waits and wall > _BUSY * own else wall


def _now() -> tuple[float, float, float]:
    return time.perf_counter(), time.thread_time(), time.process_time()
