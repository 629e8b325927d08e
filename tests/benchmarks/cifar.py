"""CIFAR-10 in two layouts: seed 1's setting runs without a GPU, and both layouts ask for the same images.

    python -m tests.benchmarks.cifar FOLDER [--epochs 10]

FOLDER holds cifar-10-batches-py/ and cifar10/{train,test}/<class>/*.png (the same pictures).
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from al_core.cli import main


def run(arguments):
    results = {}
    with tempfile.TemporaryDirectory() as home:
        os.environ["AL_HOME"] = home
        for name, dataset in (
            ("batches", f"cifar10:{arguments.folder}"),
            ("folder", f"folder:{arguments.folder / 'cifar10'}"),
        ):
            out = Path(home) / name
            flags = {
                "--dataset": dataset, "--model": "SqueezeNet11", "--n_start": 100, "--n_new": 250,
                "--n_rounds": 3, "--epochs": arguments.epochs, "--query_strategy": "least_confident",
                "--seed": 2021, "--out": out,
            }  # fmt: skip
            began = time.perf_counter()
            if main(["run", *(str(word) for pair in flags.items() for word in pair)]):
                raise SystemExit(f"{name} failed")
            results[name] = json.loads((out / "records.json").read_text())["rounds"]
            for record in results[name]:
                seconds = {phase: round(s, 1) for phase, s in record["seconds"].items()}
                print(f"{name}: {record['num_labeled']} labels, {record['test_accuracy']:.4f}, {seconds}")
            print(f"{name}: {time.perf_counter() - began:.0f} s in all, {os.cpu_count()} cores")
    same = [
        one["queried_sample_ids"] == two["queried_sample_ids"]
        for one, two in zip(results["batches"], results["folder"], strict=True)
    ]
    print(f"same queries in each round: {same}")
    if not all(same):
        raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    run(parser.parse_args())
