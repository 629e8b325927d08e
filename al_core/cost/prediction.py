"""What a query will take: seconds and memory, from sizes and what was measured. Without torch, for pages."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from al_core.ahead import most_offered
from al_core.config import ExperimentConfig, QueryConfig
from al_core.cost.calibration import Calibration, NetworkSpeed, network_key, strategy_key
from al_core.cost.pool import Pool
from al_core.cost.selecting import defaults
from al_core.query.composition import Composition
from al_core.query.evidence import KINDS
from al_core.query.strategies import Strategy

PASSES: Final = 20
MEMBERS: Final = 5
# Above these a plan recommends a candidate cap: a person who waits goes away, and a machine swaps.
MAX_SECONDS: Final = 60.0
MAX_BYTES: Final = 2 * 2**30
_CAPS: Final = tuple(m * 10**e for e in (1, 2, 3, 4, 5) for m in (1, 2, 5))


@dataclass(frozen=True)
class Sizes:
    """n candidates of `pool` unlabeled ones, m labeled (`initial` of them at first), k asked for."""

    pool: int
    n: int
    m: int
    k: int
    initial: int = 0


@dataclass(frozen=True)
class Cost:
    """A query's seconds: of the evidence, of choosing, and once for features that are kept; and its bytes."""

    evidence: float
    selection: float
    once: float
    memory: int

    @property
    def seconds(self) -> float:
        """Of each query."""
        return self.evidence + self.selection


def sizes_of(config: ExperimentConfig, pool: Pool, labeled: int | None = None) -> Sizes:
    """The sizes of a query with so many labels; of the first one where nothing is said."""
    held = round(pool.num_train * (config.data.epoch_validation + config.data.round_validation))
    drawn = config.init.n_start * (pool.num_classes if config.init.init == "per_class" else 1)
    m = max(0, min(drawn if labeled is None else labeled, pool.num_train - held))
    left = max(0, pool.num_train - held - m)
    n = left if config.query.candidates is None else min(left, config.query.candidates)
    return Sizes(left, n, m, min(config.query.n_new, n), min(drawn, m))


def strategies_of(config: ExperimentConfig) -> tuple[Strategy, ...]:
    """The strategies that a query runs; options are of the first."""
    return Composition.of(config.query).strategies


def evidence_of(config: ExperimentConfig) -> tuple[str, ...]:
    """The evidence that a query gathers, each once."""
    return Composition.of(config.query).evidence


def measured_kinds(config: ExperimentConfig) -> frozenset[str]:
    """What has to be measured of a network for such queries: keys of `NetworkSpeed.seconds`."""
    kinds = {"probs"}  # guesses are shown beside every query
    if config.train.adversarial_copies:
        kinds.add("copies")
    for name in evidence_of(config):
        if name == "mc_probs":
            kinds |= {"mc_base", "mc_pass"}
        elif name == "committee_probs":
            kinds |= {"train_fixed", "train_step"}
        elif name in ("features", "labeled_features"):
            kinds.add("features")
        elif name in ("texture", "deepfool_distance", "bim_distance"):
            kinds.add(name)
    return frozenset(kinds)


def predict(config: ExperimentConfig, pool: Pool, sizes: Sizes, calibration: Calibration) -> Cost | None:
    """What a query of these sizes will take; None where something of it was not measured yet."""
    speed = calibration.networks.get(network_key(config, pool.image_size, pool.num_classes))
    names = evidence_of(config)
    if speed is None or not measured_kinds(config) <= speed.seconds.keys():
        return None
    selection, memory = 0.0, _evidence_bytes(names, sizes, pool, speed, config.query)
    for place, strategy in enumerate(strategies_of(config)):
        options = Composition.of(config.query).options_of(place)
        width = strategy_width(strategy, speed)
        found = calibration.strategies.get(strategy_key(strategy, options, pool.num_classes, width))
        if found is None:
            return None
        time, numbers = strategy.growth
        values = letters(sizes, pool.num_classes, width, config.query) | defaults(strategy, options)
        selection += found.seconds(time.terms(values))
        memory += int(4 * numbers(values))
    evidence = _evidence_seconds(config, names, sizes, speed)
    kept = [name for name in ("features", "texture") if name in names]
    once = pool.num_train * sum(speed.seconds[name] for name in kept)
    return Cost(evidence, selection, once, memory)


