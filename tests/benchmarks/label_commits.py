"""How long a label takes to be committed, alone and while another process writes.

    python -m tests.benchmarks.label_commits [--count 2000] [--kind wal|journal] [--url postgresql://...]

The other process does what a worker does: heartbeats with progress and an epoch's record, without a pause
(`busy`) or once every 50 ms (`worker`).
"""

import argparse
import multiprocessing
import os
import tempfile
import time

from al_core.config import ExperimentConfig
from al_core.records import EpochRecord, LabelOp, LabelSource
from al_core.store import engine
from tests.stores import Place


def write_beside(place, experiment, pause, ready, stop):
    """Report epochs until told to stop."""
    store = place.open()
    store.submit_job("advance", experiment_id=experiment)
    _, lease = store.claim_job("benchmark")
    ready.set()
    step = 0
    while not stop.is_set():
        step += 1
        store.heartbeat(lease, {"phase": "train", "done": step})
        store.put_epochs(lease, experiment, [EpochRecord(0, step % 50, step, 1.0, 0.5, 0.1, 1.0)])
        time.sleep(pause)
    store.close()


def measure(place, count, pause=None):
    """Sorted seconds of `count` commits of one label each."""
    store = place.open()
    experiment = store.create_experiment(ExperimentConfig()).id
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    other = context.Process(target=write_beside, args=(place, experiment, pause, ready, stop))
    if pause is not None:
        other.start()
        ready.wait(60)
    seconds = []
    for n in range(1, count + 1):
        begun = time.perf_counter()
        store.add_labels(experiment, [LabelOp(n, n, 1)], client="c", source=LabelSource.HUMAN, round=0)
        seconds.append(time.perf_counter() - begun)
    if pause is not None:
        stop.set()
        other.join()
    store.close()
    return sorted(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--kind", default="wal", choices=("wal", "journal"))
    parser.add_argument("--url", default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.url or f"sqlite:///{folder}/askwell.db"
        place = Place("postgres" if arguments.url else arguments.kind, url)
        print(f"{place.kind}, SQLite {engine.sqlite.sqlite_version}, {os.cpu_count()} cores")
        for name, pause in (("alone", None), ("beside a worker", 0.05), ("beside a busy writer", 0.0)):
            s = measure(place, arguments.count, pause)
            p50, p99 = s[len(s) // 2], s[int(len(s) * 0.99)]
            print(f"{name}: n {len(s)} p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms, max {s[-1] * 1e3:.0f}")


if __name__ == "__main__":
    main()
