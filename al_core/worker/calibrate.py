"""Measuring what a config's queries cost here: the network's part and the strategies' part, kept in a file.

For a `calibrate` job of the browser's, and for the command line. What is known already is not measured again.
"""

from __future__ import annotations

from collections.abc import Iterable

from al_core.config import ExperimentConfig
from al_core.cost.calibration import Calibration, network_key, strategy_key
from al_core.cost.pool import Pool
from al_core.cost.prediction import (
    MEMBERS,
    PASSES,
    measured_kinds,
    strategies_of,
    strategy_width,
)
from al_core.cost.selecting import measure
from al_core.cost.study import TRAINING
from al_core.engine.inference import Control, Progress, no_control, no_progress
from al_core.engine.speed import measure_network
from al_core.query.composition import Composition
from al_core.settings import Settings


def calibrate(
    settings: Settings,
    configs: Iterable[ExperimentConfig],
    pool: Pool,
    *,
    training: bool = False,
    progress: Progress = no_progress,
    control: Control = no_control,
) -> Calibration:
    """Measure what is missing for these configs' queries, with `training` also for whole rounds; keep it.

    Raises:
        ALError: the model cannot be built, or serves none of the strategies.
    """
    calibration = Calibration.read(settings)
    configs = list(configs)
    for done, config in enumerate(configs):
        control()
        progress(2 * done, 2 * len(configs))
        calibration = _network(calibration, config, pool, control, training=training)
        progress(2 * done + 1, 2 * len(configs))
        calibration = _strategies(calibration, config, pool, control)
        calibration.write(settings)
    progress(2 * len(configs), 2 * len(configs))
    return calibration


def _network(
    calibration: Calibration, config: ExperimentConfig, pool: Pool, control: Control, *, training: bool
) -> Calibration:
    key = network_key(config, pool.image_size, pool.num_classes)
    known = calibration.networks.get(key)
    wanted = measured_kinds(config) | (TRAINING if training else frozenset())
    missing = wanted - (known.seconds.keys() if known else frozenset())
    if not missing:
        return calibration
    found = measure_network(config, pool.image_size, pool.num_classes, missing, control=control)
    return calibration.with_network(key, found)


def _strategies(
    calibration: Calibration, config: ExperimentConfig, pool: Pool, control: Control
) -> Calibration:
    speed = calibration.networks[network_key(config, pool.image_size, pool.num_classes)]
    for place, strategy in enumerate(strategies_of(config)):
        options = Composition.of(config.query).options_of(place)
        width = strategy_width(strategy, speed)
        key = strategy_key(strategy, options, pool.num_classes, width)
        if key in calibration.strategies:
            continue
        found = measure(
            strategy, options, num_classes=pool.num_classes, width=max(1, width), passes=PASSES,
            members=MEMBERS, control=control,
        )  # fmt: skip
        calibration = calibration.with_strategy(key, found)
    return calibration
