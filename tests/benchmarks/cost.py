"""Predicted against real: `python -m tests.benchmarks.cost [digits] [noise] [memory] [STRATEGY]`.

The real ones are those of evidence and choice on a trained network and the whole pool, the second time (kept
features are read), the quicker of two. `noise` is 4,000 made-up images of 32 pixels, with SqueezeNet 1.1.
`memory`: the peak of what NumPy holds while 100 of 20,000 are chosen, beside what is declared.
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from statistics import median

import numpy as np

from al_core.config import DataConfig, ExperimentConfig
from al_core.cost.pool import Pool
from al_core.cost.prediction import predict, sizes_of
from al_core.cost.selecting import clustered, defaults
from al_core.data.prepare import prepare
from al_core.engine.inference import predict as predict_images
from al_core.engine.providers import EvidenceContext, gather
from al_core.engine.speed import made_up_dataset
from al_core.engine.trainer import TrainData, fit
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.settings import Settings
from al_core.worker.calibrate import calibrate

SLOW = ("bim", "deep_fool")  # on the larger pool: some minutes each


def pools(names, settings):
    if "digits" in names:
        yield "digits", ExperimentConfig().changed(train__threads=1), prepare(settings, DataConfig())
    if "noise" in names:
        config = ExperimentConfig().changed(
            model__model="squeezenet1_1", train__min_steps=60, train__threads=1
        )
        yield "noise", config, made_up_dataset(32, 10, 4000)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["digits", "noise"])
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--n-new", type=int, default=100)
    parser.add_argument("--cpu", action="store_true", help="count CPU time: for one thread on a busy machine")
    arguments = parser.parse_args()
    if arguments.cpu:
        time.perf_counter = time.process_time
    chosen = [name for name in arguments.what if name in STRATEGIES] or STRATEGIES.names()
    if "memory" in arguments.what:
        memory_table(chosen)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), "sqlite://", ())
        for name, config, dataset in pools(arguments.what, settings):
            config = config.changed(query__n_new=arguments.n_new)
            skipped = SLOW if name == "noise" and len(chosen) > len(SLOW) else ()
            table(name, config, dataset, settings, arguments.labels, [s for s in chosen if s not in skipped])


def table(title, config, dataset, settings, num_labels, names):
    rng = np.random.default_rng(0)
    ids = rng.permutation(len(dataset.train))
    labeled, candidates = np.sort(ids[:num_labels]), np.sort(ids[num_labels:])
    data = TrainData(labeled, dataset.train.labels[labeled])
    network = fit(config, dataset, data, round=0, checkpoints=settings.home / "c", settings=settings)
    pool = Pool(len(dataset.train), dataset.num_classes, dataset.image_size)
    ratios = {}
    write = sys.stdout.write
    write(f"\n{title}: {len(candidates):,} candidates, {num_labels} labels, {config.query.n_new} asked for\n")
    write(f"{'strategy':22s} {'measuring':>9} {'predicted':>9} {'real':>9} {'ratio':>6}\n")
    for name in names:
        tried = config.changed(query__strategy=name)
        began = time.perf_counter()
        calibration = calibrate(settings, [tried], pool)
        measuring = time.perf_counter() - began
        cost = predict(tried, pool, sizes_of(tried, pool, num_labels), calibration)
        context = EvidenceContext(
            config=tried, dataset=dataset, network=network, candidate_ids=candidates, labeled_ids=labeled,
            labeled_classes=data.classes, settings=settings,
        )  # fmt: skip
        seconds = real(STRATEGIES.get(name), context, config.query.n_new)
        ratios[name] = cost.seconds / seconds
        write(f"{name:22s} {measuring:8.2f}s {cost.seconds:8.3f}s {seconds:8.3f}s {ratios[name]:6.2f}\n")
        sys.stdout.flush()
    within = [name for name, ratio in ratios.items() if 0.5 <= ratio <= 2]
    outside = ", ".join(sorted(set(ratios) - set(within))) or "none"
    write(
        f"median ratio {median(ratios.values()):.2f}; within a factor of 2: {len(within)} of {len(ratios)};"
    )
    write(f" outside: {outside}\n")


def memory_table(names):
    write = sys.stdout.write
    write("\nchoosing 100 of 20,000 (200 labeled, 10 classes, 128 features, 20 passes): MB at the peak\n")
    write(f"{'strategy':22s} {'declared':>9} {'measured':>9} {'ratio':>6}\n")
    outside = []
    for name in names:
        declared, peak = chosen_bytes(STRATEGIES.get(name), n=20_000, m=200, k=100, num_classes=10, width=128)
        write(f"{name:22s} {declared / 1e6:9.2f} {peak / 1e6:9.2f} {declared / peak:6.2f}\n")
        sys.stdout.flush()
        if not 0.5 <= declared / peak <= 2:
            outside.append(name)
    write(f"outside a factor of 2: {', '.join(outside) or 'none'}\n")


def chosen_bytes(strategy, *, n, m, k, num_classes, width, passes=20, members=5):
    """Bytes that choosing takes beside the evidence: declared, and the peak of NumPy's allocations."""
    evidence = clustered(n, m, num_classes=num_classes, width=width, passes=passes, members=members)
    sizes = {"n": n, "m": m, "k": k, "C": num_classes, "D": width, "T": passes, "M": members}
    declared = 4 * strategy.growth[1](sizes | defaults(strategy, {}))
    needed = {name: evidence[name] for name in strategy.evidence}
    small = clustered(60, 9, num_classes=num_classes, width=width, passes=passes, members=members)
    few = {name: small[name] for name in needed}
    # what is imported at the first call is not held for a query
    select(strategy, few, num_candidates=60, k=5, rng=np.random.default_rng(0))
    tracemalloc.start()
    select(strategy, needed, num_candidates=n, k=k, rng=np.random.default_rng(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return declared, peak


def real(strategy, context, k):
    gather([name for name in strategy.evidence if name.endswith("features")], context)
    best, candidate_ids = np.inf, context.candidate_ids
    for seed in range(2):
        began = time.perf_counter()
        evidence = gather(strategy.evidence, context)
        rng = np.random.default_rng(seed)
        select(strategy, evidence, num_candidates=len(candidate_ids), k=k, rng=rng)
        if "probs" not in evidence:  # as a round does, for the guesses beside the query
            predict_images(context.network, context.dataset.train, candidate_ids[:k])
        best = min(best, time.perf_counter() - began)
        if best > 2:
            break
    return best


if __name__ == "__main__":
    main()
