"""What a whole experiment, and a study of them, will take here: training, evaluating and choosing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from al_core.baselines import ONCE, planned_labels
from al_core.config import ExperimentConfig
from al_core.cost.calibration import Calibration, network_key
from al_core.cost.pool import Pool
from al_core.cost.prediction import predict, sizes_of

TRAINING = frozenset({"train_fixed", "train_step"})
"""What has to be measured of a network beside its evidence."""
_MOST_ROUNDS = 200  # that are computed one by one; of more, every so many


def labels_of_rounds(config: ExperimentConfig, pool: Pool) -> Iterator[int]:
    """Labels at each training, as far as rounds, budget and pool bound them; patience may end it sooner."""
    sizes = sizes_of(config, pool)
    most = min(sizes.pool + sizes.m, config.stop.budget or math.inf)
    if config.query.baseline in ONCE:
        total = planned_labels(config, sizes.m) if config.query.baseline == "subset" else None
        yield int(min(most, total or most))
        return
    labels, number = sizes.m, 0
    while config.stop.n_rounds is None or number < config.stop.n_rounds:
        yield labels
        if labels >= most:
            return
        labels, number = int(min(labels + config.query.n_new, most)), number + 1


def run_seconds(
    config: ExperimentConfig, pool: Pool, num_test: int, calibration: Calibration
) -> float | None:
    """Seconds of all rounds; None where something of it was not measured yet."""
    speed = calibration.networks.get(network_key(config, pool.image_size, pool.num_classes))
    if speed is None or not speed.seconds.keys() >= TRAINING:
        return None
    train, data, each = config.train, config.data, speed.seconds["probs"]
    every = list(labels_of_rounds(config, pool))
    stride = math.ceil(len(every) / _MOST_ROUNDS)
    total, rounds = 0.0, every[::stride]
    for number, labels in enumerate(rounds):
        steps = max(train.epochs * math.ceil(max(labels, 1) / train.batch_size), train.min_steps)
        total += speed.seconds["train_fixed"] + steps * speed.seconds["train_step"]
        looks = train.epochs * data.epoch_validation + data.round_validation
        total += each * (num_test + looks * pool.num_train)
        if number + 1 == len(rounds):
            break
        if config.query.baseline != "none":
            continue  # a balanced query reads labels: milliseconds
        cost = predict(config, pool, sizes_of(config, pool, labels), calibration)
        if cost is None:
            return None
        total += cost.seconds + (cost.once / stride if number == 0 else 0.0)
    return total * len(every) / len(rounds)
