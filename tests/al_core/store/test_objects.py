"""Artefacts by content: what comes back is what was put, or an error that says so."""

import hashlib
import os
import threading

import numpy as np
import pytest

from al_core.errors import NotFound, StoreError
from al_core.store.objects import Objects


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path / "objects")


def test_bytes_are_found_under_their_hash(objects):
    sha = objects.put_bytes(b"weights", "npy")
    assert sha == hashlib.sha256(b"weights").hexdigest()
    assert objects.path(sha, "npy") == objects.root / sha[:2] / f"{sha[2:]}.npy"
    assert objects.path(sha, ".npy") == objects.path(sha, "npy")
    assert objects.get_bytes(sha, "npy") == b"weights"
    assert objects.check() == []


def test_arrays_come_back_exactly_in_type_shape_and_value(objects):
    rng = np.random.default_rng(0)
    arrays = {
        "probs": rng.random((5, 3), dtype=np.float32),
        "ids": np.arange(5, dtype=np.int64),
        "turned": rng.random((4, 6)).T,
        "every other": np.arange(10, dtype=np.uint8)[::2],
        "one": np.array(1 / 3),
        "none": np.zeros((0, 7), np.float16),
        "flags": np.array([True, False]),
    }
    back = objects.get_arrays(objects.put_arrays(arrays))
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        np.testing.assert_array_equal(back[name], array)


def test_equal_arrays_are_one_object_in_whatever_order(objects):
    a, b = np.arange(3), np.ones((2, 2))
    assert objects.put_arrays({"a": a, "b": b}) == objects.put_arrays({"b": b, "a": a})
    assert len(list(objects.root.glob("*/*"))) == 1


def test_arrays_of_objects_are_refused(objects):
    with pytest.raises(StoreError, match="names"):
        objects.put_arrays({"names": np.array(["a", None], dtype=object)})


@pytest.mark.parametrize("move", [True, False])
def test_a_file_is_kept_by_copy_or_move(objects, tmp_path, move):
    path = tmp_path / "checkpoint"
    path.write_bytes(b"x" * 3_000_000)
    sha = objects.put_file(path, "safetensors", move=move)
    assert sha == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert objects.path(sha).read_bytes() == b"x" * 3_000_000
    assert path.exists() is not move
    assert [p.name for p in objects.root.iterdir()] == [sha[:2]]


def test_what_is_not_there_is_not_found(objects, tmp_path):
    with pytest.raises(NotFound):
        objects.get_arrays("0" * 64)
    with pytest.raises(NotFound):
        objects.put_file(tmp_path / "nope", "npy")
    assert objects.check() == []


@pytest.mark.parametrize("sha", ["", "abc", "../" * 21 + "x", "A" * 64, "0" * 63 + "/"])
def test_a_name_that_is_no_hash_never_becomes_a_path(objects, sha):
    with pytest.raises(StoreError, match="not the name"):
        objects.path(sha)
    with pytest.raises(StoreError, match="not the name"):
        objects.path("0" * 64, "../x")


@pytest.mark.parametrize("damage", [b"", b"wei", b"Weights", b"weights and more"])
def test_a_cut_or_changed_object_is_seen_and_put_right_by_putting_it_again(objects, damage):
    sha = objects.put_bytes(b"weights", "npy")
    objects.put_bytes(b"other", "npy")
    objects.path(sha, "npy").write_bytes(damage)
    (line,) = objects.check()
    assert str(objects.path(sha, "npy")) in line
    assert ("is empty" in line) is (damage == b"")
    with pytest.raises(StoreError, match="cut off or changed"):
        objects.get_bytes(sha, "npy")
    objects.put_bytes(b"weights", "npy")
    assert objects.check() == []


def test_a_stranger_among_the_objects_is_named(objects):
    sha = objects.put_bytes(b"weights", "npy")
    objects.path(sha, "npy").with_name("notes.txt").write_text("mine")
    assert "notes.txt is not an object" in objects.check()[0]


def test_bytes_that_are_no_arrays_are_refused_when_read_as_such(objects):
    sha = objects.put_bytes(b"not arrays", "safetensors")
    with pytest.raises(StoreError, match="does not hold arrays"):
        objects.get_arrays(sha)


def test_the_same_content_may_be_put_by_many_at_once(objects):
    data, found = os.urandom(200_000), []
    threads = [
        threading.Thread(target=lambda: found.append(objects.put_bytes(data, "npy"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [hashlib.sha256(data).hexdigest()] * 8
    assert objects.check() == []
    assert len(list(objects.root.rglob("*.npy"))) == 1


def test_a_put_that_fails_leaves_no_trace(objects, monkeypatch):
    def broken(descriptor):
        raise OSError(28, "No space left on device")

    objects.put_bytes(b"first", "npy")
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StoreError, match="No space left on device"):
        objects.put_bytes(b"second", "npy")
    assert [p.name for p in objects.root.rglob("*") if p.is_file()] == [
        objects.path(hashlib.sha256(b"first").hexdigest(), "npy").name
    ]
