"""Strategies by accuracy: a study that anyone can repeat, cell by cell.

    python -m tests.benchmarks.accuracy digits   --out OUT
    python -m tests.benchmarks.accuracy cifar10  --out OUT --data FOLDER      # holds cifar-10-batches-py/
    python -m tests.benchmarks.accuracy emnist   --out OUT --data FOLDER      # holds EMNIST/raw/ (balanced)
    python -m tests.benchmarks.accuracy repeated --out OUT --data FOLDER      # the same EMNIST
    python -m tests.benchmarks.accuracy write    --out OUT [--page docs/accuracy.md]

A cell is one strategy and seed, run by the command line's own `run`; what is there already is not run again,
so that a study may be stopped and continued. Cells of a seed share initial set, splits and weights. Curves go
to OUT/STUDY.json, from which `write` makes the page. SqueezeNet's ImageNet weights must be at hand
(TORCH_HOME, or a network).
"""

import argparse
import contextlib
import io
import json
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from al_core.cli import main as cli
from tests.benchmarks import accuracy_digits, accuracy_page, accuracy_repeated

# random first: the others are compared to it
STRATEGIES = (
    "random",
    "margin",
    "entropy",
    "least_confidence",
    "badge",
    "k_center",
    "bald",
    "u_herding",
    "typiclust",
)
FROZEN = {
    "--model": "squeezenet1_1", "--pretrained": None, "--frozen": None, "--dropout": 0.5, "--passes": 100,
}  # fmt: skip


@dataclass(frozen=True)
class Study:
    """What all cells share."""

    dataset: str
    flags: dict
    strategies: tuple
    seeds: int


STUDIES = {
    "cifar10": Study(
        "cifar10:{data}",
        FROZEN | {"--init": "random", "--n-start": 100, "--n-new": 100, "--n-rounds": 11},
        STRATEGIES, 5,
    ),
    "emnist": Study(
        "emnist_balanced:{data}",
        FROZEN | {"--init": "random", "--n-start": 100, "--n-new": 100, "--n-rounds": 11},
        STRATEGIES, 5,
    ),
    "repeated": Study(
        "emnist_digits:{repeated}",
        {
            "--model": "small_cnn", "--dropout": 0.5, "--init": "per_class", "--n-start": 2, "--n-new": 10,
            "--n-rounds": 14, "--epochs": 1, "--min-steps": 200, "--passes": 100,
        },
        ("random", "bald", "batch_bald"), 6,
    ),
}  # fmt: skip


def command(study, strategy, seed, dataset, folder):
    """The `run` of one cell, as a person would type it."""
    flags = {
        "--dataset": dataset, **study.flags, "--query-strategy": strategy, "--seed": seed, "--threads": 1,
        "--out": folder,
    }  # fmt: skip
    words = [str(word) for pair in flags.items() for word in pair if word is not None]
    return ["run", "--quiet", *words]


def run_cell(name, strategy, seed, dataset, out):
    """Curve of one cell: labels, metrics and seconds of each round."""
    folder = out / name / f"{strategy}-{seed}"
    if (folder / "records.json").exists() and not (folder / "curve.json").exists():
        for left in folder.iterdir():  # an interrupted run's: begin anew
            left.unlink()
    if not (folder / "curve.json").exists():
        began = time.perf_counter()
        os.environ["AL_HOME"] = str(out / "home")
        words = command(STUDIES[name], strategy, seed, dataset, folder)
        with contextlib.redirect_stdout(io.StringIO()):
            status = cli(words)
        if status:
            raise RuntimeError(f"python -m al_core {' '.join(words)}: exit status {status}")
        rounds = json.loads((folder / "records.json").read_text())["rounds"]
        curve = [{"labels": r["num_labeled"], **r["metrics"], "seconds": r["seconds"]} for r in rounds]
        (folder / "curve.json").write_text(json.dumps(curve))
        print(
            f"{name} {strategy} seed {seed}: {curve[-1]['test_accuracy']:.4f} "
            f"at {curve[-1]['labels']} labels, {time.perf_counter() - began:.0f} s", flush=True,
        )  # fmt: skip
    return json.loads((folder / "curve.json").read_text())


def run(arguments):
    name, out = arguments.study, arguments.out
    study = STUDIES[name]
    out.mkdir(parents=True, exist_ok=True)
    if arguments.data is None:
        raise SystemExit(f"{name} needs --data FOLDER")
    places = {"data": arguments.data.resolve()}
    if "{repeated}" in study.dataset:
        places["repeated"] = accuracy_repeated.written(arguments.data, out / "repeated-emnist")
    dataset = study.dataset.format(**places)
    strategies = arguments.strategies or study.strategies
    cells = [(s, seed) for seed in range(arguments.seeds or study.seeds) for s in strategies]
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes to come
    run_cell(name, *cells[0], dataset, out)  # alone: it prepares the data and the features
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        waiting = [pool.submit(run_cell, name, *cell, dataset, out) for cell in cells]
        curves = [future.result() for future in waiting]
    result = {
        "study": name, "machine": machine(),
        "command": " ".join(command(study, "STRATEGY", "SEED", study.dataset, "OUT")),
        "cells": [
            {"strategy": s, "seed": seed, "curve": curve}
            for (s, seed), curve in zip(cells, curves, strict=True)
        ],
    }  # fmt: skip
    (out / f"{name}.json").write_text(json.dumps(result))
    print(accuracy_page.table(result))


def machine():
    """What it ran on."""
    import torch

    return f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, processor only"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", choices=["digits", *STUDIES, "write"])
    parser.add_argument("--out", type=Path, required=True, help="folder of the cells")
    parser.add_argument("--data", type=Path, help="folder of the data")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--strategies", nargs="+")
    parser.add_argument("--jobs", type=int, default=1, help="cells at once, one thread each")
    parser.add_argument("--page", type=Path, default=Path("docs/accuracy.md"))
    arguments = parser.parse_args()
    if arguments.study == "write":
        accuracy_page.write(arguments.out, arguments.page)
    elif arguments.study == "digits":
        arguments.out.mkdir(parents=True, exist_ok=True)
        result = accuracy_digits.run(arguments.seeds or 5) | {"machine": machine()}
        (arguments.out / "digits.json").write_text(json.dumps(result))
        print(accuracy_page.parity_table(result))
    else:
        run(arguments)


if __name__ == "__main__":
    main()
