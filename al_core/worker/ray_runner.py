"""Workers on the nodes of a Ray cluster: each a task that starts the usual command line as its child.

Ray places and ends them, nothing more. When a node dies, its workers die with the task that started them;
the store gives their jobs to others, who go on from the last checkpoint. The nodes need the same checkout at
the same path, and all see one AL_HOME and one database: that is asked of each before anything starts.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from al_core.errors import ClusterError
from al_core.settings import Settings
from al_core.words import tr
from al_core.worker.identity import host_name
from al_core.worker.runner import Need, Worker
from al_core.worker.starting import PROJECT, worker_command, worker_environment, worker_log

CHECK_SECONDS = 180.0
REACH_SECONDS = 15.0
ENDING_SECONDS = 60.0
OMP = "OMP_NUM_THREADS"  # Ray sets it for its tasks; results are the local run's only if it is the driver's


class RayRunner:
    """See the module's text. One per process: Ray knows one cluster at a time."""

    def __init__(self, settings: Settings, *, idle_minutes: float) -> None:
        self.settings = settings
        self.command = worker_command(idle_minutes=idle_minutes)
        self.environment = {**worker_environment(settings), OMP: os.environ.get(OMP, "")}
        try:
            _reach(settings.ray_address or "")
            ray.init(
                address=settings.ray_address, log_to_driver=False, logging_level=logging.ERROR,
                configure_logging=False,
            )  # fmt: skip
        except (OSError, RuntimeError, ValueError) as error:
            raise ClusterError(
                tr(
                    "no Ray cluster answers at {ray_address!r} ({error}): start one with `ray start "
                    "--head` there, or leave the address empty to train on this machine",
                    ray_address=settings.ray_address,
                    error=error,
                )
            ) from error
        try:
            self.hosts = self._check()
        except BaseException:
            self.close()
            raise

    def capacity(self, need: Need) -> int:
        """Over the nodes that live; GPUs count where any node has one."""
        nodes = [node["Resources"] for node in _alive()]
        gpus = self._gpus(need)
        return max(
            1,
            sum(
                int(min(r.get("CPU", 0) // need.cpus, r.get("GPU", 0) // gpus if gpus else r.get("CPU", 0)))
                for r in nodes
            ),
        )

    def _gpus(self, need: Need) -> int:
        return need.gpus if any(node["Resources"].get("GPU") for node in _alive()) else 0

    def start(self, number: int, need: Need) -> Worker | None:
        """Wherever there is room; it waits in Ray's queue until there is."""
        log = worker_log(self.settings, f"ray-{number}")
        options = {"num_cpus": need.cpus, "num_gpus": self._gpus(need), "scheduling_strategy": "SPREAD"}
        return _Task(_remote(_work_in_child, options, self.command, self.environment, str(PROJECT), str(log)))

    def close(self) -> None:
        """Leave the cluster."""
        ray.shutdown()

    # -- whether the nodes can work on this store ----------------------------------------------------

    def _check(self) -> set[str]:
        """Every node looks for a mark in AL_HOME and opens the database, as its workers will."""
        mark = self.settings.home / f"cluster-{secrets.token_hex(8)}"
        mark.touch()
        command = [*self.command, "--check", mark.name]
        try:
            asked = {node["NodeManagerAddress"] + " " + node["NodeID"][:8]: self._ask(node, command)
                     for node in _alive()}  # fmt: skip
            answers = {name: _answer(name, reference) for name, reference in asked.items()}
        finally:
            mark.unlink()
        blind = sorted(name for name, told in answers.items() if not told["mark"])
        hosts = {told["host"] for told in answers.values()}
        if blind:
            raise ClusterError(
                tr(
                    "the nodes {blind} have another folder at {home}: set AL_HOME to a folder that every "
                    "machine of the cluster mounts at the same path",
                    blind=", ".join(blind),
                    home=self.settings.home,
                )
            )
        self._check_database(hosts)
        return hosts

    def _check_database(self, hosts: Iterable[str]) -> None:
        others = sorted(set(hosts) - {host_name()})
        if others and self.settings.on_sqlite:
            raise ClusterError(
                tr(
                    "SQLite is for one machine, and the cluster has others ({others}): put the store on "
                    "PostgreSQL (DATABASE_URL=postgresql://USER@HOST/NAME, for the server too)",
                    others=", ".join(others),
                )
            )

    def _ask(self, node: Mapping[str, Any], command: list[str]) -> Any:
        place = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        options = {"num_cpus": 0, "scheduling_strategy": place}
        return _remote(_ask_child, options, command, self.environment, str(PROJECT))


class _Task:
    """A worker in a Ray task, with Popen's manners."""

    def __init__(self, reference: Any) -> None:
        self._reference = reference

    def poll(self) -> int | None:
        done, _ = ray.wait([self._reference], timeout=0)
        return self.wait() if done else None

    def terminate(self) -> None:
        ray.cancel(self._reference)

    def wait(self, timeout: float | None = None) -> int:
        try:
            return int(ray.get(self._reference, timeout=ENDING_SECONDS if timeout is None else timeout))
        except GetTimeoutError:
            ray.cancel(self._reference, force=True)
        except RayError:  # cancelled, or its node is gone
            pass
        return -1


def _reach(address: str) -> None:
    """Knock at HOST:PORT: Ray itself would try for minutes before it says that nobody is there."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS).close()


def _alive() -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _answer(name: str, reference: Any) -> dict[str, Any]:
    try:
        status, told, words = ray.get(reference, timeout=CHECK_SECONDS)
    except RayError as error:
        raise ClusterError(tr("node {name} does not answer: {error}", name=name, error=error)) from error
    if status != 0:
        raise ClusterError(
            tr(
                "node {name} cannot run workers: {words} Every node needs this checkout at {project} "
                "with its packages, and must reach AL_HOME and the database",
                name=name,
                words=words.strip()[-600:],
                project=PROJECT,
            )
        )
    return json.loads(told)


def _remote(make: Any, options: Mapping[str, Any], *arguments: Any) -> Any:
    """Run what `make` returns as a task that is never tried again: starting workers anew is the crew's."""
    return ray.remote(max_retries=0, **options)(make()).remote(*arguments)


def _work_in_child() -> Any:
    """The function of a worker's task. A closure travels whole: the task need not import this program."""

    def work(command: list[str], environment: dict[str, str], folder: str, log: str) -> int:
        import os  # noqa: PLC0415 - on the node
        import subprocess  # noqa: PLC0415
        import time  # noqa: PLC0415

        kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        given = {name: value for name, value in environment.items() if value}
        with Path(log).open("ab") as file:
            child = subprocess.Popen(
                [*command, "--parent", str(os.getpid())], cwd=folder, env=kept | given,
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
        try:
            while child.poll() is None:
                time.sleep(0.05)  # a cancelled task is told between two instructions, not while it waits
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
        return child.returncode

    return work


def _ask_child() -> Any:
    """The function of a check's task."""

    def ask(command: list[str], environment: dict[str, str], folder: str) -> tuple[int, str, str]:
        import os  # noqa: PLC0415 - on the node
        import subprocess  # noqa: PLC0415

        given = {name: value for name, value in environment.items() if value}
        try:
            told = subprocess.run(
                command, cwd=folder, env=os.environ | given, stdin=subprocess.DEVNULL, capture_output=True,
                text=True,
            )  # fmt: skip
        except OSError as error:  # no such folder or interpreter on that node
            return 127, "", str(error)
        return told.returncode, told.stdout, told.stderr

    return ask
