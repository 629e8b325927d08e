"""The engine's short rows: reference and product in turn on the same inputs, in one process.

Each row is a function of a `Bench` and returns a `Row`; correctness is compared in the same run.
"""

from __future__ import annotations

import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from al_core.config import ExperimentConfig
from al_core.data.changes import Draws
from al_core.data.dataset import Augmentation, Dataset
from al_core.engine.augment import Source
from al_core.engine.device import choose
from al_core.engine.inference import predict
from al_core.engine.network import Network, NetworkSpec, build_module
from al_core.engine.providers.dropout import mc_predict
from al_core.engine.screening import screen
from al_core.engine.trainer import TrainData, _Training, fit
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.seeds import generator
from tests.benchmarks import engine_references as references
from tests.benchmarks.engine_references import Pictures


@dataclass(frozen=True)
class Bench:
    """Data and how much of it. `epochs` is how long the networks of the scoring rows train before."""

    dataset: Dataset
    home: Path
    repeats: int = 5
    images: int = 4000
    pool: int = 20_000
    epochs: int = 15


@dataclass
class Row:
    """One comparison. `unit` says what the ratio is of: CPU-seconds, or wall time where that is the point."""

    name: str
    what: str
    floor: float
    aim: float
    reference: list[float] = field(default_factory=list)
    product: list[float] = field(default_factory=list)
    unit: str = "CPU-s"
    checks: dict[str, bool] = field(default_factory=dict)
    note: str = ""
    wall: tuple[float, float] = (0.0, 0.0)
    load: float = 0.0

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.reference, self.product, strict=True)]

    def facts(self) -> dict:
        ratios = self.ratios
        return {
            "row": self.name, "what": self.what, "floor": self.floor, "aim": self.aim, "unit": self.unit,
            "reference": self.reference, "product": self.product, "n": len(ratios),
            "ratio": statistics.median(self.reference) / statistics.median(self.product),
            "spread": [min(ratios), max(ratios)], "wall": list(self.wall), "checks": self.checks,
            "note": self.note, "load": self.load, "threads": torch.get_num_threads(),
        }  # fmt: skip


def compare(row: Row, reference: Callable, product: Callable, repeats: int) -> tuple[object, object]:
    """Interleaved A, B, A, B ... after one warm-up each; the answers of the warm-ups."""
    answers, walls = (reference(), product()), ([], [])
    for _ in range(repeats):
        for function, series, wall in zip(
            (reference, product), (row.reference, row.product), walls, strict=True
        ):
            began, cpu = time.perf_counter(), time.process_time()
            function()
            wall.append(time.perf_counter() - began)
            series.append(time.process_time() - cpu)
    row.wall, row.load = (statistics.median(walls[0]), statistics.median(walls[1])), os.getloadavg()[0]
    return answers


def config_of(model: str, **paths) -> ExperimentConfig:
    settings = {"model__model": model, "model__stem": "imagenet", "train__threads": 1, "train__min_steps": 0}
    return ExperimentConfig().changed(**(settings | paths))


def untrained(dataset: Dataset, config: ExperimentConfig) -> Network:
    spec = NetworkSpec.of(config, dataset, 0)
    plan = choose(config.train, image_size=spec.image_size)
    return Network(build_module(spec, plan), plan, spec)


def trained(bench: Bench, model: str, **paths) -> Network:
    """A network after a short training on a thousand labels, so that its scores are no noise."""
    ids = np.sort(np.random.default_rng(0).permutation(len(bench.dataset.train))[:1000])
    config = config_of(model, **({"train__epochs": bench.epochs} | paths))
    with tempfile.TemporaryDirectory() as folder:
        data = TrainData(ids, bench.dataset.train.labels[ids])
        return fit(config, bench.dataset, data, round=0, checkpoints=Path(folder))


def pictures(bench: Bench, ids: np.ndarray, transform) -> Pictures:
    return Pictures(bench.dataset.train.read(ids), bench.dataset.train.labels[ids], transform)


def usual(network: Network) -> nn.Module:
    """The same weights as the usual way has them: fp32, NCHW, nothing folded."""
    module = copy.deepcopy(network.module.classifier).float().to(memory_format=torch.contiguous_format)
    return module.eval()


def normalize(bench: Bench):
    from torchvision import transforms

    return transforms.Normalize(bench.dataset.mean, bench.dataset.std)


