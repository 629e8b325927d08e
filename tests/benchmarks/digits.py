"""Digits: margin against random over paired seeds, by the command line's own path.

    python -m tests.benchmarks.digits [--seeds 5] [--strategies margin random]

Prints test accuracy by labels: mean, standard deviation over seeds, and the paired difference to the last
strategy named.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from al_core.cli import main

BUDGETS = (20, 60, 100, 160)


def curve(strategy, seed, folder):
    """Test accuracy at each of BUDGETS in one run."""
    out = folder / f"{strategy}-{seed}"
    flags = {
        "--dataset": "digits", "--model": "small_cnn", "--query-strategy": strategy, "--n-start": 2,
        "--n-new": 20, "--n-rounds": 8, "--seed": seed, "--out": out,
    }  # fmt: skip
    status = main(["run", "--quiet", *(str(word) for pair in flags.items() for word in pair)])
    if status:
        raise SystemExit(f"{strategy}, seed {seed}: exit status {status}")
    rounds = json.loads((out / "records.json").read_text())["rounds"]
    by_labels = {r["num_labeled"]: r["test_accuracy"] for r in rounds}
    return [by_labels[budget] for budget in BUDGETS]


def run(arguments):
    with tempfile.TemporaryDirectory() as home:
        os.environ["AL_HOME"] = home
        began = time.perf_counter()
        accuracies = {
            strategy: np.array([curve(strategy, seed, Path(home)) for seed in range(arguments.seeds)])
            for strategy in arguments.strategies
        }
    print(f"\n{arguments.seeds} seeds, {os.cpu_count()} cores, {time.perf_counter() - began:.0f} s")
    print("| strategy | " + " | ".join(f"{b} labels" for b in BUDGETS) + " |")
    print("|---|" + "---|" * len(BUDGETS))
    for strategy, values in accuracies.items():
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(values.mean(0), values.std(0, ddof=1), strict=True)]
        print(f"| {strategy} | " + " | ".join(cells) + " |")
    base = arguments.strategies[-1]
    for strategy in arguments.strategies[:-1]:
        gap = accuracies[strategy] - accuracies[base]
        cells = [f"{m:+.3f} ± {s:.3f}" for m, s in zip(gap.mean(0), gap.std(0, ddof=1), strict=True)]
        print(f"| {strategy} − {base}, paired | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--strategies", nargs="+", default=["margin", "random"])
    run(parser.parse_args())
