"""EXP4.P over strategies: chances, rewards and weights, as pure functions of what earlier rounds left.

Nothing is kept between rounds: `learned` replays them, so that an interrupted run goes on with the chances
that it would have had.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from al_core.errors import StrategyError
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.words import tr

DEFAULT_HORIZON = 20
CHANCE, ACCURACY = "arm_chance:", "arm_accuracy:"
"""Beginnings of names of a round's metrics: each arm's chance, and what its last picks taught a probe."""
_RIDGE = 1.0  # on rows of mean squared length 1


@dataclass(frozen=True)
class Turn:
    """One query of the bandit: the chances of its K arms, and for each of its k picks what led to it."""

    chances: Float[np.ndarray, " K"]
    members: Int64[np.ndarray, " k"]  # the arm that the lot fell on
    support: Bool[np.ndarray, "k K"]  # the arms that would have picked the same image
    accuracies: Float[
        np.ndarray, " K"
    ]  # of each arm's probe after labeling; nan: none of its picks has a label

    @property
    def odds(self) -> Float[np.ndarray, " k"]:
        """The chance with which each image was picked."""
        return self.support @ self.chances


def arms_of(text: str) -> tuple[Strategy, ...]:
    """The strategies that a list of names means, each once, and random, which is always among them.

    Raises:
        StrategyError: a name is unknown, or is the bandit's own.
    """
    arms = dict.fromkeys(STRATEGIES.get(name.strip()) for name in text.split(",") if name.strip())
    if any(arm.name == "bandit" for arm in arms):
        raise StrategyError(tr("a bandit cannot be an arm of a bandit; name other strategies"))
    return tuple(dict.fromkeys([*arms, STRATEGIES.get("random")]))


def least_chance(num_arms: int, horizon: int) -> float:
    """p_min of EXP4.P, sqrt(ln K / KT), bounded so that half of all chances is left to be learnt."""
    if num_arms < 2:
        return 1.0
    return min(math.sqrt(math.log(num_arms) / (num_arms * max(horizon, 1))), 1 / (2 * num_arms))


def chances_of(log_weights: Float[np.ndarray, " K"], least: float) -> Float[np.ndarray, " K"]:
    """Chances that sum to 1, none below the least; weights may be as unequal as they like."""
    weights = np.exp(log_weights - log_weights.max())
    return (1 - len(weights) * least) * weights / weights.sum() + least


def updated(
    log_weights: Float[np.ndarray, " K"],
    turn: Turn,
    rewards: Float[np.ndarray, " K"],
    *,
    least: float,
    horizon: int,
    delta: float,
) -> Float[np.ndarray, " K"]:
    """Weights after a turn whose arms earned these rewards in 0..1, each pick its own arm's.

    An arm is credited with the picks that it supported, each divided by the chance that it had: over many
    turns that is what the arm would have earned alone. For picks without replacement this holds nearly.
    """
    num_arms = len(log_weights)
    earned = np.zeros(num_arms)
    if len(turn.members):
        earned = (rewards[turn.members] / turn.odds) @ turn.support / len(turn.members)
    bonus = math.sqrt(math.log(num_arms / delta) / (num_arms * max(horizon, 1))) / turn.chances
    return log_weights + least / 2 * (earned + bonus)


def rewards_of(history: Sequence[Float[np.ndarray, " K"]]) -> list[Float[np.ndarray, " K"]]:
    """Rewards in 0..1 from the accuracies of each turn: above or below the turn's mean, 0.5 for neither.

    The scale is the largest difference seen so far.
    """
    scale, rewards = 0.0, []
    for accuracies in history:
        known = np.isfinite(accuracies)
        difference = np.zeros(len(accuracies))
        if known.any():
            difference[known] = accuracies[known] - accuracies[known].mean()
        scale = max(scale, float(np.abs(difference).max(initial=0)))
        rewards.append(0.5 + (difference / (2 * scale) if scale > 1e-12 else 0.0 * difference))
    return rewards


def learned(turns: Sequence[Turn], num_arms: int, *, horizon: int, delta: float) -> Float[np.ndarray, " K"]:
    """The chances for the next query, by replaying all turns."""
    least = least_chance(num_arms, horizon)
    log_weights = np.zeros(num_arms)
    for turn, rewards in zip(turns, rewards_of([turn.accuracies for turn in turns]), strict=True):
        log_weights = updated(log_weights, turn, rewards, least=least, horizon=horizon, delta=delta)
    return chances_of(log_weights, least)


def arm_accuracies(
    features: Float[np.ndarray, "m D"],
    classes: Int64[np.ndarray, " m"],
    arms: Int64[np.ndarray, " m"],
    odds: Float[np.ndarray, " m"],
    num_arms: int,
) -> Float[np.ndarray, " K"]:
    """Accuracy of a linear probe for each arm, on images that it did not see; nan for arms without images.

    On frozen features: in the embeddings of a network that was trained on these images they are all told
    apart, and every probe is right (measured on digits: 1.000 for each arm in each of seven rounds).

    The probe of an arm sees the older labels (arm -1) and that arm's picks, which count as much in all as
    those of any other arm. Images weigh 1 / odds, the chance that they had of being picked.
    """
    accuracies = np.full(num_arms, np.nan)
    sizes = np.bincount(arms[arms >= 0], minlength=num_arms)
    for arm in np.flatnonzero(sizes):
        weights = np.where(arms < 0, 1.0, 0.0)
        weights[arms == arm] = sizes.sum() / (sizes > 0).sum() / sizes[arm]
        right = left_out(features, classes, weights) == classes
        accuracies[arm] = (right / odds).sum() / (1 / odds).sum()
    return accuracies


def left_out(
    points: Float[np.ndarray, "m D"], classes: Int64[np.ndarray, " m"], weights: Float[np.ndarray, " m"]
) -> Int64[np.ndarray, " m"]:
    """The class that a ridge regression on all the other points gives each one, in closed form.

    A fit that leaves a point out changes its residual by 1 / (1 - leverage), so one fit serves all.
    """
    x = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    x /= max(float(np.sqrt((x * x).sum(axis=1).mean())), 1e-12)
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    present, target = np.unique(classes, return_inverse=True)
    y = np.eye(len(present))[target]
    root = np.sqrt(weights)[:, None]
    scaled = root * x
    if x.shape[1] <= len(x):
        inverse = np.linalg.inv(scaled.T @ scaled + _RIDGE * np.eye(x.shape[1]))
        hat = x @ inverse
        fitted, leverage = hat @ (scaled.T @ (root * y)), np.einsum("md,md->m", hat, x) * weights
    else:
        inverse = np.linalg.inv(scaled @ scaled.T + _RIDGE * np.eye(len(x)))
        hat = (x @ scaled.T) @ inverse
        fitted, leverage = hat @ (root * y), np.diag(hat) * root[:, 0]
    others = (fitted - leverage[:, None] * y) / np.maximum(1 - leverage, 1e-12)[:, None]
    return present[others.argmax(axis=1)]
