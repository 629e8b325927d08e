"""Whole loops: each (row, seed, side) is a cell whose result is a file, so that a long run can be split.

A cell that is there is not run again; a cell that was interrupted goes on where that costs nothing (DeepAL's
rounds begin from fresh weights).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import torch

from al_core.config import DataConfig
from al_core.data.dataset import Dataset
from al_core.data.prepare import prepare
from al_core.settings import Settings
from tests.benchmarks import engine_references as references
from tests.benchmarks.engine_references import Arrays, cpu_seconds


def cifar(folder: Path, home: Path) -> Dataset:
    """CIFAR-10 from the folder that holds cifar-10-batches-py."""
    settings = Settings.from_env({"AL_HOME": str(home)})
    return prepare(settings, DataConfig(dataset=f"cifar10:{folder}"), trusted=True)


def arrays(dataset: Dataset) -> Arrays:
    train, test = dataset.train, dataset.test
    return Arrays(
        train.read(np.arange(len(train))), train.labels, test.read(np.arange(len(test))), test.labels
    )


def seed1_reference(dataset, seed, save, state, *, validate=True):
    return references.seed1_loop(arrays(dataset), seed, validate=validate, on_round=save)


def seed1_quick(dataset, seed, save, state):
    """Without the validation after each epoch, which changes no weight: for the accuracy of further seeds."""
    return seed1_reference(dataset, seed, save, state, validate=False)


def deepal_reference(dataset, seed, save, state):
    return references.deepal_loop(arrays(dataset), seed, state=state, on_round=save)


CELLS = {
    ("deepal", "reference"): deepal_reference,
    ("seed1", "reference"): seed1_reference,
    ("seed1", "unvalidated"): seed1_quick,
}


def run_cells(names: list[str], out: Path, data: Path) -> None:
    """Run `row:seed:side` one after another."""
    torch.set_num_threads(1)
    dataset = cifar(data, out / "home")
    for name in names:
        row, seed, side = name.split(":")
        path = out / f"{row}-{seed}-{side}.json"
        part = path.with_suffix(".part")
        if path.exists():
            continue

        def save(state, part=part):
            part.write_text(json.dumps(state))

        state = json.loads(part.read_text()) if part.exists() else None
        loads, began, cpu = [os.getloadavg()[0]], time.perf_counter(), cpu_seconds()
        result = CELLS[row, side](dataset, int(seed), save, state)
        loads.append(os.getloadavg()[0])
        result |= {
            "row": row, "seed": int(seed), "side": side, "wall": time.perf_counter() - began,
            "cpu_whole": cpu_seconds() - cpu, "load": loads, "threads": torch.get_num_threads(),
        }  # fmt: skip
        path.write_text(json.dumps(result, indent=1))
        part.unlink(missing_ok=True)
        print(f"{name}: {result['cpu']:.0f} CPU-s, accuracy {result['accuracy']}, load {loads}", flush=True)
