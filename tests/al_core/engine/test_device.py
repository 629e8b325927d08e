"""Where networks run."""

import platform
import subprocess
import sys

import pytest
import torch

from al_core.config import TrainConfig
from al_core.engine import device
from al_core.engine.device import choose, is_out_of_memory
from al_core.engine.schedule import rate
from al_core.errors import DeviceError


def test_a_device_that_is_not_there_is_refused_with_what_is(monkeypatch):
    monkeypatch.setattr(device, "available", lambda: ["cpu"])
    for asked in ("cuda", "cuda:1", "mps"):
        with pytest.raises(DeviceError, match=f"device '{asked}' is not on this machine; there is cpu"):
            choose(TrainConfig(device=asked))
    assert choose(TrainConfig(device="auto")).device.type == "cpu"


def test_precision_is_what_is_asked_for():
    assert choose(TrainConfig(device="cpu", precision="fp32")).dtype is torch.float32
    assert choose(TrainConfig(device="cpu", precision="bf16")).dtype is torch.bfloat16


def test_bf16_follows_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert choose(TrainConfig(device="cpu")).dtype is torch.float32
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert choose(TrainConfig(device="cpu")).dtype is torch.bfloat16


def test_tiny_images_get_one_thread_unless_asked(monkeypatch):
    monkeypatch.setattr(device, "_cores", lambda: 8)
    assert choose(TrainConfig(device="cpu"), image_size=8).threads == 1
    assert choose(TrainConfig(device="cpu"), image_size=32).threads == 8
    assert choose(TrainConfig(device="cpu", threads=3), image_size=8).threads == 3


FREED = """
import resource, torch
from al_core.engine.device import keep_freed_memory
def layers():
    return [torch.ones(5_000_000) for _ in range(4)]
def faults():
    layers()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        layers()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
given_back = faults()
keep_freed_memory()
print(given_back, faults())
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep freed memory")
def test_freed_memory_is_kept_for_the_next_layer():
    """Else every chunk's activations are fetched from the system again, page by page."""
    told = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True).stdout
    given_back, kept = map(int, told.split())
    assert kept < given_back / 10


def test_full_memory_is_told_from_other_errors():
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))


def test_learning_rates_rise_and_fall():
    steps = [rate("onecycle", i, 100) for i in range(100)]
    assert max(steps) == pytest.approx(1)
    assert 25 <= steps.index(max(steps)) <= 30
    assert steps[0] < 0.05
    assert steps[-1] <= 0.011
    cosine = [rate("cosine", i, 100) for i in range(100)]
    assert cosine == sorted(cosine, reverse=True)
    assert cosine[0] > 0.99
    assert {rate("constant", i, 10) for i in range(10)} == {1.0}
    assert rate("onecycle", 0, 1) > 0
