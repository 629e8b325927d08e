"""Whole loops: each (row, seed, side) is a cell whose result is a file, so that a long run can be split.

A cell that is there is not run again; a cell that was interrupted goes on where that costs nothing (DeepAL's
rounds begin from fresh weights).
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from al_core import presets
from al_core.config import DataConfig, ExperimentConfig, InitConfig
from al_core.data.dataset import Dataset
from al_core.data.prepare import prepare
from al_core.engine.inference import predict
from al_core.engine.providers import EvidenceContext
from al_core.engine.screening import gather_for_query
from al_core.engine.trainer import TrainData, fit
from al_core.initial import draw_initial
from al_core.query.composition import Composition
from al_core.seeds import generator
from al_core.settings import Settings
from al_core.splits import make_splits
from tests.benchmarks import engine_references as references
from tests.benchmarks.engine_references import Arrays, cpu_seconds
from tests.benchmarks.engine_report import header

# The first seed's splits and initial labels, whatever the preset.
SHARES = DataConfig(epoch_validation=0.2, round_validation=0.2)
SEED1_START = InitConfig(init="per_class", n_start=100)


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


def config_of(name: str, seed: int, **paths) -> ExperimentConfig:
    return presets.apply(ExperimentConfig(seed=seed), name).changed(train__threads=1, **paths)


@dataclass
class Product:
    """Our own path: fit, predict, and the query as a worker makes it; seconds by what they went into."""

    config: ExperimentConfig
    dataset: Dataset
    seconds: dict

    def timed(self, what, function):
        began = cpu_seconds()
        found = function()
        self.seconds[what] = self.seconds.get(what, 0.0) + cpu_seconds() - began
        return found

    def fit(self, labeled, number, start=None, validation=None):
        labels = self.dataset.train.labels
        held = (validation, labels[validation]) if validation is not None else ()
        data = TrainData(labeled, labels[labeled], *held)
        with tempfile.TemporaryDirectory() as folder:
            return self.timed(
                "train",
                lambda: fit(
                    self.config, self.dataset, data, round=number, checkpoints=Path(folder), start=start
                ),
            )

    def accuracy(self, network, split, ids, what):
        probs = self.timed(what, lambda: predict(network, split, ids).probs)
        return float((probs.argmax(1) == split.labels[ids]).mean())

    def ask(self, network, pool, labeled, k, number):
        composition, seed = Composition.of(self.config.query), self.config.seed

        def query():
            context = EvidenceContext(
                config=self.config, dataset=self.dataset, network=network, candidate_ids=pool,
                labeled_ids=labeled, labeled_classes=self.dataset.train.labels[labeled], settings=None,
                round=number,
            )  # fmt: skip
            evidence, facts = gather_for_query(composition, context, k)
            rng = generator(seed, "query", number)
            return composition.choose(evidence, num_candidates=len(pool), k=k, rng=rng), facts

        chosen, facts = self.timed("score", query)
        return pool[chosen.positions], facts


def deepal_product(dataset, seed, save, state, *, budgets=(1000, 2000, 3000, 4000, 5000), **paths):
    """The preset `fast`, from the same labels as the reference begins with."""
    config = config_of("fast", seed, **({"query__strategy": "entropy"} | paths))
    labeled = np.random.default_rng(seed).permutation(len(dataset.train))[: budgets[0]]
    run = Product(config, dataset, {})
    result = {"labels": [], "accuracy": [], "screening": [], "seconds": run.seconds}
    for number, budget in enumerate(budgets):
        network = run.fit(np.sort(labeled), number)
        result["accuracy"].append(run.accuracy(network, dataset.test, np.arange(len(dataset.test)), "test"))
        result["labels"].append(len(labeled))
        if number + 1 < len(budgets):
            pool = np.setdiff1d(np.arange(len(dataset.train)), labeled)
            asked, facts = run.ask(network, pool, labeled, budgets[number + 1] - budget, number)
            labeled = np.concatenate([labeled, asked])
            result["screening"].append(facts)
        save(result)
    return result | {"cpu": sum(run.seconds.values())}


def seed1_product(dataset, seed, save, state, *, preset="seed1", rounds=3, n_new=100, **paths):
    """The reference's three rounds by our engine; its validation after each epoch if the preset has it."""
    config = config_of(preset, seed, **({"query__strategy": "least_confidence"} | paths))
    shares = config.data
    splits = make_splits(dataset.train.labels, SHARES, seed)
    pool = np.setdiff1d(np.arange(len(dataset.train)), splits.validation_ids)
    labeled = draw_initial(SEED1_START, pool, dataset.train.labels, seed, None)
    run, network, curve, screening = Product(config, dataset, {}), None, [], []
    watched = splits.epoch_validation if shares.epoch_validation else None
    for number in range(rounds):
        start = None
        if network is not None and config.train.start == "warm":
            start = {name: value.numpy() for name, value in network.module.state_dict().items()}
        network = run.fit(np.sort(labeled), number, start, watched)
        if shares.round_validation:
            curve.append(run.accuracy(network, dataset.train, splits.round_validation, "score"))
        pool = np.setdiff1d(pool, labeled)
        asked, facts = run.ask(network, pool, labeled, n_new, number)
        labeled = np.concatenate([labeled, asked])
        screening.append(facts)
        save({"round": number, "validation": curve, "seconds": run.seconds})
    final = run.accuracy(network, dataset.test, np.arange(len(dataset.test)), "test")
    return {
        "accuracy": final, "validation": curve, "seconds": run.seconds, "screening": screening,
        "cpu": sum(run.seconds.values()),
    }  # fmt: skip


def seed1_fast(dataset, seed, save, state):
    """The preset `fast` from the same splits and labels, with as many queries, and nothing held out."""
    return seed1_product(dataset, seed, save, state, preset="fast")


def seed1_sprint(dataset, seed, save, state):
    """The same with the preset `sprint`."""
    return seed1_product(dataset, seed, save, state, preset="sprint")


def seed1_short(dataset, seed, save, state):
    """A tenth of the epochs of either side, in turn: for the ratio on a machine that others use too."""
    ours = seed1_product(dataset, seed, lambda facts: None, None, train__epochs=5)
    theirs = references.seed1_loop(arrays(dataset), seed, epochs=5)
    return {"accuracy": None, "reference": theirs, "product": ours, "cpu": ours["cpu"] + theirs["cpu"]}


CELLS = {
    ("deepal", "product"): deepal_product,
    ("seed1", "product"): seed1_product,
    ("seed1", "fast"): seed1_fast,
    ("seed1", "sprint"): seed1_sprint,
    ("seed1", "short"): seed1_short,
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
            "machine": header(),
        }  # fmt: skip
        path.write_text(json.dumps(result, indent=1))
        part.unlink(missing_ok=True)
        print(f"{name}: {result['cpu']:.0f} CPU-s, accuracy {result['accuracy']}, load {loads}", flush=True)
