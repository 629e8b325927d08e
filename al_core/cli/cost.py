"""`cost`: what a query will take here, in seconds and memory, from a short measurement that is kept."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from al_core.check import check_config
from al_core.cli.bars import bar
from al_core.cli.flags import add_option_flags, config_from, read_config
from al_core.config import ExperimentConfig
from al_core.cost.calibration import Calibration
from al_core.cost.history import correction
from al_core.cost.pool import Pool
from al_core.cost.prediction import Cost, cap_for, predict, sizes_of
from al_core.cost.words import cost_words, megabytes, short_seconds
from al_core.data.prepare import prepare
from al_core.errors import ALError, ConfigError
from al_core.query.strategies import STRATEGIES
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "cost",
        help="predict the seconds and memory of a query here",
        description="Predict the seconds and memory of a query with this data set, model and strategy. What "
        "is not known of this machine yet is measured first, in some seconds, and kept.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("--config", type=Path, help="manifest or config to begin with; flags go on top")
    parser.add_argument("--all", action="store_true", help="a table over all strategies")
    parser.add_argument("--labels", type=int, help="with so many labels; without: with the initial set")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_option_flags(parser)


def main(arguments: argparse.Namespace) -> int:
    """Measure what is missing, predict, print."""
    settings = Settings.from_env()
    base = read_config(arguments.config) if arguments.config else ExperimentConfig()
    config = config_from(arguments, base)
    if not arguments.all and (problems := _problems(config, settings)):
        raise ConfigError(problems)
    pool = Pool.of(settings, config.data)
    if pool is None:
        dataset = prepare(settings, config.data, trusted=True)
        pool = Pool(len(dataset.train), dataset.num_classes, dataset.image_size)
    sizes = sizes_of(config, pool, arguments.labels)
    sys.stdout.write(
        f"{config.data.dataset}, {config.model.model}: {sizes.n:,} candidates of {sizes.pool:,}, "
        f"{sizes.m:,} labeled, {sizes.k:,} asked for\n"
    )
    if arguments.all:
        _table(config, pool, settings, arguments.labels, quiet=arguments.quiet)
        return 0
    with bar("measuring", quiet=arguments.quiet) as progress:
        known = measured(settings, config, pool, progress)
    sys.stdout.write(_one(config, pool, settings, known, arguments.labels) + "\n")
    return 0


def _problems(config: ExperimentConfig, settings: Settings) -> list[Any]:
    about = ("query", "model", "data")
    return [p for p in check_config(config, settings) if p.option.partition(".")[0] in about]


def measured(
    settings: Settings, config: ExperimentConfig, pool: Pool,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Calibration:  # fmt: skip
    """What is known of this machine, after what was missing for this config was measured."""
    from al_core.worker.calibrate import calibrate  # noqa: PLC0415 - torch: only a measurement needs it

    calibration = Calibration.read(settings)
    if predict(config, pool, sizes_of(config, pool), calibration) is not None:
        return calibration
    return calibrate(settings, [config], pool, progress=progress)


def _one(
    config: ExperimentConfig, pool: Pool, settings: Settings, calibration: Calibration, labels: int | None
) -> str:
    store = open_store(settings)
    try:
        factor, rounds = correction(store, config, pool, calibration)
    finally:
        store.close()
    return line(config, pool, calibration, labels=labels, factor=factor, rounds=rounds)


def line(
    config: ExperimentConfig, pool: Pool, calibration: Calibration, *, labels: int | None = None,
    factor: float = 1.0, rounds: int = 0,
) -> str:  # fmt: skip
    """A prediction in a line, and a cap where one is advised."""
    sizes = sizes_of(config, pool, labels)
    cost = predict(config, pool, sizes, calibration)
    if cost is None:
        return f"a query of {config.query.strategy}: not measured yet"
    words = f"a query of {config.query.strategy}: {cost_words(cost, sizes, factor=factor, rounds=rounds)}"
    cap = cap_for(config, pool, calibration, labeled=labels)
    return words if cap is None else f"{words}; --candidates {cap} would keep it below a minute and 2 GB"


def _table(
    config: ExperimentConfig, pool: Pool, settings: Settings, labels: int | None, *, quiet: bool
) -> None:
    with bar("measuring", quiet=quiet) as progress:
        rows = list(_rows(config, pool, settings, labels, progress))
    header = f"{'strategy':22s} {'evidence':>10} {'choice':>10} {'a query':>10} {'once':>10} {'memory':>10}"
    sys.stdout.write("\n".join([header, *(text for _, text in sorted(rows))]) + "\n")


def _rows(
    config: ExperimentConfig, pool: Pool, settings: Settings, labels: int | None,
    progress: Callable[[int, int], None],
) -> Iterator[tuple[float, str]]:  # fmt: skip
    """A strategy's seconds, to sort by, and its line."""
    strategies = list(STRATEGIES)
    for done, strategy in enumerate(strategies):
        progress(done, len(strategies))
        tried = config.changed(query__strategy=strategy.name, query__options={})
        sizes = sizes_of(tried, pool, labels)
        try:
            if problems := _problems(tried, settings):
                raise ConfigError(problems)
            cost = predict(tried, pool, sizes, measured(settings, tried, pool))
        except ALError as error:
            yield float("inf"), f"{strategy.name:22s} {str(error).partition(';')[0]}"
            continue
        if cost is not None:
            yield cost.seconds, f"{strategy.name:22s} {_cells(cost)}"


def _cells(cost: Cost) -> str:
    figures = [short_seconds(s) for s in (cost.evidence, cost.selection, cost.seconds, cost.once)]
    return " ".join(f"{cell:>10}" for cell in [*figures, megabytes(cost.memory)])
