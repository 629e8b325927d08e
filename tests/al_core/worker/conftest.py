"""A small data set whose pixels say which image they are, and a way to run jobs in this process."""

import io
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.experiment import Experiment
from al_core.settings import Settings
from al_core.store import open_store
from al_core.worker.jobs import run_job

SIDE = 16
CLASSES = ("left", "right", "top")


def watermark(number, class_id):
    """An image whose class is a bright half, and whose lower right corner spells `number` in bits."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 90, (SIDE, SIDE, 3), np.uint8)
    halves = (np.s_[:, :6], np.s_[:, 10:], np.s_[:5, :])
    pixels[halves[class_id]] += 120
    bits = (number >> np.arange(12)) & 1
    pixels[-2:, -6:] = (bits.reshape(2, 6, 1) * 255).astype(np.uint8)
    return pixels


def number_in(pixels):
    """Read the watermark back."""
    bits = (pixels[-2:, -6:, 0].reshape(-1) > 127).astype(int)
    return int((bits << np.arange(12)).sum())


@pytest.fixture(scope="session")
def watermarked(tmp_path_factory):
    """A folder data set of 150 + 60 such images; train file names are the watermarks."""
    root = tmp_path_factory.mktemp("folders") / "marked"
    for split, numbers in (("train", range(150)), ("test", range(1000, 1060))):
        for number in numbers:
            class_id = number % 3
            folder = root / split / CLASSES[class_id]
            folder.mkdir(parents=True, exist_ok=True)
            buffer = io.BytesIO()
            Image.fromarray(watermark(number, class_id)).save(buffer, "PNG")
            (folder / f"{number:04d}.png").write_bytes(buffer.getvalue())
    return root


@pytest.fixture(scope="session")
def prepared(watermarked, tmp_path_factory):
    """A home in which that folder is prepared, once for all tests."""
    settings = Settings.from_env({"AL_HOME": str(tmp_path_factory.mktemp("prepared"))})
    prepare(settings, DataConfig(dataset=f"folder:{watermarked}"), trusted=True)
    return settings.home


@pytest.fixture
def settings(tmp_path, prepared, watermarked):
    """Settings of a fresh home that has the data set already."""
    home = tmp_path / "home"
    shutil.copytree(prepared, home)
    return Settings.from_env({"AL_HOME": str(home), "AL_DATA_ROOTS": str(watermarked.parent)})


@pytest.fixture
def store(settings):
    store = open_store(settings)
    yield store
    store.close()


@pytest.fixture
def config(watermarked):
    """Quick, deterministic, answered by ground truth; two rounds."""
    return ExperimentConfig().changed(
        oracle="truth", data__dataset=f"folder:{watermarked}", init__n_start=3, query__n_new=12,
        train__epochs=4, train__min_steps=30, train__threads=1, stop__n_rounds=2,
    )  # fmt: skip


@pytest.fixture
def work(store, settings):
    """Run the experiment's job here, as a worker would; gives the job's end state and the experiment."""

    def go(experiment_id, **spec):
        job = store.submit_job("advance", experiment_id=experiment_id, spec=spec)
        state = run_job(store, settings, *store.claim_job("tester", job_id=job.id))
        return state, Experiment.open(store, settings, experiment_id)

    return go


def eventually(check, seconds=30.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False
