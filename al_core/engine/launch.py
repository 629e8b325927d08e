"""One training in several processes: started by torch's own launcher, watched and ended by this one.

The processes (rank.py) get the images as a file, so that each picture is read once, and speak over a socket:
the first tells epochs and progress and asks before each batch whether to go on, which is how a pause holds
them all. Whoever loses the socket ends at once, so that none outlives the worker that started it.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from al_core.config import ExperimentConfig
from al_core.data.dataset import Dataset
from al_core.engine.device import available, choose, free_memory
from al_core.engine.inference import Control
from al_core.engine.network import Network, NetworkSpec, build_module, load_state, read_safetensors
from al_core.engine.train_data import TrainData, read_images
from al_core.errors import DeviceError, ProcessLost, TrainingError
from al_core.records import EpochRecord
from al_core.words import tr

log = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parents[2]
SOCKET = "AL_GROUP_SOCKET"  # for the processes: where the worker listens
WEIGHTS, IMAGES, START, JOB = "weights.safetensors", "images.npy", "start.safetensors", "job.json"
ENDING_SECONDS = 20.0
ERRORS = {kind.__name__: kind for kind in (TrainingError, DeviceError)}

OnEpoch = Callable[[EpochRecord], None]
OnProgress = Callable[[int, int, float], None]


def fit_in_group(
    config: ExperimentConfig,
    dataset: Dataset,
    data: TrainData,
    *,
    round: int,
    checkpoints: Path,
    start: Mapping[str, np.ndarray] | Path | None,
    on_epoch: OnEpoch,
    on_progress: OnProgress,
    control: Control,
) -> Network:
    """Train in `train.devices` processes; the network is then in this one.

    Raises:
        DeviceError: there are fewer GPUs than asked for.
        TrainingError: there are fewer images than processes, or training diverged.
        ProcessLost: a process of the group was killed; the last checkpoint is there to go on from.
    """
    count = config.train.devices
    _check_room(config, data)
    folder = checkpoints / "group"
    _write(folder, config, dataset, data, round, start, control)
    micro_batch: int | None = None
    while True:
        memory = _run(folder, count, _environment(config), micro_batch, on_epoch, on_progress, control)
        if memory is None:
            break
        if memory <= 1:
            raise DeviceError(
                tr(
                    "memory ran out on each of {count} devices with one image at a time; choose a "
                    "smaller model or image size",
                    count=count,
                )
            )
        micro_batch = max(1, memory // 2)
        log.warning("out of memory: %d images at a time from now on, same batch size", micro_batch)
    network = _read(folder, config, dataset, round)
    shutil.rmtree(folder, ignore_errors=True)
    return network


def _check_room(config: ExperimentConfig, data: TrainData) -> None:
    count = config.train.devices
    gpus = [name for name in available() if name.startswith("cuda")]
    wanted = config.train.device.startswith("cuda") or (config.train.device == "auto" and bool(gpus))
    if wanted and count > len(gpus):
        raise DeviceError(
            tr(
                "train.devices is {count}, but a worker here sees {there} GPUs ({gpus}); ask for so "
                "many, or for device=cpu",
                count=count,
                there=len(gpus),
                gpus=", ".join(gpus),
            )
        )
    if data.num_images < count:
        raise TrainingError(
            tr(
                "{num_images} labeled images cannot be shared among {count} devices; label more to "
                "begin with, or lower train.devices",
                num_images=data.num_images,
                count=count,
            )
        )


def _environment(config: ExperimentConfig) -> dict[str, str]:
    threads = config.train.threads or max(1, choose(config.train).threads // config.train.devices)
    return {"OMP_NUM_THREADS": str(threads), "TORCH_CPP_LOG_LEVEL": "ERROR", **loopback()}


def loopback() -> dict[str, str]:
    """Keep gloo on this machine: it would look the host's name up, which need not lead anywhere."""
    found = psutil.net_if_addrs().items()
    names = [name for name, places in found if any(place.address == "127.0.0.1" for place in places)]
    return {"GLOO_SOCKET_IFNAME": names[0]} if names else {}


# -- what the processes are given, and give ----------------------------------------------------------


def _write(
    folder: Path, config: ExperimentConfig, dataset: Dataset, data: TrainData, round: int,
    start: Mapping[str, np.ndarray] | Path | None, control: Control,
) -> None:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).unlink(missing_ok=True)
    images, classes = [data.images(dataset.train, control)], [np.asarray(data.targets, np.int64)]
    if data.has_validation and data.validation_ids is not None:
        images.append(read_images(dataset.train, data.validation_ids, control))
        classes.append(np.asarray(data.validation_classes, np.int64))
    np.save(folder / IMAGES, np.concatenate(images))
    (folder / START).unlink(missing_ok=True)
    if isinstance(start, Path):
        shutil.copyfile(start, folder / START)
    elif start is not None:
        from safetensors.numpy import save_file  # noqa: PLC0415 - snapshots of a committee only

        save_file({name: np.ascontiguousarray(value) for name, value in start.items()}, folder / START)
    weights = data.target_weights
    shown = ("key", "source", "title", "image_size", "pixelated", "kind", "classes", "mean", "std")
    job = {
        "config": config.to_json(), "round": round, "num_train": data.num_images,
        "classes": np.concatenate(classes).tolist(),
        "weights": None if weights is None else weights.tolist(), "checkpoints": str(folder.parent),
        "dataset": {name: getattr(dataset, name) for name in shown},
        "augmentation": asdict(dataset.augmentation), "fingerprint": f"{dataset.fingerprint} {data.hash()}",
    }  # fmt: skip
    (folder / JOB).write_text(json.dumps(job), encoding="utf-8")


