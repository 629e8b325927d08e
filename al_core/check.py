"""Whether a config can run, before anything is written: the registries, and rules across options."""

from __future__ import annotations

from collections.abc import Iterator

from al_core.ahead import most_offered
from al_core.baselines import planned_labels
from al_core.config import ExperimentConfig
from al_core.data.dataset import Dataset
from al_core.data.prepare import open_dataset, prepared_key
from al_core.data.sources import SOURCES
from al_core.errors import ConfigError, Problem, StrategyError
from al_core.initial import class_map
from al_core.models import MODELS
from al_core.oracle import check_oracle
from al_core.query.composition import Composition
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.settings import Settings
from al_core.words import tr


def check_config(config: ExperimentConfig, settings: Settings) -> list[Problem]:
    """Everything that is wrong with a config, one Problem an option; empty when it can run."""
    problems = [*_registries(config), *_rules(config)]
    key = None if problems else prepared_key(settings, config.data)
    dataset = None if key is None else open_dataset(settings, key)
    if dataset is not None:
        problems += _data(config, dataset)
    return problems + list(check_oracle(config, dataset))


def require_valid(config: ExperimentConfig, settings: Settings) -> None:
    """Raise ConfigError with all problems of a config that cannot run."""
    problems = check_config(config, settings)
    if problems:
        raise ConfigError(problems)


def _registries(config: ExperimentConfig) -> Iterator[Problem]:
    name, colon, path = config.data.dataset.partition(":")
    if name not in SOURCES:
        yield Problem("data.dataset", name, SOURCES.suggest(name))
    else:
        source = SOURCES.get(name)
        if source.path == "required" and not path.strip():
            yield Problem(
                "data.dataset", config.data.dataset, tr("needs a path: {source}:PATH", source=source.name)
            )
        elif source.path == "no" and colon:
            yield Problem(
                "data.dataset", config.data.dataset, tr("takes no path: {source}", source=source.name)
            )
    if config.model.model not in MODELS:
        yield Problem("model.model", config.model.model, MODELS.suggest(config.model.model))
    else:
        yield from _model(config)
    if config.query.strategy not in STRATEGIES:
        yield Problem("query.strategy", config.query.strategy, STRATEGIES.suggest(config.query.strategy))
    else:
        yield from _strategy(config)


def _model(config: ExperimentConfig) -> Iterator[Problem]:
    model = MODELS.get(config.model.model)
    if config.model.pretrained and model.weights is None:
        allowed = tr(
            "{model} has no ImageNet weights; switch it off or take another model", model=model.title
        )
        yield Problem("model.pretrained", True, allowed)
    size = config.data.image_size
    if size is not None and size < model.min_image_size:
        allowed = tr(
            "{model} needs at least {min_image_size} pixels",
            model=model.title,
            min_image_size=model.min_image_size,
        )
        yield Problem("data.image_size", size, allowed)
    if size is not None and model.max_image_size is not None and size > model.max_image_size:
        allowed = tr(
            "{model} takes at most {max_image_size} pixels",
            model=model.title,
            max_image_size=model.max_image_size,
        )
        yield Problem("data.image_size", size, allowed)


def _strategy(config: ExperimentConfig) -> Iterator[Problem]:
    query = config.query
    strategy = STRATEGIES.get(query.strategy)
    yield from strategy.check_options(query.options)
    yield from _can_serve(config, "query.strategy", strategy)
    if query.second_options and not query.second:
        allowed = tr("there is no second strategy for them: name one, or leave them out")
        yield Problem("query.second_options", query.second_options, allowed)
    if strategy.name == "bandit":
        yield from _bandit(config)
        return
    if query.second:
        if query.second not in STRATEGIES:
            yield Problem("query.second", query.second, STRATEGIES.suggest(query.second))
            return
        second = STRATEGIES.get(query.second)
        if second is strategy:
            yield Problem("query.second", query.second, tr("is the strategy itself; take another, or none"))
        yield from second.check_options(query.second_options, "query.second_options")
        yield from _can_serve(config, "query.second", second)
    if query.power and all(member.is_selector for member in Composition.of(query).strategies):
        allowed = tr(
            "{strategy} chooses sets and gives no scores to draw by; set it to 0", strategy=strategy.name
        )
        yield Problem("query.power", query.power, allowed)


def _bandit(config: ExperimentConfig) -> Iterator[Problem]:
    query = config.query
    if query.second:
        yield Problem("query.second", query.second, tr("the bandit mixes its own arms; name it among them"))
    try:
        arms = Composition.of(query).strategies
    except StrategyError as error:
        yield Problem("query.options.arms", query.options.get("arms"), str(error))
        return
    for arm in arms:
        yield from _can_serve(config, "query.options.arms", arm)


def _can_serve(config: ExperimentConfig, option: str, strategy: Strategy) -> Iterator[Problem]:
    """What the model lacks that a strategy needs."""
    has_dropout = config.model.dropout > 0 or (
        config.model.model in MODELS and MODELS.get(config.model.model).has_dropout
    )
    if "committee" in strategy.needs and config.query.committee == "snapshots" and config.model.frozen:
        allowed = tr(
            "the head of frozen features has one best solution, so all snapshots are it; take bootstrap"
        )
        yield Problem("query.committee", "snapshots", allowed)
    if "dropout" in strategy.needs and not has_dropout:
        allowed = tr(
            "{model} has no dropout, so mc_probs cannot be computed; set model.dropout above 0, or choose a "
            "model with dropout or another strategy",
            model=config.model.model,
        )
        yield Problem(option, strategy.name, allowed)