def pipeline(bench: Bench) -> Row:
    row = Row("pipeline", "random crop and flip to a normalised float batch of 128", 12, 20)
    ids, padding = np.arange(min(bench.images, 4000)), 4
    size = bench.dataset.image_size
    slow = pictures(bench, ids, references.crop_and_flip(size, padding))
    images = bench.dataset.train.read(ids)
    change = Augmentation(crop_padding=padding, horizontal_flip=True)
    source = Source(images, change, torch.device("cpu"))
    module = untrained(bench.dataset, config_of("small_cnn")).module  # normalising is its first step

    def reference():
        for _ in DataLoader(slow, 128, shuffle=True):
            pass

    def product():
        batch_of = source.epoch(0, 0, 0)
        order = np.random.default_rng(0).permutation(len(source))
        for start in range(0, len(order), 128):
            module.prepare(batch_of(order[start : start + 128]))

    compare(row, reference, product, bench.repeats)
    draws = Draws.draw(change, len(ids), generator(0, "augment", 0, 0))
    sample = np.arange(0, len(ids), max(1, len(ids) // 200))
    batch = source.epoch(0, 0, 0)(sample).permute(0, 2, 3, 1).numpy()
    oracle = np.stack([_slice(images[i], draws, i, padding) for i in sample]).astype(np.float32) / 255
    row.checks["equals pad, slice and mirror image by image"] = bool(np.abs(batch - oracle).max() < 1e-6)
    return row


def _slice(image: np.ndarray, draws: Draws, i: int, padding: int) -> np.ndarray:
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    height, width = image.shape[:2]
    cut = padded[draws.dy[i] : draws.dy[i] + height, draws.dx[i] : draws.dx[i] + width]
    return cut[:, ::-1] if draws.flip[i] else cut


def step(bench: Bench, model: str, floor: float, aim: float) -> Row:
    row = Row(f"step-{model}", f"10 training steps of 128, {model}, loader included", floor, aim)
    ids = np.arange(min(1280, len(bench.dataset.train)))
    config = config_of(model, train__batch_size=128, train__augment=True, train__schedule="constant")
    change = Augmentation(crop_padding=4, horizontal_flip=True)
    dataset = replace(bench.dataset, augmentation=change)
    network = untrained(dataset, config)
    slow = usual(network)
    loader = DataLoader(pictures(bench, ids, references.crop_and_flip(dataset.image_size)), 128, shuffle=True)
    optimizer = torch.optim.Adam(slow.parameters(), lr=1e-4)
    data = TrainData(ids, dataset.train.labels[ids])
    with tempfile.TemporaryDirectory() as folder:
        training = _Training(config, dataset, data, network, 0, Path(folder), lambda: None)
        compare(
            row, lambda: references.train_epoch(slow, loader, optimizer), lambda: training._epoch(0),
            bench.repeats,
        )  # fmt: skip
        loss = training._epoch(0)[0]
    row.checks["the loss is finite"] = bool(np.isfinite(loss))
    return row


def score(bench: Bench, model: str, floor: float, aim: float, strategy: str = "entropy") -> Row:
    row = Row(
        f"score-{model}", f"pool scored for {strategy}, k = 100, {model}, with loader; ours in two stages",
        floor, aim,
    )  # fmt: skip
    from torchvision import transforms

    network = trained(bench, model)
    ids = np.setdiff1d(np.arange(len(bench.dataset.train)), np.arange(10))[: bench.pool]
    found, module = STRATEGIES.get(strategy), usual(network)
    slow = pictures(bench, ids, references.crop_and_flip(bench.dataset.image_size))

    def product():
        rng = np.random.default_rng(0)
        return screen(network, bench.dataset.train, ids, found, k=100, options={}, rng=rng)

    _, screened = compare(row, lambda: references.probabilities(module, slow, 1000), product, bench.repeats)
    exact = predict(network, bench.dataset.train, ids).probs
    plain = transforms.Compose([transforms.ToTensor(), normalize(bench)])
    same = references.probabilities(module, pictures(bench, ids[:512], plain), 256)
    gap = float(np.abs(same - exact[:512]).max())
    row.checks[f"fp32 probabilities as the usual way's (max |dp| {gap:.1e})"] = gap < 1e-4
    if screened is None:
        row.note = "not screened: too many would be scored twice"
        return row
    picks = [
        select(found, {"probs": p}, num_candidates=len(ids), k=100, rng=np.random.default_rng(1)).positions
        for p in (exact, screened.probs)
    ]
    row.checks["picks equal those of fp32"] = bool(np.array_equal(*picks))
    facts = screened.facts["screening"]
    row.note = f"{facts['rescored']:,} of {facts['screened']:,} scored again in fp32"
    return row


def dropout(bench: Bench, passes: int = 25) -> Row:
    row = Row("mc-dropout", f"T = {passes} dropout passes, SqueezeNet, {bench.images:,} images", 40, 90)
    network = trained(bench, "squeezenet1_1")
    ids = np.arange(min(bench.images, len(bench.dataset.train)))
    module = usual(network)
    module.drop.train()
    with torch.inference_mode():
        batch = torch.cat(
            [
                network.module.prepare(torch.from_numpy(part).permute(0, 3, 1, 2).float() / 255)
                for part in np.array_split(bench.dataset.train.read(ids), max(1, len(ids) // 500))
            ]
        ).contiguous()

    def reference():
        torch.manual_seed(0)
        with torch.no_grad():
            drawn = [torch.cat([module(x).softmax(1) for x in batch.split(1000)]) for _ in range(passes)]
        return torch.stack(drawn).numpy()

    def product():
        return mc_predict(
            network, bench.dataset.train, ids, passes=passes, seed=1,
            progress=lambda done, total: None, control=lambda: None,
        )  # fmt: skip

    theirs, ours = compare(row, reference, product, bench.repeats)
    variance = (theirs.var(0, ddof=1) + ours.var(0, ddof=1)) / passes
    # one dropout mask may serve all images, so that errors of a class go together: the mean over images too
    z = (theirs.mean(0) - ours.mean(0)) / np.sqrt(np.maximum(variance, 1e-12))
    size = float(np.sqrt((z**2).mean()))
    row.checks[f"same expectation (root mean square of z {size:.2f})"] = size < 1.6
    spread = float(theirs.std(0, ddof=1).mean() / max(ours.std(0, ddof=1).mean(), 1e-12))
    row.checks[f"same spread between passes (ratio {spread:.2f})"] = 0.8 < spread < 1.25
    row.note = "the reference's loader is not counted"
    return row
