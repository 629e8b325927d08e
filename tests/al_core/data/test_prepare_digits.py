"""The embedded data set: prepared once, opened at once."""

import subprocess
import sys
import time

import numpy as np
import pytest

from al_core.config import DataConfig
from al_core.data.prepare import dataset_key, list_prepared, open_dataset, prepare, prepared_key
from al_core.errors import DataError


def test_digits_are_prepared_with_a_stratified_test_split_of_500(settings):
    data = prepare(settings, DataConfig(dataset="digits"))
    assert (len(data.train), len(data.test), data.image_size, data.kind) == (1297, 500, 8, "memmap")
    assert data.has_truth
    assert data.pixelated
    whole = data.class_counts("train") + data.class_counts("test")
    assert np.abs(data.class_counts("test") - whole * 500 / 1797).max() < 1
    assert not data.augmentation.horizontal_flip


def test_the_digits_are_those_of_scikit_learn_and_no_picture_is_in_both_splits(settings):
    from sklearn.datasets import load_digits

    data = prepare(settings, DataConfig(dataset="digits"))
    pixels = np.concatenate([data.train.read(np.arange(1297)), data.test.read(np.arange(500))])
    labels = np.concatenate([data.train.labels, data.test.labels])
    bunch = load_digits()
    expected = np.rint(bunch.images * 255 / 16).astype(np.uint8)

    def rows(images, classes):
        return sorted(bytes([c]) + image.tobytes() for image, c in zip(images, classes, strict=True))

    assert rows(pixels[..., 0], labels) == rows(expected, bunch.target)


def test_a_prepared_data_set_is_opened_again_and_not_prepared_again(settings):
    first = prepare(settings, DataConfig(dataset="digits"))
    phases = []
    again = prepare(settings, DataConfig(dataset="Digits"), lambda *told: phases.append(told))
    assert again.fingerprint == first.fingerprint
    assert phases == []
    assert prepared_key(settings, DataConfig(dataset="digits")) == "digits" == again.key
    assert [summary.key for summary in list_prepared(settings)] == ["digits"]


def test_the_image_size_does_not_change_what_is_prepared():
    assert dataset_key(DataConfig(image_size=32)) == dataset_key(DataConfig(test_fraction=0.5)) == "digits"


def test_opening_is_fast_and_imports_nothing_heavy(settings):
    prepare(settings, DataConfig(dataset="digits"))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        open_dataset(settings, "digits")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.02
    code = (
        "import sys; from al_core.data.prepare import open_dataset, prepared_key, list_prepared;"
        "import al_core.data.sources as s; list(s.SOURCES); from pathlib import Path;"
        "from al_core.settings import Settings;"
        "open_dataset(Settings.from_env(), 'digits').train.encoded(0, None);"
        "print([m for m in ('torch', 'torchvision', 'sklearn', 'pandas', 'scipy') if m in sys.modules])"
    )
    env = {"AL_HOME": str(settings.home), "PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("key", ["digits/../digits", "..", "", "Digits", "a" * 300, "digits.x", "\0"])
def test_a_key_that_is_no_key_is_refused(settings, key):
    with pytest.raises(DataError, match="is not the key"):
        open_dataset(settings, key)


def test_an_unprepared_data_set_says_so(settings):
    with pytest.raises(DataError, match="not prepared"):
        open_dataset(settings, "digits")
    assert prepared_key(settings, DataConfig()) is None
    assert list_prepared(settings) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", "did you mean 'digits'"),
        ("digits:/tmp", "takes no path"),
        ("folder", "folder:PATH"),
        ("folder: ", "folder:PATH"),
    ],
)
def test_a_wrong_data_set_name_names_the_way_out(settings, name, message):
    with pytest.raises(DataError, match=message):
        prepare(settings, DataConfig(dataset=name))
