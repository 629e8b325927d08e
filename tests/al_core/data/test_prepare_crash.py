"""A prepare that is killed, or races another, leaves a whole data set or none."""

import fcntl
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from al_core.config import DataConfig
from al_core.data import storage
from al_core.data.prepare import list_prepared, open_dataset, prepare
from al_core.errors import DataError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from al_core.data import storage
from al_core.data.dataset import Augmentation
from al_core.data.material import Material, Part

steps = 0
def step(*_):
    global steps
    steps += 1
    if steps == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

flush = storage._flush
storage._flush = lambda path: (step(), flush(path), step())
rng = np.random.default_rng(0)
part = Part(np.arange(20) % 2, rng.integers(1, 255, (20, 8, 8), np.uint8))
material = Material("made", ("a", "b"), part, part, Augmentation(), 8)
datasets = Path(sys.argv[1])
with storage.workspace(datasets, "made") as folder:
    meta = storage.write(folder, material, source="digits", revision="", progress=step)
    storage.publish(folder, datasets / "made", meta)
"""


def killed_at(settings, step):
    env = {"PYTHONPATH": ":".join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", KILLED, str(settings.datasets), str(step)]
    return subprocess.run(command, env=env, check=False).returncode


@pytest.mark.parametrize("at", [1, 3, 4, 15, 16, 17, 18, 19, 20, 21])
def test_a_killed_prepare_leaves_nothing_that_looks_complete(settings, at):
    assert killed_at(settings, at) == -signal.SIGKILL
    names = [summary.key for summary in list_prepared(settings)]
    if names:
        # it was killed between the rename and the last flush
        assert at >= 20
        assert open_dataset(settings, "made").train.read(np.arange(20)).all()
    else:
        with pytest.raises(DataError, match="not prepared"):
            open_dataset(settings, "made")
        assert killed_at(settings, 10_000) == 0
    assert (open_dataset(settings, "made").train.read(np.arange(20)) > 0).all()
    # the leftovers are gone
    assert [p.name for p in settings.datasets.iterdir()] == ["made"]


def test_the_work_of_a_living_process_is_left_alone(settings):
    with storage.workspace(settings.datasets, "one") as mine:
        with storage.workspace(settings.datasets, "two") as other:
            assert mine.is_dir()
        assert mine.is_dir()
        assert not other.exists()
    assert not mine.exists()


def test_a_folder_that_is_taken_for_a_leftover_before_it_is_locked_is_made_again(settings, monkeypatch):
    real, lost = fcntl.flock, []

    def flock(file, how):
        if how == fcntl.LOCK_EX and not lost:
            lost.append(Path(file.name).parent)
            storage._remove_leftovers(settings.datasets)  # of another process, in this very moment
        real(file, how)

    monkeypatch.setattr(storage.fcntl, "flock", flock)
    with storage.workspace(settings.datasets, "one") as mine:
        assert mine.is_dir()
        assert not lost[0].exists()
        with storage.workspace(settings.datasets, "two"):
            assert mine.is_dir()
    assert list(settings.datasets.iterdir()) == []


def test_several_prepares_at_once_end_with_one_data_set(settings):
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: prepare(settings, DataConfig(dataset="digits")), range(3)))
    assert {data.key for data in found} == {"digits"}
    assert [p.name for p in settings.datasets.iterdir()] == ["digits"]


def test_a_damaged_data_set_is_said_and_one_of_another_version_is_prepared_again(settings):
    prepare(settings, DataConfig(dataset="digits"))
    folder = settings.datasets / "digits"
    labels = folder / "train_labels.npy"
    whole = labels.read_bytes()
    for damage in (whole[:200], b"", b"text"):
        labels.write_bytes(damage)
        with pytest.raises(DataError, match="damaged"):
            open_dataset(settings, "digits")
    (folder / "meta.json").write_text('{"format": 0}')
    assert len(prepare(settings, DataConfig(dataset="digits")).train) == 1297
    assert [p.name for p in settings.datasets.iterdir()] == ["digits"]


def test_a_home_that_cannot_be_written_is_a_clear_error(settings):
    settings.datasets.write_text("a file where a folder should be")
    with pytest.raises(DataError, match="AL_HOME"):
        prepare(settings, DataConfig(dataset="digits"))


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(settings, monkeypatch):
    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(storage, "_flush", full)
    with pytest.raises(DataError, match="make room on the disk"):
        prepare(settings, DataConfig(dataset="digits"))
    assert list(settings.datasets.iterdir()) == []
