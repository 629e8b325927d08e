"""The worker process: `python -m al_core.worker`. Claims jobs from the store, one at a time, and stays warm.

It runs in its own session, so that a restart of the server does not touch it, and holds a lock file, so that
two tabs cannot start two. Torch is imported once; the second round does not pay for it again. On a cluster
its parent is a task (`--parent`): there it has no slot, and dies with the task.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import time

from al_core import own_files
from al_core.config import DataConfig
from al_core.errors import ALError
from al_core.records import WorkerRecord
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.worker.control import JobControl
from al_core.worker.gpus import Lease
from al_core.worker.identity import Slot, die_with, host_name, own_record, requeue_dead

log = logging.getLogger("al_core.worker")

IDLE_POLL_SECONDS = 0.05
UPKEEP_SECONDS = 5.0
SILENT_SECONDS = 30.0
GPU_POLL_SECONDS = 1.0
# Who labels comes first on a machine of few cores: server and browser wait for a training otherwise.
NICENESS = 10


def main(argv: list[str] | None = None) -> int:
    """Run until told to end, or idle for too long. Exit status 0, also when another worker has the slot."""
    parser = argparse.ArgumentParser(prog="python -m al_core.worker", description=__doc__)
    parser.add_argument("--slot", default="default", help="one worker runs for each slot")
    parser.add_argument("--idle-minutes", type=float, default=30.0, help="end after so long without work")
    parser.add_argument("--gpus", type=int, default=0, help="take so many GPUs for this worker alone")
    parser.add_argument("--parent", type=int, help="the process to die with; such a worker takes no slot")
    parser.add_argument("--check", metavar="MARK", help="only say whether a worker could run here")
    arguments = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if arguments.parent is not None and not die_with(arguments.parent):
        return 0
    os.environ.pop("AL_LANGUAGE", None)  # what a worker says is kept, so it is English, in its children too
    settings = Settings.from_env()
    own_files.load(settings.own_files)
    if arguments.check is not None:
        return _check(settings, arguments.check)
    slot, lease = Slot(settings.home, arguments.slot), Lease(settings.home)
    if arguments.parent is None and not slot.take():
        log.info("another worker has the slot %r", arguments.slot)
        return 0
    idle_seconds = arguments.idle_minutes * 60
    if arguments.gpus and not _wait_for_gpus(lease, arguments.gpus, idle_seconds):
        return 0
    if not arguments.gpus and arguments.parent is None:
        lease.hold_first()
    return _Worker(settings, open_store(settings), idle_seconds).run()


def _check(settings: Settings, mark: str) -> int:
    """Open what a worker opens, and tell a runner what it found."""
    store = open_store(settings)
    store.workers()
    store.close()
    told = {"host": host_name(), "mark": (settings.home / mark).exists()}
    sys.stdout.write(json.dumps(told))
    return 0


def _wait_for_gpus(lease: Lease, count: int, seconds: float) -> bool:
    """The workers that have them take jobs from the same queue, so nothing is lost by waiting."""
    end = time.monotonic() + seconds
    while not lease.take(count):
        if time.monotonic() > end:
            log.info("%d GPUs did not become free", count)
            return False
        time.sleep(GPU_POLL_SECONDS)
    return True


class _Worker:
    def __init__(self, settings: Settings, store: Store, idle_seconds: float) -> None:
        self.settings, self.store, self.idle_seconds = settings, store, idle_seconds
        self.record = own_record(state="starting")
        self.id = self.record.id
        self.control: JobControl | None = None
        self.ending = False
        self._upkeep_at = 0.0

    def run(self) -> int:
        # a terminal's Ctrl+C belongs to the server; SIGTERM ends after the batch, with a checkpoint
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._terminate)
        os.nice(max(0, NICENESS - os.nice(0)))  # on a cluster the task is nice already
        self._say("starting")
        try:
            self._warm_up()
            idle_since = time.monotonic()
            while not self.ending:
                self._upkeep()
                if self._one_job():
                    idle_since = time.monotonic()
                elif time.monotonic() - idle_since > self.idle_seconds:
                    log.info("idle for %.0f s: ending", self.idle_seconds)
                    break
                else:
                    time.sleep(IDLE_POLL_SECONDS)
        finally:
            self.store.remove_worker(self.id)
            self.store.close()
        return 0

    def _terminate(self, *_: object) -> None:
        self.ending = True
        if self.control is not None:
            self.control.shutdown.set()

    def _say(self, state: str, **changes: object) -> None:
        values = {**self.record.__dict__, **changes, "state": state, "heartbeat_at": time.time()}
        self.record = WorkerRecord(**values)
        self.store.put_worker(self.record)

    def _warm_up(self) -> None:
        """Pay for torch, and for the embedded data set, while the person is still choosing."""
        from al_core.data.prepare import prepare, prepared_key  # noqa: PLC0415 - after the lock, so a
        from al_core.engine.device import warm_up  # noqa: PLC0415 - second worker ends at once
        from al_core.worker import jobs  # noqa: F401, PLC0415

        device = warm_up()
        digits = DataConfig()
        if prepared_key(self.settings, digits) is None:
            prepare(self.settings, digits)
        self._say("idle", device=device)
        log.info("ready on %s", device)

    def _upkeep(self) -> None:
        now = time.monotonic()
        if now - self._upkeep_at < UPKEEP_SECONDS:
            return
        self._upkeep_at = now
        for job in requeue_dead(self.store, SILENT_SECONDS):
            log.warning("job %s had lost its worker: now %s", job.id, job.state)
        self._say("idle")

    def _one_job(self) -> bool:
        from al_core.worker.jobs import run_job  # noqa: PLC0415 - imports torch; see _warm_up

        if self.store.waiting_priority() is None:  # a read: an idle worker must not write 20 times a second
            return False
        claimed = self.store.claim_job(self.id)
        if claimed is None:
            return False
        job, lease = claimed
        self._say("busy")

        def attach(control: JobControl) -> None:
            self.control = control
            if self.ending:
                control.shutdown.set()

        run_job(self.store, self.settings, job, lease, attach=attach)
        self.control = None
        self._say("idle")
        return True


if __name__ == "__main__":
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable matrix products on CUDA
    try:
        sys.exit(main())
    except ALError as error:
        logging.getLogger("al_core.worker").error("%s", error)
        sys.exit(2)
