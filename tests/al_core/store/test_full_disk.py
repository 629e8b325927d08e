"""No space, no right to write: a clear refusal, nothing half-written, and on it goes when that is mended."""

import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import event

from al_core.config import ExperimentConfig
from al_core.errors import StoreError
from al_core.records import LabelOp, LabelSource
from al_core.store import open_store
from al_core.store.objects import Objects

HUMAN = LabelSource.HUMAN


def fill(store, experiment, *, start=1, limit=4000):
    """Add labels until the store refuses; the last number that was acknowledged, and the refusal."""
    acknowledged = start - 1
    for n in range(start, start + limit * 50, 50):
        ops = [LabelOp(n + i, n + i, 1) for i in range(50)]
        try:
            acknowledged = store.add_labels(experiment, ops, client="c", source=HUMAN, round=0).n
        except StoreError as error:
            return acknowledged, str(error)
    return pytest.fail("the disk never became full")


def test_a_full_database_refuses_and_goes_on_when_there_is_space(place):
    if place.kind == "postgres":
        pytest.skip("a limit on pages is SQLite's")
    store = place.open()
    experiment = store.create_experiment(ExperimentConfig()).id
    limit = {"pages": 60}

    @event.listens_for(store._db._writer, "begin")
    def bound(connection):
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit['pages']}")

    acknowledged, words = fill(store, experiment)
    assert "disk is full" in words
    assert "Nothing was written" in words
    assert store.label_events(experiment)[-1].n == acknowledged
    assert store.check() == []
    limit["pages"] = 2**30
    again = store.add_labels(experiment, [LabelOp(acknowledged + 1, 1, 1)], client="c", source=HUMAN, round=0)
    assert again.n == acknowledged + 1
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_file_that_may_not_grow_refuses_and_keeps_what_was_acknowledged(place, tmp_path):
    """RLIMIT_FSIZE makes real writes fail in the middle, also those of the journal."""
    if place.kind == "postgres":
        pytest.skip("the limit would be the server's")
    store = place.open()
    experiment = store.create_experiment(ExperimentConfig()).id
    store.close()
    told = tmp_path / "told"
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
            acknowledged, words = fill(place.open(), experiment)
            told.write_text(f"{acknowledged}\n{words}")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    acknowledged, words = told.read_text().split("\n", 1)
    assert "disk" in words
    store = place.open()
    assert store.label_events(experiment)[-1].n == int(acknowledged) > 0
    assert store.check() == []
    store.close()


@pytest.fixture
def small_disk():
    """A file system of one megabyte."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    folder = Path(tempfile.mkdtemp(prefix="small-"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_disk_that_is_full_refuses_labels_and_objects_until_space_is_made(small_disk):
    store = open_store(f"sqlite:///{small_disk / 'askwell.db'}")
    experiment = store.create_experiment(ExperimentConfig()).id
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    acknowledged, words = fill(store, experiment)
    assert "free some space" in words or "disk full" in words
    assert store.label_events(experiment)[-1].n == acknowledged > 0
    objects = Objects(small_disk / "objects")
    with pytest.raises(StoreError, match="disk has space"):
        objects.put_bytes(bytes(900_000), "npy")
    assert objects.check() == []
    ballast.unlink()
    ack = store.add_labels(experiment, [LabelOp(acknowledged + 1, 1, 1)], client="c", source=HUMAN, round=0)
    assert ack.n == acknowledged + 1
    assert store.check() == []
    store.close()


def as_ordinary_user(place, experiment):
    """Try to label where file permissions count: in a child that is not root. Gives the refusal."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            store = open_store(place)
            store.add_labels(experiment, [LabelOp(1, 1, 1)], client="c", source=HUMAN, round=0)
        except BaseException as error:  # the child must not go on as a second test run
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as told:
        return told.read()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_read_only_folder_is_named_with_the_way_out():
    with tempfile.TemporaryDirectory(prefix="readonly-") as name:
        folder = Path(name)
        store = open_store(f"sqlite:///{folder / 'askwell.db'}")
        experiment = store.create_experiment(ExperimentConfig()).id
        store.close()
        (folder / "askwell.db.lock").unlink()
        folder.chmod(0o555)
        try:
            for file in ("askwell.db", "new.db", "deeper/new.db"):
                refusal = as_ordinary_user(f"sqlite:///{folder / file}", experiment)
                assert refusal.startswith("StoreError: "), refusal
                assert "AL_HOME" in refusal
                assert name in refusal
        finally:
            folder.chmod(0o755)
        store = open_store(f"sqlite:///{folder / 'askwell.db'}")
        assert store.label_events(experiment) == []
        store.close()
