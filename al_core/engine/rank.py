"""One process of a group that trains together: torch's launcher starts `-m al_core.engine.rank FOLDER`."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import warnings
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
import torch.distributed as dist

from al_core.config import ExperimentConfig
from al_core.data.dataset import Augmentation, Dataset
from al_core.data.pixels import MemmapSplit
from al_core.engine.device import choose, is_out_of_memory
from al_core.engine.group import Group, leave
from al_core.engine.inference import no_control
from al_core.engine.launch import IMAGES, JOB, SOCKET, START, WEIGHTS
from al_core.engine.network import Network, NetworkSpec, build_module
from al_core.engine.train_data import TrainData
from al_core.engine.trainer import no_epoch, no_progress, train
from al_core.errors import DeviceError, TrainingError
from al_core.records import EpochRecord

ASK_SECONDS = 0.05
# A pause may last for days; a process that dies is seen by the launcher, not by waiting.
PATIENCE = timedelta(days=30)
ORPHANED = 3


def main(argv: list[str]) -> NoReturn:
    """Train this process's share, and save the network in the first process."""
    folder = Path(argv[0])
    micro_batch = int(argv[1]) if len(argv) > 1 else None
    address = os.environ[SOCKET]
    _end_with_the_worker(address)
    group = Group(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    talk = _Talk(address)
    try:
        network = _train(folder, group, talk, micro_batch)
    except (TrainingError, DeviceError) as error:
        talk.say("error", error=type(error).__name__, text=str(error))
        raise
    except Exception as error:  # whatever it was, the worker must hear of it
        if is_out_of_memory(error):
            talk.say("memory", micro_batch=micro_batch or _whole(folder, group))
        elif not _is_another_s_end(error):
            talk.say("crash", text=f"{type(error).__name__}: {error}")
        raise
    if group.leads:
        network.save(folder / WEIGHTS)
    leave()


def _is_another_s_end(error: BaseException) -> bool:
    """Whether this process failed because another one was gone: then it is not the one to say why."""
    return isinstance(error, dist.DistError) or "gloo" in str(error).lower()


def _train(folder: Path, group: Group, talk: _Talk, micro_batch: int | None) -> Network:
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    config = ExperimentConfig.from_json(job["config"])
    if config.train.device in ("auto", "cuda") and torch.cuda.is_available():
        config = config.changed(train__device=f"cuda:{os.environ['LOCAL_RANK']}")
    dataset, data = _data(folder, job)
    spec = NetworkSpec.of(config, dataset, job["round"])
    plan = choose(config.train.model_copy(update={"threads": int(os.environ["OMP_NUM_THREADS"])}))
    plan.pin_threads()
    if plan.device.type == "cuda":
        torch.cuda.set_device(plan.device)
    dist.init_process_group("nccl" if plan.device.type == "cuda" else "gloo", timeout=PATIENCE)
    network = Network(build_module(spec, plan), plan, spec)
    start = folder / START
    return train(
        network, config, dataset, data, round=job["round"], checkpoints=Path(job["checkpoints"]),
        start=start if start.exists() else None, group=group, micro_batch=micro_batch,
        on_epoch=talk.epoch if group.leads else no_epoch,
        on_progress=talk.progress if group.leads else no_progress,
        control=talk.control if group.leads else no_control,
    )  # fmt: skip


def _data(folder: Path, job: dict[str, Any]) -> tuple[Dataset, TrainData]:
    """The images of this training as a data set of their own."""
    classes = np.array(job["classes"], np.int64)
    images = np.load(folder / IMAGES, mmap_mode="r", allow_pickle=False)
    split = MemmapSplit("train", classes, images, None)
    facts: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in job["dataset"].items()
    }
    dataset = Dataset(
        **facts, fingerprint=job["fingerprint"], train=split, test=split,
        augmentation=Augmentation(**job["augmentation"]),
    )  # fmt: skip
    ids, count = np.arange(len(classes)), job["num_train"]
    held = (ids[count:], classes[count:]) if len(classes) > count else (None, None)
    weights = None if job["weights"] is None else np.array(job["weights"], np.float32)
    return dataset, TrainData(ids[:count], classes[:count], *held, weights=weights)


def _whole(folder: Path, group: Group) -> int:
    """Images that this process has in memory at once when a batch is not cut further."""
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    batch = min(ExperimentConfig.from_json(job["config"]).train.batch_size, job["num_train"])
    return -(-batch // group.size)


def _end_with_the_worker(address: str) -> None:
    """End this process, whatever it does, when the worker that started it is gone."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(address)

    def watch() -> None:
        line.recv(1)  # nothing is ever sent: this returns when the other side is closed
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="worker-lives", daemon=True).start()


class _Talk:
    """What a process says to the worker that started the group."""

    def __init__(self, address: str) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(address)
        self._asked_at = 0.0

    def say(self, kind: str, **more: Any) -> None:
        """Send one message."""
        self._line.sendall(json.dumps({"kind": kind, **more}).encode() + b"\n")

    def epoch(self, record: EpochRecord) -> None:
        """Tell of an epoch."""
        self.say("epoch", record=asdict(record))

    def progress(self, done: int, total: int, left: float) -> None:
        """Tell how far it is."""
        self.say("progress", done=done, total=total, left=left)

    def control(self) -> None:
        """Ask whether to go on, and wait until it may."""
        now = time.monotonic()
        if now - self._asked_at < ASK_SECONDS:
            return
        self.say("ask")
        self._line.recv(1)  # the answer comes when it may go on
        self._asked_at = time.monotonic()


if __name__ == "__main__":
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # it is asked for on purpose (group.py), and every model has all its parameters in use
    warnings.filterwarnings("ignore", message="find_unused_parameters=True")
    main(sys.argv[1:])
