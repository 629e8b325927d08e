"""Many writers, killed writers, forked writers: nothing acknowledged is lost, nothing half-written stays."""

import os
import random
import signal
import time

import pytest

from al_core.config import ExperimentConfig
from al_core.errors import StoreError
from al_core.records import LabelOp, LabelSource
from al_core.store.lock import WriterLock
from tests.stores import label_a_while, label_for_ever

pytestmark = pytest.mark.slow

KILL_TRIALS = int(os.environ.get("AL_KILL_TRIALS", "25"))


def received(connection):
    """All that a child sent before it ended."""
    messages = []
    while True:
        try:
            messages.append(connection.recv())
        except (EOFError, ConnectionResetError):
            return messages


def test_killing_the_writer_at_any_instant_loses_no_acknowledged_label(place, children):
    """Each trial goes on where the log ends, so that earlier damage would be met again."""
    store = place.open()
    experiment = store.create_experiment(ExperimentConfig()).id
    store.close()
    random.seed(20)
    acknowledged = last = 0
    for trial in range(KILL_TRIALS):
        acks, child_end = children.Pipe(duplex=False)
        child = children.Process(target=label_for_ever, args=(place, experiment, last + 1, child_end))
        child.start()
        child_end.close()
        assert acks.poll(60), "the child wrote nothing"
        time.sleep(random.random() * 0.05)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        acknowledged = received(acks)[-1]
        acks.close()
        store = place.open()
        numbers = [event.n for event in store.label_events(experiment)]
        assert numbers == list(range(1, len(numbers) + 1)), f"trial {trial}"
        assert numbers[-1] >= acknowledged, f"trial {trial}"
        assert store.check() == [], f"trial {trial}"
        store.close()
        last = numbers[-1]
    print(f"{place.kind}: {KILL_TRIALS} kills, {last} labels, none lost")


def test_sixteen_processes_write_at_once_without_a_locked_error(place, children):
    count = 12
    store = place.open()
    experiment = store.create_experiment(ExperimentConfig()).id
    ends = []
    for n in range(16):
        results, child_end = children.Pipe(duplex=False)
        child = children.Process(
            target=label_a_while, args=(place, experiment, f"client{n}", count, child_end)
        )
        child.start()
        child_end.close()
        ends.append((child, results))
    outcomes = [results.recv() for _, results in ends]
    for child, results in ends:
        child.join()
        results.close()
    assert [o for o in outcomes if isinstance(o, str)] == []
    seconds = sorted(s for outcome in outcomes for s in outcome)
    print(f"{place.kind}: p50 {seconds[len(seconds) // 2] * 1e3:.1f} ms, max {seconds[-1] * 1e3:.0f} ms")
    assert len(store.label_events(experiment)) == 16 * count
    assert store.check() == []
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_gets_its_own_connections(store, experiment):
    def label(n):
        ops = [LabelOp(n, n, 1)]
        store.add_labels(experiment, ops, client="c", source=LabelSource.HUMAN, round=0)

    label(1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            label(2)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    label(3)
    assert [e.n for e in store.label_events(experiment)] == [1, 2, 3]
    assert store.check() == []


def test_a_writer_that_waits_too_long_says_so_and_writes_nothing(tmp_path):
    path = tmp_path / "askwell.db.lock"
    held, waiting = WriterLock(path), WriterLock(path, patience=0.05)
    with held, pytest.raises(StoreError, match="another writer has held"), waiting:
        pytest.fail("two writers at once")
    with waiting:
        pass
    held.close()
    waiting.close()


def test_a_write_inside_a_write_is_our_own_mistake(tmp_path):
    lock = WriterLock(tmp_path / "askwell.db.lock")
    with lock, pytest.raises(RuntimeError, match="inside"), lock:
        pytest.fail("it would wait for itself")
    lock.close()
