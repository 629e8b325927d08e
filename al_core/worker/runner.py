"""Where workers run: as processes of this machine, or on a cluster's nodes. Nobody else knows which.

A runner only starts and ends worker processes. Which job a worker does, and whether its writes still count,
is the store's business: claims, fencing and heartbeats are the same wherever it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from al_core.config import ExperimentConfig
from al_core.errors import ClusterError
from al_core.settings import Settings
from al_core.words import tr
from al_core.worker import gpus
from al_core.worker.identity import Slot
from al_core.worker.starting import start_worker, study_slot

MOST_FAILURES = 3  # in a row, of workers that ended with an error of their own


@dataclass(frozen=True)
class Need:
    """What one worker takes: cores, and GPUs where there are any."""

    cpus: int = 1
    gpus: int = 0

    @classmethod
    def of(cls, configs: Iterable[ExperimentConfig]) -> Need:
        """What the most demanding of these configs takes."""
        trains = [config.train for config in configs]
        return cls(
            max((train.threads or 1) * train.devices for train in trains),
            max(train.devices * (train.device not in ("cpu", "mps")) for train in trains),
        )


class Worker(Protocol):
    """A started worker process; Popen is one."""

    def poll(self) -> int | None:
        """Its exit status (negative: it was killed); None while it runs, or waits for a free place."""
        ...

    def terminate(self) -> None:
        """Ask it to end after its batch, with a checkpoint."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        ...


class Runner(Protocol):
    """Starts workers."""

    def capacity(self, need: Need) -> int:
        """How many such workers run at once without sharing a core or a GPU; at least 1."""
        ...

    def start(self, number: int, need: Need) -> Worker | None:
        """Start the worker of that number; None where another process has its place and does its work."""
        ...

    def close(self) -> None:
        """Let go of the cluster; workers have ended by then."""
        ...


class LocalRunner:
    """Processes of this machine, in sessions of their own: they outlive the browser's server."""

    def __init__(self, settings: Settings, *, idle_minutes: float) -> None:
        self.settings, self.idle_minutes = settings, idle_minutes

    def capacity(self, need: Need) -> int:
        """By cores, and by GPUs where this machine has any."""
        by_cores = self.settings.workers // need.cpus
        there = len(gpus.names()) if need.gpus else 0
        return max(1, min(by_cores, there // need.gpus) if there else by_cores)

    def start(self, number: int, need: Need) -> Worker | None:
        """One worker for each slot, whoever starts it."""
        if Slot(self.settings.home, study_slot(number)).taken():
            return None
        leased = need.gpus if need.gpus and gpus.names() else 0
        return start_worker(self.settings, study_slot(number), idle_minutes=self.idle_minutes, gpus=leased)

    def close(self) -> None:
        """Nothing is held."""


def runner_for(settings: Settings, *, idle_minutes: float) -> Runner:
    """The cluster at the address that is set, else this machine.

    Raises:
        ClusterError: the cluster does not answer, or its nodes cannot share this store and its files.
    """
    if settings.ray_address is None:
        return LocalRunner(settings, idle_minutes=idle_minutes)
    try:
        from al_core.worker.ray_runner import RayRunner  # noqa: PLC0415 - ray is an optional package
    except ModuleNotFoundError as error:
        raise ClusterError(
            tr(
                "the cluster at {ray_address!r} needs the package {package}: pip install -r "
                "requirements-ray.txt, or leave the address empty to train on this machine",
                ray_address=settings.ray_address,
                package=error.name,
            )
        ) from error
    return RayRunner(settings, idle_minutes=idle_minutes)


class Crew:
    """As many workers as there is work for, kept up until dismissed."""

    def __init__(self, runner: Runner, need: Need, most: int | None = None) -> None:
        self.runner, self.need = runner, need
        self.most = most
        self._workers: dict[int, Worker] = {}
        self._failures = 0

    def keep(self, wanted: int) -> None:
        """See to it that `wanted` workers run, as far as there is room; those that ended are replaced.

        Raises:
            ClusterError: workers end with an error of their own again and again.
        """
        for number in range(min(self.most or self.runner.capacity(self.need), wanted)):
            worker = self._workers.get(number)
            if worker is not None:
                status = worker.poll()
                if status is None:
                    continue
                self._count(status)
            started = self.runner.start(number, self.need)
            if started is None:
                self._workers.pop(number, None)
            else:
                self._workers[number] = started

    def _count(self, status: int) -> None:
        """A killed worker, or one that ran out of work, is nobody's fault; an error of its own is."""
        self._failures = self._failures + 1 if status > 0 else 0
        if self._failures >= MOST_FAILURES:
            raise ClusterError(
                tr(
                    "workers cannot run: the last {failures} ended with an error (exit status {status}); "
                    "the newest worker-*.log among the logs of AL_HOME says why",
                    failures=self._failures,
                    status=status,
                )
            )

    def dismiss(self) -> None:
        """Ask every worker to end after its batch, and wait for it."""
        for worker in self._workers.values():
            worker.terminate()
        for worker in self._workers.values():
            worker.wait()
        self._workers.clear()