def letters(sizes: Sizes, num_classes: int, width: int, query: QueryConfig) -> dict[str, float]:
    """The sizes by the letters that a declared work uses."""
    return {
        "n": sizes.n, "m": max(sizes.m, 1), "k": max(sizes.k, 1), "C": num_classes, "D": width,
        "T": query.passes, "M": query.members,
    }  # fmt: skip


def strategy_width(strategy: Strategy, speed: NetworkSpeed) -> int:
    """D, as that strategy sees it."""
    if "texture" in strategy.evidence:
        return speed.texture_width
    return speed.feature_width if "features" in strategy.evidence else speed.width


def _evidence_seconds(
    config: ExperimentConfig, names: Collection[str], sizes: Sizes, speed: NetworkSpeed
) -> float:
    seconds = speed.seconds

    def of(kind: str, images: int, chunk: int = speed.chunk) -> float:
        return seconds[kind] * math.ceil(images / chunk) * chunk

    predicted = "probs" in names or "embeddings" in names
    total = of("probs", sizes.n if predicted else sizes.k)
    if "labeled_embeddings" in names:
        total += of("probs", sizes.m)
    if "mc_probs" in names:
        total += of("mc_base", sizes.n) + config.query.passes * of("mc_pass", sizes.n)
    if "committee_probs" in names:
        train = config.train
        # each image that a query asked for may have a copy, but not those of the initial set
        trained_on = sizes.m + (max(0, sizes.m - sizes.initial) if train.adversarial_copies else 0)
        steps = max(train.epochs * math.ceil(max(trained_on, 1) / train.batch_size), train.min_steps)
        training = seconds["train_fixed"] + steps * seconds["train_step"]
        members, kind = config.query.members, config.query.committee
        # snapshots share one training; heads are fitted in seconds on what one pass gives
        trainings = {"heads": 0, "snapshots": min(1, members - 1)}.get(kind, members - 1)
        total += (1 if kind == "heads" else members) * of("probs", sizes.n) + trainings * training
    for name in ("deepfool_distance", "bim_distance"):
        if name in names:
            total += of(name, sizes.n, speed.gradient_chunk)
    if config.train.adversarial_copies:
        total += of("copies", sizes.k, speed.gradient_chunk)
    return total


def _evidence_bytes(
    names: Collection[str], sizes: Sizes, pool: Pool, speed: NetworkSpeed, query: QueryConfig
) -> int:
    total = 0
    for name in names:
        letters_of = KINDS[name].shape.split()
        width = speed.feature_width if name.endswith("features") else speed.width
        width = speed.texture_width if name == "texture" else width
        size = letters(sizes, pool.num_classes, width, query)
        # passes and members are gathered one by one, and then put in order
        copies = 2 if {"T", "M"} & set(letters_of) else 1
        total += int(4 * copies * math.prod(size.get(letter, 1) for letter in letters_of))
    # a pass keeps the embeddings also where only probabilities are asked for
    if "embeddings" not in names and {"probs", "committee_probs"} & set(names):
        total += 4 * sizes.n * speed.width
    return total


def cap_for(
    config: ExperimentConfig, pool: Pool, calibration: Calibration, *, seconds: float = MAX_SECONDS,
    memory: int = MAX_BYTES, labeled: int | None = None,
) -> int | None:  # fmt: skip
    """The largest round number of candidates within the limits; None where no cap is needed or known."""
    whole = predict(config, pool, sizes_of(config, pool, labeled), calibration)
    if whole is None or (whole.seconds <= seconds and whole.memory <= memory):
        return None
    left = sizes_of(config.changed(query__candidates=None), pool, labeled).n
    fitting = None
    for cap in _CAPS:
        if cap < sum(most_offered(config)) or cap >= left:
            continue
        capped = config.changed(query__candidates=cap)
        cost = predict(capped, pool, sizes_of(capped, pool, labeled), calibration)
        if cost is not None and cost.seconds <= seconds and cost.memory <= memory:
            fitting = cap
    return fitting
