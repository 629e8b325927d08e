"""Several processes that train one network: the same batches and draws as one, sums apart."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from al_core.check import check_config
from al_core.engine import checkpoint, launch
from al_core.engine.group import ALONE, Group
from al_core.engine.trainer import TrainData
from al_core.errors import DeviceError, ProcessLost, TrainingError

pytestmark = pytest.mark.timeout(1800)  # each group starts three processes that import torch
ROOT = Path(__file__).resolve().parents[3]


class Stop(Exception):
    """What a control raises to end a job."""


@pytest.fixture
def two(config):
    """Three processes' worth of trouble in two: steps whose sums a process alone would make otherwise."""
    return config.changed(
        model__model="fast_net", train__optimizer="sgd", train__learning_rate=0.01, train__augment=True,
        train__devices=2,
    )  # fmt: skip


def distance(one, other):
    states = one.module.state_dict(), other.module.state_dict()
    return max(float((states[0][name] - states[1][name]).abs().max()) for name in states[0])


def ranks():
    """The processes of a group that this one started; the launcher between them is none."""
    children = psutil.Process().children(recursive=True)
    return [p for p in children if p.status() != psutil.STATUS_ZOMBIE and "RANK" in p.environ()]


def test_the_shares_of_a_batch_are_the_batch():
    positions = np.random.default_rng(0).permutation(11)
    shares = [Group(rank, 3).share(positions) for rank in range(3)]
    assert np.array_equal(np.concatenate(shares), positions)
    assert {len(share) for share in shares} == {3, 4}
    assert ALONE.share(positions) is positions
    assert [Group(rank, 3).leads for rank in range(3)] == [True, False, False]


def test_alone_nothing_is_wrapped_or_summed():
    module, values = nn.Linear(2, 2), torch.ones(2)
    assert ALONE.join(module) is module
    assert ALONE.sum(values) is values


def test_what_several_devices_cannot_share_is_refused(settings, config, train, data, dataset):
    def refused(**changes):
        return [(p.option, p.allowed) for p in check_config(config.changed(**changes), settings)
                if p.option in ("train.devices", "train.device")]  # fmt: skip

    assert refused(train__devices=1, model__frozen=True) == []
    assert refused(train__devices=2) == []
    assert refused(train__devices=2, model__frozen=True)[0][1].startswith("the head of frozen features")
    assert refused(train__devices=2, train__batch_size=1)[0][1].startswith("a batch of 1 cannot be shared")
    assert refused(train__devices=2, train__device="cuda:1")[0][0] == "train.device"
    few = TrainData(np.arange(20)[:2], np.array([0, 1]))
    with pytest.raises(TrainingError, match="2 labeled images cannot be shared among 3 devices"):
        train(config.changed(train__devices=3), data=few)
    there = torch.cuda.device_count()
    with pytest.raises(
        DeviceError, match=f"train.devices is {there + 2}, but a worker here sees {there} GPUs"
    ):
        train(config.changed(train__devices=there + 2, train__device="cuda"))


@pytest.mark.slow
def test_the_moments_of_a_shared_batch_are_those_of_the_whole(tmp_path):
    """Two processes, each with half of a batch, against torch's own BatchNorm on all of it."""
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1",
         "--nproc-per-node=2", "-m", "tests.al_core.engine.shared_moments", str(tmp_path)],
        cwd=ROOT, env=os.environ | launch.loopback() | {"OMP_NUM_THREADS": "1"}, capture_output=True,
        text=True, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for rank in range(2):
        told = json.loads((tmp_path / f"{rank}.json").read_text())
        assert told.keys() == {"output", "input gradient", "weight gradient", "mean", "variance", "evaluated"}
        assert max(told.values()) < 1e-5, told


@pytest.mark.slow
def test_a_step_of_two_processes_is_the_step_of_one(train, two, tmp_path):
    """One step: what rounding adds to a BatchNorm over seven images grows with each further one."""
    config = two.changed(train__batch_size=20, train__epochs=1, train__min_steps=0)
    told = {"one": [], "two": []}
    one, network = (
        train(
            config.changed(train__devices=devices), checkpoints=tmp_path / name,
            on_epoch=told[name].append, data=held(),
        )
        for name, devices in (("one", 1), ("two", 2))
    )  # fmt: skip
    assert distance(one, network) < 1e-5
    assert network.facts == one.facts | {"devices": 2}
    for field in ("steps", "train_loss", "train_accuracy", "validation_loss", "learning_rate"):
        expected = [getattr(record, field) for record in told["one"]]
        assert [getattr(record, field) for record in told["two"]] == pytest.approx(expected, rel=1e-5)
    assert not (tmp_path / "two" / "group").exists()


def held():
    from tests.al_core.engine.conftest import array_dataset

    labels = array_dataset().train.labels
    return TrainData(np.arange(20), labels[:20], np.arange(20, 31), labels[20:31])


@pytest.mark.slow
def test_a_group_that_loses_a_process_ends_whole_and_resumes_to_the_same_bits(train, two, tmp_path):
    config = two.changed(train__batch_size=20, train__epochs=400, train__min_steps=0)
    expected = train(config, checkpoints=tmp_path / "whole")
    group = []

    def kill(record):
        if not group and (tmp_path / "cut" / checkpoint.FILE).exists():
            group.extend(ranks())
            next(p for p in group if p.environ()["RANK"] == "1").send_signal(signal.SIGKILL)

    with pytest.raises(ProcessLost, match="one of 2 processes"):
        train(config, checkpoints=tmp_path / "cut", on_epoch=kill)
    assert len(group) == 2
    assert psutil.wait_procs(group, timeout=60)[1] == []
    resumed = train(config, checkpoints=tmp_path / "cut")
    assert resumed.state_hash() == expected.state_hash()


@pytest.mark.slow
def test_a_stop_between_two_batches_ends_every_process(train, two):
    epochs, group = [], []

    def stop():
        if epochs and not group:
            group.extend(ranks())
            raise Stop

    with pytest.raises(Stop):  # a pause and a fence come by the control, too
        train(two.changed(train__epochs=10_000), on_epoch=epochs.append, control=stop)
    assert len(group) == 2
    assert psutil.wait_procs(group, timeout=60)[1] == []


@pytest.mark.slow
def test_what_goes_wrong_in_a_process_is_told_in_its_words(train, two, tmp_path):
    with pytest.raises(TrainingError, match=r"training diverged 4 times"):
        train(two.changed(train__learning_rate=10.0, train__epochs=40, train__schedule="constant",
                          train__momentum=0.999))  # fmt: skip
