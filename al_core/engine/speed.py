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
from al_core.data.dataset import Augmentation, Dataset, Split
from al_core.engine.device import choose
from al_core.engine.features import FeatureTables, frozen_features
from al_core.engine.inference import Control, no_control
from al_core.engine.network import Network, NetworkSpec, build_module
from al_core.engine.providers import EvidenceContext, gather
from al_core.engine.trainer import TrainData, fit
from al_core.settings import Settings
from al_core.types import Images, SampleIds, SplitName

_SECONDS: Final = 0.4  # of timing one kind, about
_CHUNKS: Final = 8  # at most
_ADVERSARIAL: Final = 64  # images, as the provider takes them
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
        self.dataset = made_up_dataset(image_size, num_classes, max(self.chunk, _ADVERSARIAL) * 2)
        self.network = Network(build_module(spec, plan), plan, spec)
        self.ids = np.arange(len(self.dataset.train))

    def run(self, kinds: frozenset[str]) -> NetworkSpeed:
        seconds: dict[str, float] = {}
        if "features" in kinds:
            seconds["features"], feature_width = self._features()
        else:
            feature_width = 0
        if kinds & {"train_fixed", "train_step", "deepfool_distance", "bim_distance"}:
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
                seconds[name] = self._each(self._gather(name), _ADVERSARIAL, warm=False)
        return NetworkSpeed(self.network.num_features, feature_width, self.chunk, seconds)

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
            start = time.perf_counter()
            call(self.ids[:chunk])
            best = min(best, time.perf_counter() - start)
            if time.perf_counter() - began > _SECONDS:
                break
        return best / chunk

    def _training(self) -> dict[str, float]:
        """Of a step and of all else, from a short and a longer training; leaves a network with some sense."""
        times = []
        ids = self.ids[: self.config.train.batch_size]
        for steps in _STEPS:
            config = self.config.changed(train__epochs=steps, train__min_steps=0)
            start = time.perf_counter()
            self.network = fit(
                config, self.dataset, TrainData(ids, self.dataset.train.labels[ids]), round=0,
                checkpoints=self.settings.home / f"checkpoints-{steps}", control=self.control,
                settings=self.settings,
            )  # fmt: skip
            times.append(time.perf_counter() - start)
        whole = min(1.0, len(ids) / self.config.train.batch_size)
        step = max(times[1] - times[0], 0) / (_STEPS[1] - _STEPS[0])
        return {"train_step": step / whole, "train_fixed": max(times[0] - _STEPS[0] * step, 0)}

    def _features(self) -> tuple[float, int]:
        start = time.perf_counter()
        found = frozen_features(self.config, self.dataset, self.settings, self.ids, control=self.control)
        return (time.perf_counter() - start) / len(self.ids), found.shape[1]


class _MadeUp(Split):
    """Images of a few blurred colours, each class around its own."""

    def __init__(self, name: SplitName, num: int, size: int, num_classes: int) -> None:
        rng = np.random.default_rng(0)
        super().__init__(name, rng.integers(num_classes, size=num), size)
        colours = rng.integers(0, 160, size=(num_classes, 1, 1, 3))
        noise = rng.integers(0, 96, size=(num, size, size, 3))
        self._images = (colours[self.labels] + noise).astype(np.uint8)

    def _read(self, ids: SampleIds, size: int) -> Images:
        step = max(1, self._images.shape[1] // size)
        return self._images[ids][:, ::step, ::step][:, :size, :size]

    def _encoded(self, sample_id: int, width: int | None) -> tuple[bytes, str]:
        raise NotImplementedError

    def _file_name(self, sample_id: int) -> str:
        return f"made-up-{sample_id}"


def made_up_dataset(size: int, num_classes: int, num: int) -> Dataset:
    """A data set of made-up images in memory."""
    train = _MadeUp("train", num, size, num_classes)
    test = _MadeUp("test", 8, size, num_classes)
    return Dataset(
        key="made-up", source="made-up", title="Made up", classes=tuple(map(str, range(num_classes))),
        fingerprint=f"made-up-{num}", train=train, test=test, image_size=size, pixelated=False, kind="memmap",
        augmentation=Augmentation(crop_padding=2, horizontal_flip=True), mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )  # fmt: skip
