"""How fast a network is here: the providers themselves, timed on a few made-up images of the right size."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import numpy as np

from al_core.config import ExperimentConfig
from al_core.cost.calibration import NetworkSpeed
from al_core.cost.stopwatch import Stopwatch
from al_core.data.dataset import Augmentation, Dataset, Split
from al_core.data.pixels import MemmapSplit
from al_core.engine.device import choose
from al_core.engine.features import FeatureTables, frozen_features, no_progress
from al_core.engine.inference import Control, no_control
from al_core.engine.network import Network, NetworkSpec, build_module
from al_core.engine.providers import EvidenceContext, gather
from al_core.engine.providers.adversarial import CHUNK as GRADIENT_CHUNK
from al_core.engine.providers.adversarial import adversarial_copies
from al_core.engine.texture import texture_table
from al_core.engine.trainer import TrainData, fit
from al_core.settings import Settings
from al_core.types import SampleIds, SplitName

_SECONDS: Final = 0.4  # of timing one kind, about
_CHUNKS: Final = 8  # at most
_CHUNK: Final = 256  # images of a timed call; fewer of large ones
_PIXELS: Final = 300_000
_STEPS: Final = (4, 16)  # of two trainings: their difference is the step
_PASSES: Final = (2, 10)


def measure_network(
    config: ExperimentConfig,
    image_size: int,
    num_classes: int,
    kinds: Collection[str],
    *,
    control: Control = no_control,
) -> NetworkSpeed:
    """Seconds an image of these kinds of evidence (keys of `NetworkSpeed.seconds`), on made-up images."""
    with tempfile.TemporaryDirectory(prefix="askwell-speed-") as folder:
        home = Path(folder)
        settings = Settings(home, "", ())
        return _Bench(config, image_size, num_classes, settings, control).run(frozenset(kinds))


class _Bench:
    def __init__(
        self, config: ExperimentConfig, image_size: int, num_classes: int, settings: Settings,
        control: Control,
    ) -> None:  # fmt: skip
        self.config = config.changed(
            train__early_stopping=None, train__labeled_validation=0.0, train__start="cold"
        )
        self.settings, self.control = settings, control
        self.dataset = made_up_dataset(image_size, num_classes, 1)
        spec = NetworkSpec.of(config, self.dataset, 0)
        plan = choose(config.train, image_size=spec.image_size)
        self.chunk = max(8, min(_CHUNK, _PIXELS // spec.image_size**2))
        self.dataset = made_up_dataset(image_size, num_classes, max(self.chunk, GRADIENT_CHUNK) * 2)
        self.network = Network(build_module(spec, plan), plan, spec)
        self.ids = np.arange(len(self.dataset.train))

    def run(self, kinds: frozenset[str]) -> NetworkSpeed:
        seconds: dict[str, float] = {}
        widths = dict.fromkeys(("features", "texture"), 0)
        for name in sorted(widths.keys() & kinds):
            seconds[name], widths[name] = self._once(name)
        if kinds & {"train_fixed", "train_step", "deepfool_distance", "bim_distance", "copies"}:
            seconds |= self._training()
        if self.network.spec.frozen:
            self.network.tables = FeatureTables(self.network, self.dataset, self.settings)
        seconds["probs"] = self._each(self._gather("probs"), self.chunk)
        if "mc_pass" in kinds:
            few, many = (self._each(self._gather("mc_probs", passes=t), self.chunk) for t in _PASSES)
            each = max(many - few, 0) / (_PASSES[1] - _PASSES[0])
            seconds |= {"mc_pass": each, "mc_base": max(few - _PASSES[0] * each, 0)}
        for name in ("deepfool_distance", "bim_distance"):
            if name in kinds:
                seconds[name] = self._each(self._gather(name), GRADIENT_CHUNK, warm=False)
        if "copies" in kinds:
            seconds["copies"] = self._each(self._copies, GRADIENT_CHUNK, warm=False)
        return NetworkSpeed(
            self.network.num_features, widths["features"], self.chunk, seconds, widths["texture"],
            GRADIENT_CHUNK,
        )  # fmt: skip

    def _copies(self, ids: SampleIds) -> object:
        return adversarial_copies(self.network, self.dataset, ids, control=self.control)

    def _watch(self) -> Stopwatch:
        return Stopwatch(waits=self.network.plan.device.type != "cpu")

    def _gather(self, name: str, passes: int = 20) -> Callable[[SampleIds], object]:
        def call(ids: SampleIds) -> object:
            context = EvidenceContext(
                config=self.config, dataset=self.dataset, network=self.network, candidate_ids=ids,
                labeled_ids=ids[:8], labeled_classes=self.dataset.train.labels[ids[:8]],
                settings=self.settings, control=self.control, passes=passes,
            )  # fmt: skip
            return gather([name], context)

        return call

    def _each(self, call: Callable[[SampleIds], object], chunk: int, *, warm: bool = True) -> float:
        """Seconds an image: the quickest of a few whole chunks."""
        if warm:
            call(self.ids[:chunk])
        best, began = math.inf, time.perf_counter()
        for _ in range(_CHUNKS):
            self.control()
            watch = self._watch()
            call(self.ids[:chunk])
            best = min(best, watch.seconds())
            if time.perf_counter() - began > _SECONDS:
                break
        return best / chunk

    def _training(self) -> dict[str, float]:
        """Of a step and of all else, from a short and a longer training; leaves a network with some sense."""
        times = []
        ids = self.ids[: self.config.train.batch_size]
        for steps in _STEPS:
            config = self.config.changed(train__epochs=steps, train__min_steps=0, train__devices=1)
            watch = self._watch()
            self.network = fit(
                config, self.dataset, TrainData(ids, self.dataset.train.labels[ids]), round=0,
                checkpoints=self.settings.home / f"checkpoints-{steps}", control=self.control,
                settings=self.settings,
            )  # fmt: skip
            times.append(watch.seconds())
        whole = min(1.0, len(ids) / self.config.train.batch_size)
        step = max(times[1] - times[0], 0) / (_STEPS[1] - _STEPS[0])
        return {"train_step": step / whole, "train_fixed": max(times[0] - _STEPS[0] * step, 0)}

    def _once(self, name: str) -> tuple[float, int]:
        """Seconds an image more, and the width, of features or texture.

        A first call pays for what is imported, and each for what does not depend on the number of images.
        """
        times, width = [], 0
        for num in (self.chunk // 2, self.chunk, 3 * self.chunk):
            dataset = made_up_dataset(self.dataset.image_size, self.dataset.num_classes, num)
            watch = self._watch()
            if name == "texture":
                found = texture_table(dataset, self.settings, no_progress, self.control)
            else:
                ids = np.arange(num)
                found = frozen_features(self.config, dataset, self.settings, ids, control=self.control)
            width = found.shape[1]
            times.append(watch.seconds())
        return max(times[2] - times[1], 0) / (2 * self.chunk), width


def _made_up(name: SplitName, num: int, size: int, num_classes: int) -> Split:
    """Images of a few blurred colours, each class around its own."""
    rng = np.random.default_rng(0)
    labels = rng.integers(num_classes, size=num)
    colours = rng.integers(0, 160, size=(num_classes, 1, 1, 3))
    noise = rng.integers(0, 96, size=(num, size, size, 3))
    return MemmapSplit(name, labels, (colours[labels] + noise).astype(np.uint8), None)


def made_up_dataset(size: int, num_classes: int, num: int) -> Dataset:
    """A data set of made-up images in memory."""
    train = _made_up("train", num, size, num_classes)
    test = _made_up("test", 8, size, num_classes)
    return Dataset(
        key="made-up", source="made-up", title="Made up", classes=tuple(map(str, range(num_classes))),
        fingerprint=f"made-up-{num}", train=train, test=test, image_size=size, pixelated=False, kind="memmap",
        augmentation=Augmentation(crop_padding=2, horizontal_flip=True), mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )  # fmt: skip
