"""Decoded photos on disk: filled by many processes at once, believed only where the checksum fits."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig
from al_core.data import cache
from al_core.data.cache import PixelCache
from al_core.data.prepare import open_dataset, prepare

ROOT = Path(__file__).resolve().parents[3]


def pictures(count, size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def test_what_is_put_comes_back_and_the_rest_is_missing(tmp_path):
    kept = PixelCache.open(tmp_path, "train", 10, 8)
    data = pictures(3, 8)
    kept.put(np.array([7, 0, 3]), data)
    for again in (kept, PixelCache.open(tmp_path, "train", 10, 8)):
        out = np.empty((4, 8, 8, 3), np.uint8)
        assert again.get(np.array([3, 1, 7, 0]), out).tolist() == [True, False, True, True]
        assert (out[[2, 3, 0]] == data).all()


def test_a_black_picture_is_kept_too(tmp_path):
    kept = PixelCache.open(tmp_path, "train", 2, 8)
    kept.put(np.array([1]), np.zeros((1, 8, 8, 3), np.uint8))
    assert kept.get(np.array([0, 1]), np.empty((2, 8, 8, 3), np.uint8)).tolist() == [False, True]


@pytest.mark.parametrize("where", ["pixels", "checksum", "end"])
def test_a_record_that_was_half_written_is_not_believed(tmp_path, where):
    kept = PixelCache.open(tmp_path, "train", 3, 8)
    kept.put(np.arange(3), pictures(3, 8))
    path = tmp_path / "cache" / "train-8.npy"
    size = 4 + 8 * 8 * 3
    begin = path.stat().st_size - 2 * size
    with path.open("r+b") as file:
        file.seek(begin + {"pixels": 50, "checksum": 0, "end": 100}[where])
        file.write(bytes(size - 100 if where == "end" else 4))
    found = PixelCache.open(tmp_path, "train", 3, 8).get(np.arange(3), np.empty((3, 8, 8, 3), np.uint8))
    assert found.tolist() == [True, False, True]


def test_a_file_of_other_pictures_is_thrown_away(tmp_path):
    PixelCache.open(tmp_path, "train", 3, 8).put(np.arange(3), pictures(3, 8))
    assert PixelCache.open(tmp_path, "train", 4, 8) is None
    assert not (tmp_path / "cache" / "train-8.npy").exists()
    (tmp_path / "cache" / "train-8.npy").write_bytes(b"garbage")
    assert PixelCache.open(tmp_path, "train", 4, 8) is None


def test_there_is_no_cache_where_it_would_be_too_large_or_cannot_be_written(tmp_path, monkeypatch):
    assert PixelCache.open(tmp_path, "train", 10**6, 224) is None
    assert PixelCache.open(tmp_path, "train", 0, 8) is None
    (tmp_path / "file").touch()
    assert PixelCache.open(tmp_path / "file", "train", 10, 8) is None
    monkeypatch.setattr(cache, "MAX_BYTES", 100)
    assert PixelCache.open(tmp_path, "train", 10, 8) is None


def test_a_full_disk_ends_the_keeping_and_not_the_reading(tmp_path, monkeypatch):
    kept = PixelCache.open(tmp_path, "train", 3, 8)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "pwrite", full)
    kept.put(np.arange(3), pictures(3, 8))
    assert not kept.get(np.arange(3), np.empty((3, 8, 8, 3), np.uint8)).any()


def test_an_empty_cache_takes_no_room(tmp_path):
    PixelCache.open(tmp_path, "train", 50_000, 64)
    status = (tmp_path / "cache" / "train-64.npy").stat()
    assert status.st_size > 600_000_000
    assert status.st_blocks * 512 < 1_000_000


@pytest.mark.slow
def test_many_processes_fill_one_cache_and_all_read_the_same(settings, tmp_path):
    folder = tmp_path / "photos"
    for i in range(60):
        (folder / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(i).integers(0, 256, (40 + i, 50, 3), np.uint8)
        Image.fromarray(noise).save(folder / "ab"[i % 2] / f"{i}.png")
    data = prepare(settings, DataConfig(dataset=f"folder:{folder}", test_fraction=0.0))
    code = (
        "import sys, hashlib, numpy as np\n"
        "from al_core.data.prepare import open_dataset\n"
        "from al_core.settings import Settings\n"
        "data = open_dataset(Settings.from_env(), sys.argv[1])\n"
        "rng = np.random.default_rng(int(sys.argv[2]))\n"
        "for _ in range(6):\n    data.train.read(rng.permutation(60)[:20], 48)\n"
        "print(hashlib.sha256(data.train.read(np.arange(60), 48).tobytes()).hexdigest())\n"
    )
    env = {"AL_HOME": str(settings.home), "PYTHONPATH": ":".join([str(ROOT), *sys.path])}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, data.key, str(i)], env=env, stdout=subprocess.PIPE, text=True
        )
        for i in range(4)
    ]
    hashes = {run.communicate()[0].strip() for run in runs}
    assert [run.returncode for run in runs] == [0] * 4
    (settings.datasets / data.key / "cache" / "train-48.npy").rename(tmp_path / "away")
    plain = open_dataset(settings, data.key).train.read(np.arange(60), 48)
    import hashlib

    assert hashes == {hashlib.sha256(plain.tobytes()).hexdigest()}
