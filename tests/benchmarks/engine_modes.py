"""Rows that compare ways of running: instant mode, two arms side by side, and a GPU where there is one."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from al_core import presets
from al_core.config import ExperimentConfig
from al_core.engine.inference import predict
from al_core.engine.trainer import TrainData, fit
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.settings import Settings
from tests.benchmarks.engine_rows import Bench, Row, config_of


def instant(bench: Bench) -> Row:
    """Refit, score the train split, query: with the preset's own path, features cached beforehand."""
    row = Row(
        "instant", "frozen features, linear head: refit at 1,000 labels, score all, query 100", 0.5, 0.1
    )
    row.unit = "CPU-s a round (no ratio: at most)"
    config = presets.apply(ExperimentConfig(), "instant").changed(train__threads=1)
    settings = Settings.from_env({"AL_HOME": str(bench.home)})
    dataset, found = bench.dataset, STRATEGIES.get("margin")
    ids = np.sort(np.random.default_rng(0).permutation(len(dataset.train))[:1000])
    pool = np.setdiff1d(np.arange(len(dataset.train)), ids)

    def round_(phases):
        clock = [time.process_time()]

        def lap(name):
            clock.append(time.process_time())
            phases.setdefault(name, []).append(clock[-1] - clock[-2])

        with tempfile.TemporaryDirectory() as folder:
            network = fit(
                config, dataset, TrainData(ids, dataset.train.labels[ids]), round=0,
                checkpoints=Path(folder), settings=settings,
            )  # fmt: skip
        lap("refit")
        probs = predict(network, dataset.train, pool).probs
        lap("score")
        rng = np.random.default_rng(0)
        select(found, {"probs": probs}, num_candidates=len(pool), k=100, rng=rng)
        lap("query")
        return network

    began = time.process_time()
    network = round_({})
    once, phases = time.process_time() - began, {}
    for _ in range(bench.repeats):
        cpu = time.process_time()
        round_(phases)
        row.product.append(time.process_time() - cpu)
    row.reference, row.load = row.product, os.getloadavg()[0]
    held = np.setdiff1d(np.arange(len(dataset.train)), ids)[:5000]
    probs = predict(network, dataset.train, held).probs
    accuracy = float((probs.argmax(1) == dataset.train.labels[held]).mean())
    row.checks[f"accuracy {accuracy:.3f} on train images without a label"] = accuracy > 0.4
    medians = ", ".join(f"{name} {np.median(times):.3f}" for name, times in phases.items())
    row.note = f"{medians} CPU-s; the first round, which may compute the features: {once:.0f} CPU-s"
    return row


def _arm(threads, trainings, folder, data, home, gate, done):
    """One worker: trains once to warm up, waits for the others, trains `trainings` times.

    24 epochs: some eight seconds each, so that what is measured is training and not its beginning.
    """
    torch.set_num_threads(threads)
    from tests.benchmarks.engine_loop import cifar

    dataset = cifar(Path(data), Path(home))
    config = config_of("squeezenet1_1", train__batch_size=128, train__epochs=24, train__threads=threads)
    ids = np.arange(1280)

    def train(number):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            fit(
                config, dataset, TrainData(ids, dataset.train.labels[ids]), round=number,
                checkpoints=Path(place),
            )  # fmt: skip

    train(0)
    gate.wait()
    began = time.perf_counter()
    for number in range(trainings):
        train(number)
    done.put(time.perf_counter() - began)


def two_arms(bench: Bench, data: Path) -> Row:
    """Wall time of two trainings: one after the other with two threads, and side by side with one each."""
    row = Row(
        "two-arms", "two trainings of SqueezeNet: side by side, a thread each, against in turn with two",
        1.3, 1.8, unit="wall s",
    )  # fmt: skip
    context = multiprocessing.get_context("spawn")

    def run(workers, threads, trainings):
        gate, done = context.Barrier(workers), context.Queue()
        with tempfile.TemporaryDirectory() as folder:
            arguments = (threads, trainings, folder, str(data), str(bench.home), gate, done)
            processes = [context.Process(target=_arm, args=arguments) for _ in range(workers)]
            for process in processes:
                process.start()
            times = [done.get() for _ in processes]
            for process in processes:
                process.join()
        return max(times)

    for _ in range(bench.repeats):
        row.reference.append(run(1, 2, 2))
        row.product.append(run(2, 1, 1))
    row.load = os.getloadavg()[0]
    row.note = "needs two idle cores: other work on them slows both, the pair more"
    return row


def on_gpu(bench: Bench) -> list[Row]:
    """Training step and scoring on a CUDA device, by its own events; nothing where there is none."""
    if not torch.cuda.is_available():
        return []
    from tests.benchmarks import engine_references as references
    from tests.benchmarks.engine_rows import pictures, trained, usual

    rows = []
    for model in ("squeezenet1_1", "resnet18"):
        row = Row(f"gpu-score-{model}", f"pool scored, {model}, CUDA events", 4, 6, unit="GPU s")
        network = trained(bench, model, train__device="cuda")
        ids = np.arange(min(bench.pool, len(bench.dataset.train)))
        slow = pictures(bench, ids, references.crop_and_flip(bench.dataset.image_size))
        module = usual(network).cuda()

        def reference(module=module, slow=slow):
            with torch.no_grad():
                for x, _, _ in torch.utils.data.DataLoader(slow, 1000):
                    module(x.cuda()).softmax(1).cpu()

        def product(network=network, ids=ids):
            predict(network, bench.dataset.train, ids, reduced=True)

        for function, series in ((reference, row.reference), (product, row.product)):
            function()
            for _ in range(bench.repeats):
                series.append(_events(function))
        rows.append(row)
    return rows


def _events(function) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    function()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1e3
