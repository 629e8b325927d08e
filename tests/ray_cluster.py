"""A Ray cluster of this host's processes, on loopback alone, with a study on it and perhaps a node that dies.

Ray turns 127.0.0.1 into the host's own address, so this is run in a network namespace that has nothing but
`lo`: `unshare -n python -m tests.ray_cluster --nodes 3 --kill -- study ...`. It prints what happened as JSON.
"""

import argparse
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

import psutil

from al_core.records import JobState
from al_core.settings import Settings
from al_core.store import open_store
from al_core.worker.identity import is_alive

MEMORY = 80_000_000
SECONDS = 420


def unshare():
    """The command that gives a process a network of its own, or why there is none."""
    for flags in ("-n", "-rn"):
        command = ["unshare", flags]
        if (
            shutil.which("unshare")
            and subprocess.run([*command, "true"], capture_output=True).returncode == 0
        ):
            return command, None
    return None, "this machine does not allow `unshare -n`, so Ray cannot be kept on loopback"


def raise_loopback():
    up_and_running = 0x1 | 0x40
    set_flags = 0x8914
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh", b"lo", up_and_running))


def eventually(check, what, seconds=SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"after {seconds} s still not: {what}")


def raylets_of(cluster):
    """The process of each node, in the order in which they joined."""
    return [node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()]


def node_of(worker, raylets):
    """The node whose descendant a worker is; None for one that is gone."""
    try:
        above = {parent.pid for parent in psutil.Process(worker.pid).parents()}
    except psutil.NoSuchProcess:
        return None
    return next((place for place, pid in enumerate(raylets) if pid in above), None)


def in_training(store, raylets):
    """What each node trains now and would lose: its job, worker and epochs, by node."""
    workers = {worker.id: worker for worker in store.workers() if is_alive(worker)}
    found = {}
    for job in store.jobs(active=True):
        worker = workers.get(job.worker or "")
        if job.state is not JobState.RUNNING or worker is None:
            continue
        lost = store.epochs(job.experiment_id, round=store.experiment(job.experiment_id).num_rounds)
        place = node_of(worker, raylets) if lost else None
        if place is not None:
            found[place] = job, worker, len(lost)
    return found


def kill_a_node(cluster, command):
    """Kill the second node while all of them train, and see who takes its job over; gives what was seen."""
    raylets = raylets_of(cluster)
    store = open_store(Settings.from_env())

    def everywhere():
        if command.poll() is not None:
            raise RuntimeError(
                "the study ended before every node trained, so that no kill would prove a thing"
            )
        found = in_training(store, raylets)
        return found if len(found) == len(raylets) else None

    try:
        job, worker, epochs = eventually(everywhere, "every node trains at once")[1]
        cluster.remove_node(cluster.list_all_nodes()[1], allow_graceful=False)
        eventually(lambda: is_alive(worker) is False, "the dead node's worker is dead too", 60)

        def taken_over():
            now = store.job(job.id)
            heirs = [w for w in store.workers() if w.id == now.worker and is_alive(w)]
            return [node_of(heir, raylets) for heir in heirs] if now.attempt > job.attempt else None

        (heir,) = eventually(taken_over, "another worker takes the job over", 120)
        return {
            "killed": worker.id, "job": job.id, "attempt": job.attempt, "epochs": epochs, "heir": heir,
            "nodes": len(raylets),
        }  # fmt: skip
    finally:
        store.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("words", nargs="+")
    arguments = parser.parse_args()
    raise_loopback()
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    del node["include_dashboard"]
    for _ in range(arguments.nodes - 1):
        cluster.add_node(**node)
    command = None
    try:
        command = subprocess.Popen(
            [sys.executable, "-m", "al_core", *arguments.words, "--ray", cluster.address],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        happened = kill_a_node(cluster, command) if arguments.kill else {}
        said = command.communicate(timeout=SECONDS)[0]
        happened |= {"status": command.returncode, "said": said}
    finally:
        if command is not None and command.poll() is None:
            command.kill()
        cluster.shutdown()
    sys.stdout.write("\n" + json.dumps(happened) + "\n")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    sys.exit(main())
