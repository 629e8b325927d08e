"""Where and how networks run: device, precision, memory layout and threads, decided in one place.

Always channels_last (on a processor that alone triples SqueezeNet's speed, with the same results to 1e-7).
bf16 autocast in training wherever the hardware multiplies in it: measured faster or equal there for every
network and batch tried, the smallest included (small_cnn, 8 px, batch 54: 7.5 ms a step, fp32 9.3 ms), and
neutral for accuracy. What is scored is scored in fp32, because a query ranks differences that bf16 rounds
away; bf16 at most screens a large pool first (screening.py).
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from al_core.config import TrainConfig
from al_core.errors import DeviceError
from al_core.words import tr

MEMORY_FORMAT = torch.channels_last
# Layers of images up to this side are too small to share: two threads on two idle cores train digits no
# faster than one (1.0 s), and on busy ones they wait for each
# other at every layer (48 s against 1.5 s, load 10).
TINY = 16
# glibc's numbers for mallopt, and what freed memory is kept: a chunk's activations of any network here.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT_BYTES, LARGEST_KEPT = 256 << 20, 32 << 20


@dataclass(frozen=True)
class DevicePlan:
    """Device, precision of training, and number of threads; `describe` is for people and manifests."""

    device: torch.device
    dtype: torch.dtype
    threads: int
    describe: str

    @property
    def reduced(self) -> bool:
        """Whether bf16 is allowed."""
        return self.dtype is torch.bfloat16

    @property
    def fused(self) -> bool:
        """Whether optimizers have a fused step here."""
        return self.device.type in ("cpu", "cuda")

    def autocast(self) -> torch.autocast:
        """Context of a training step's forward pass."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not torch.float32)

    def pin_threads(self) -> None:
        """Fix the number of threads: another number gives other roundings, so it is part of a manifest."""
        keep_freed_memory()
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)

    def facts(self) -> dict[str, Any]:
        """What a manifest keeps."""
        return {
            "device": self.describe, "precision": "bf16" if self.dtype is torch.bfloat16 else "fp32",
            "threads": self.threads, "torch": torch.__version__,
            "deterministic": self.device.type == "cpu",
        }  # fmt: skip


def choose(train: TrainConfig, *, image_size: int | None = None) -> DevicePlan:
    """Turn the options device, precision and threads into a plan; `image_size` is what the network sees.

    Raises:
        DeviceError: the device is not there; the message lists what is.
    """
    device = _device(train.device)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}.get(train.precision)
    if dtype is None:
        dtype = torch.bfloat16 if multiplies_bf16(device) else torch.float32
    threads = train.threads or (1 if image_size is not None and image_size <= TINY else _cores())
    return DevicePlan(device, dtype, threads, _describe(device, threads))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: the cores that this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available() -> list[str]:
    """Devices that can be asked for, best first."""
    found = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*found, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def _device(asked: str) -> torch.device:
    there = available()
    if asked == "auto":
        return torch.device(there[0])
    device = torch.device("cuda:0" if asked == "cuda" else asked)
    if str(device) not in there:
        raise DeviceError(
            tr(
                "device {asked!r} is not on this machine; there is {there}; or use auto",
                asked=asked,
                there=", ".join(there),
            )
        )
    return device


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the hardware has instructions for it; elsewhere it is emulated, slowly."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        has = torch.cpu.get_capabilities()
        return bool(has.get("avx512_bf16") or has.get("amx_bf16") or has.get("amx_tile") or has.get("bf16"))
    return False


def _describe(device: torch.device, threads: int) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "mps (Apple GPU)"
    return f"cpu ({torch.backends.cpu.get_cpu_capability()}, {threads} threads)"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: on a GPU, or on the host, where torch has no error of its own."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def free_memory(device: torch.device) -> None:
    """Give cached blocks back after memory ran out."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


@functools.cache
def keep_freed_memory() -> None:
    """Let the C library keep what is freed for the next layer, where it can be told so (glibc).

    It gives freed activations back to the system and gets them again, zeroed, page by page at each chunk:
    31 page faults for each image that fast_net scores in fp32, a fifth of the processor's time, and processes
    side by side wait for each other's. Cost: up to 256 MB stay with a worker.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; on Windows there is no such handle
        return
    mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(_MMAP_THRESHOLD, LARGEST_KEPT)


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Ask torch for operations that repeat bit for bit; settings are as before afterwards.

    On a GPU it is best effort (cuBLAS decides at process start), and the manifest says so.
    """
    before = torch.are_deterministic_algorithms_enabled()
    switches: Any = torch.utils.deterministic  # its attributes are made at run time
    filling = switches.fill_uninitialized_memory
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    if device.type == "cpu":
        torch.use_deterministic_algorithms(True)
        switches.fill_uninitialized_memory = False  # a debugging aid that costs time
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        switches.fill_uninitialized_memory = filling
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn


def warm_up() -> str:
    """Pay for the first use of torch (imports, threads, kernels) now; returns the device in words."""
    plan = choose(TrainConfig())
    plan.pin_threads()
    layer = torch.nn.Conv2d(3, 8, 3).to(plan.device)
    with deterministic(plan.device), plan.autocast():  # asking for it imports seconds' worth of torch
        layer(torch.zeros(2, 3, 8, 8, device=plan.device)).sum().backward()
    return plan.describe