def _read(folder: Path, config: ExperimentConfig, dataset: Dataset, round: int) -> Network:
    spec = NetworkSpec.of(config, dataset, round)
    plan = choose(config.train, image_size=spec.image_size)
    plan.pin_threads()
    network = Network(build_module(spec, plan), plan, spec)
    state, metadata = read_safetensors(folder / WEIGHTS)
    load_state(network.module, state, folder / WEIGHTS)
    network.facts = json.loads(metadata["network"])["facts"]
    network.module.eval()
    return network


# -- running them ------------------------------------------------------------------------------------


def _run(
    folder: Path, count: int, environment: Mapping[str, str], micro_batch: int | None,
    on_epoch: OnEpoch, on_progress: OnProgress, control: Control,
) -> int | None:  # fmt: skip
    """One start of the group; what it had in memory at once where that was too much, else None."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1",
        f"--nproc-per-node={count}", "--max-restarts=0", "-m", "al_core.engine.rank", str(folder),
    ]  # fmt: skip
    if micro_batch is not None:
        command.append(str(micro_batch))
    free_memory(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    with _listening() as (server, address), (folder / "group.log").open("wb") as said:
        process = subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.DEVNULL,
            # what it says is kept, so it is English
            env=os.environ | {**environment, SOCKET: address, "AL_LANGUAGE": ""},
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
        lines = _Lines(server)
        try:
            while process.poll() is None:
                control()
                for line, message in lines.heard(0.1):
                    _hear(line, message, on_epoch, on_progress, control)
            for line, message in lines.heard(0.0):  # the last words of one that ended
                _hear(line, message, on_epoch, on_progress, control)
        except _OutOfMemory as error:
            return error.micro_batch
        finally:
            lines.close()
            _end(process)
    if process.returncode != 0 or not (folder / WEIGHTS).exists():
        words = (folder / "group.log").read_text("utf-8", "replace")[-2000:]
        log.error("the group of %d ended with status %s: %s", count, process.returncode, words)
        raise ProcessLost(
            tr(
                "one of {count} processes of a training ended without a word (status {returncode}); "
                "the others were ended too",
                count=count,
                returncode=process.returncode,
            )
        )
    return None


class _OutOfMemory(Exception):
    def __init__(self, micro_batch: int) -> None:
        self.micro_batch = micro_batch


def _hear(
    line: socket.socket, message: dict[str, Any], on_epoch: OnEpoch, on_progress: OnProgress, control: Control
) -> None:
    match message["kind"]:
        case "ask":
            control()  # waits while paused
            with suppress(OSError):
                line.sendall(b"\n")
        case "epoch":
            on_epoch(EpochRecord(**message["record"]))
        case "progress":
            on_progress(message["done"], message["total"], message["left"])
        case "memory":
            raise _OutOfMemory(message["micro_batch"])
        case "crash":
            raise RuntimeError(message["text"])
        case "error":
            raise ERRORS[message["error"]](message["text"])


def _end(process: subprocess.Popen[bytes]) -> None:
    """The processes have lost their socket and end by themselves; the launcher may need telling."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _listening() -> Iterator[tuple[socket.socket, str]]:
    # a socket's path must be short, so not below the home
    with tempfile.TemporaryDirectory(prefix="askwell-") as place, socket.socket(socket.AF_UNIX) as server:
        address = str(Path(place) / "group")
        server.bind(address)
        server.listen()
        yield server, address


class _Lines:
    """The connections of the processes; each message is a line of JSON."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._selector = selectors.DefaultSelector()
        self._selector.register(server, selectors.EVENT_READ)
        self._unread: dict[socket.socket, bytes] = {}

    def heard(self, seconds: float) -> Iterator[tuple[socket.socket, dict[str, Any]]]:
        """Messages that have come by then, and which connection each came on."""
        for key, _ in self._selector.select(seconds):
            line = key.fileobj
            if line is self._server:
                line, _ = self._server.accept()
                self._selector.register(line, selectors.EVENT_READ)
                self._unread[line] = b""
            elif isinstance(line, socket.socket):
                yield from ((line, message) for message in self._read(line))

    def _read(self, line: socket.socket) -> list[dict[str, Any]]:
        try:
            data = line.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(line)
            del self._unread[line]
            line.close()
            return []
        *whole, self._unread[line] = (self._unread[line] + data).split(b"\n")
        return [json.loads(message) for message in whole]

    def close(self) -> None:
        """Hang up on every process."""
        for line in self._unread:
            line.close()
        self._selector.close()
