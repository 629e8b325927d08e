"""What was measured on this machine: seconds an image of each kind of evidence, and of each strategy's terms.

One JSON file under AL_HOME. It belongs to a machine, its number of threads and a version of this program:
read by any other, it is empty. Without torch, since pages read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from al_core import __version__
from al_core.config import ExperimentConfig
from al_core.query.strategies import Strategy
from al_core.settings import Settings

_FORMAT = 2


@dataclass(frozen=True)
class NetworkSpeed:
    """Seconds an image, by evidence, of one network at one image size; and the widths of what it gives.

    `seconds` has the kinds that were measured: "probs" and so on, and "mc_base" and "mc_pass", "train_fixed"
    and "train_step", "copies" (for each image asked for), "features" and "texture" (once for each image of
    the pool) beside them.
    """

    width: int
    feature_width: int
    chunk: int  # images of a pass: fewer take as long as so many
    seconds: Mapping[str, float] = field(default_factory=dict)
    texture_width: int = 0
    gradient_chunk: int = 64  # images of a pass that walks along gradients


@dataclass(frozen=True)
class SelectionSpeed:
    """Seconds of choosing: a fixed part, and one factor for each term of the strategy's declared work."""

    fixed: float
    factors: tuple[float, ...]

    def seconds(self, terms: list[float]) -> float:
        """For the values of the terms."""
        return self.fixed + sum(factor * term for factor, term in zip(self.factors, terms, strict=True))


@dataclass(frozen=True)
class Calibration:
    """All that is known of one machine."""

    machine: str
    networks: Mapping[str, NetworkSpeed] = field(default_factory=dict)
    strategies: Mapping[str, SelectionSpeed] = field(default_factory=dict)

    @classmethod
    def read(cls, settings: Settings) -> Self:
        """What the file holds; empty where there is none, or another machine wrote it, or it is damaged."""
        empty = cls(machine())
        try:
            values = json.loads(_path(settings).read_text(encoding="utf-8"))
            if (values["format"], values["machine"]) != (_FORMAT, empty.machine):
                return empty
            networks = {key: NetworkSpeed(**speed) for key, speed in values["networks"].items()}
            strategies = {
                key: SelectionSpeed(speed["fixed"], tuple(speed["factors"]))
                for key, speed in values["strategies"].items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return empty  # it is measured again
        return cls(empty.machine, networks, strategies)

    def write(self, settings: Settings) -> None:
        """Keep it, complete or not at all; what another process wrote in between is kept too."""
        other = Calibration.read(settings)
        whole = replace(
            self,
            networks={**other.networks, **self.networks},
            strategies={**other.strategies, **self.strategies},
        )
        path = _path(settings)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with contextlib.suppress(OSError):  # a full disk: the figures are measured again another time
            part.write_text(json.dumps({"format": _FORMAT, **asdict(whole)}, indent=1), encoding="utf-8")
            part.replace(path)

    def with_network(self, key: str, speed: NetworkSpeed) -> Self:
        """The same with a network's speed; kinds that were measured before stay."""
        before = self.networks.get(key)
        if before is not None:
            speed = replace(
                speed,
                seconds={**before.seconds, **speed.seconds},
                feature_width=speed.feature_width or before.feature_width,
                texture_width=speed.texture_width or before.texture_width,
            )
        return replace(self, networks={**self.networks, key: speed})

    def with_strategy(self, key: str, speed: SelectionSpeed) -> Self:
        """The same with a strategy's speed."""
        return replace(self, strategies={**self.strategies, key: speed})


def _path(settings: Settings) -> Path:
    return settings.home / "cost.json"


def machine() -> str:
    """This machine, as far as it decides speeds: processor, cores that may be used, threads, version."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return f"{platform.node()}, {platform.machine()}, {cores} cores, {threads} threads, askwell {__version__}"


def network_key(config: ExperimentConfig, image_size: int, num_classes: int) -> str:
    """What decides a network's speed."""
    facts: dict[str, Any] = config.model.model_dump(mode="json") | {
        name: getattr(config.train, name)
        for name in ("device", "threads", "precision", "batch_size", "augment", "optimizer")
    }
    facts["features"] = config.query.features
    if config.data.image_size is not None:
        facts["sees"] = config.data.image_size
    return json.dumps({**facts, "image_size": image_size, "classes": num_classes}, sort_keys=True)


def strategy_key(strategy: Strategy, options: Mapping[str, Any], num_classes: int, width: int) -> str:
    """What decides a strategy's factors: matrix products of other widths run at another speed.

    Raises:
        StrategyError: it does not say how its time grows.
    """
    power_of_two = 1 << (max(width, 1) - 1).bit_length()
    work = strategy.growth[0].text
    return f"{strategy.name} ({work}) C={num_classes} D={power_of_two} {json.dumps(dict(options))}"