def _rules(config: ExperimentConfig) -> Iterator[Problem]:
    data, train, stop = config.data, config.train, config.stop
    if stop.patience is not None and not data.round_validation:
        yield Problem("stop.patience", stop.patience, tr("needs data.round_validation above 0 to look at"))
    if stop.target_accuracy is not None and not data.round_validation:
        allowed = tr("needs data.round_validation above 0 to look at (the test split never stops a run)")
        yield Problem("stop.target_accuracy", stop.target_accuracy, allowed)
    if config.query.size_schedule == "rate" and not data.round_validation:
        allowed = tr(
            "needs data.round_validation above 0 to look at (the test split never sets a query's size)"
        )
        yield Problem("query.size_schedule", "rate", allowed)
    if train.early_stopping is not None and not (train.labeled_validation or data.epoch_validation):
        allowed = tr("needs train.labeled_validation or data.epoch_validation above 0 to look at")
        yield Problem("train.early_stopping", train.early_stopping, allowed)
    if config.query.holdback and config.query.n_new < 2:
        allowed = tr("needs queries of at least two images: one for the strategy, one to measure by")
        yield Problem("query.holdback", config.query.holdback, allowed)
    yield from _candidates(config)
    if train.adversarial_copies and config.model.frozen:
        allowed = tr(
            "features of copies are not kept: switch it off, or train the whole network (frozen off)"
        )
        yield Problem("train.adversarial_copies", True, allowed)
    yield from _devices(config)
    if config.init.init == "import" and not config.init.import_labels:
        yield Problem("init.import_labels", None, tr("init=import needs the path of a labels file"))
    try:
        class_map(config.init.import_map)
    except ConfigError as error:
        yield from error.problems
    yield from _baseline(config)
    if config.oracle != "human" and stop.is_open and config.query.baseline != "full":
        who = "ground truth" if config.oracle == "truth" else "the oracle"
        allowed = tr("{who} would label everything: set n_rounds, budget or another stop", who=who)
        yield Problem("oracle", config.oracle, allowed)
    drawn = config.init.n_start if config.init.init in ("random", "kcenter") else 0
    if stop.budget is not None and stop.budget < drawn:
        yield Problem(
            "stop.budget", stop.budget, tr("is below the initial set of {n}", n=config.init.n_start)
        )


def _candidates(config: ExperimentConfig) -> Iterator[Problem]:
    """A cap below what a query takes would make every query smaller."""
    cap = config.query.candidates
    asked, ahead = most_offered(config)
    if cap is None or cap >= asked + ahead or config.query.baseline != "none":
        return
    if ahead:
        allowed = tr(
            "a query takes up to {asked} images and {ahead} ahead; set it to {least} at least, or leave it "
            "empty",
            asked=asked,
            ahead=ahead,
            least=asked + ahead,
        )
    else:
        allowed = tr(
            "a query takes up to {asked} images; set it to {asked} at least, or leave it empty", asked=asked
        )
    yield Problem("query.candidates", cap, allowed)


def _baseline(config: ExperimentConfig) -> Iterator[Problem]:
    kind = config.query.baseline
    if kind != "none" and config.oracle == "human":
        allowed = tr("nobody labels for a baseline; set oracle to truth, noisy or recorded")
        yield Problem("query.baseline", kind, allowed)
    if kind == "subset" and planned_labels(config, config.init.n_start) is None:
        yield Problem(
            "query.baseline", kind, tr("is as large as the budget; set stop.budget or stop.n_rounds")
        )


def _devices(config: ExperimentConfig) -> Iterator[Problem]:
    train = config.train
    if train.devices == 1:
        return
    if config.model.frozen:
        allowed = tr("the head of frozen features trains in one process within a second; set it to 1")
        yield Problem("train.devices", train.devices, allowed)
    if train.batch_size < train.devices:
        allowed = tr(
            "a batch of {batch_size} cannot be shared among so many; set train.batch_size higher",
            batch_size=train.batch_size,
        )
        yield Problem("train.devices", train.devices, allowed)
    if train.device == "mps" or train.device.startswith("cuda:"):
        allowed = tr(
            "needs several devices, and {device} is one; take cuda, cpu or auto", device=train.device
        )
        yield Problem("train.device", train.device, allowed)


def _data(config: ExperimentConfig, dataset: Dataset) -> Iterator[Problem]:
    if not dataset.has_truth:
        if config.oracle in ("truth", "noisy"):
            allowed = tr(
                "the labels of {dataset!r} are not known; use human or recorded", dataset=dataset.title
            )
            yield Problem("oracle", config.oracle, allowed)
        if config.init.init == "per_class":
            allowed = tr(
                "the labels are not known; use random or kcenter and label the first images yourself"
            )
            yield Problem("init.init", "per_class", allowed)
        if config.query.baseline == "balanced":
            yield Problem(
                "query.baseline", "balanced", tr("the labels are not known, so none can be evened out")
            )
        if config.data.imbalance is not None:
            yield Problem(
                "data.imbalance", config.data.imbalance, tr("the labels are not known; leave it empty")
            )
        for name in ("epoch_validation", "round_validation"):
            if getattr(config.data, name):
                allowed = tr("the labels are not known; use train.labeled_validation")
                yield Problem(f"data.{name}", getattr(config.data, name), allowed)
    if dataset.num_classes < 2:
        yield Problem("data.dataset", config.data.dataset, tr("has one class only; two are needed to train"))
    if config.init.init == "per_class" and config.stop.budget is not None:
        n = config.init.n_start * dataset.num_classes
        if config.stop.budget < n:
            allowed = tr(
                "is below the initial set of {n_start} x {num_classes} = {n}",
                n_start=config.init.n_start,
                num_classes=dataset.num_classes,
                n=n,
            )
            yield Problem("stop.budget", config.stop.budget, allowed)
