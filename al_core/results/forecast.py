"""What the next labels should bring: a power law with an asymptote, fitted to one's own learning curve.

error(n) = c + a (n + s)^-b, with c the error that no number of labels removes and s the labels that the model
brings with it. Figueroa et al. (2012, "Predicting sample size required for classification performance") fit
such a law to few points by weighted least squares. That gives one curve, but a few rounds do not tell a steep
law with a high asymptote from a flat one without. So the laws of a whole grid are kept, each weighed by how
well it explains the rounds (Student's errors: their size is not known either), and what is said is read off
draws from them: the spread of the laws is the band's. Rounds far from the best law weigh less (Huber), early
rounds less than late ones (Figueroa).

The shift was measured: without it the band held 54 % of EMNIST's rounds at two to three times the labels,
with it 92 %. A law says nothing of where the data ends or the strategy changes: beyond `FARTHEST` times the
labels so far nothing is forecast. tests/benchmarks/forecast.py says how often the band holds on real curves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from al_core.results.analysis import Curve, Metric
from al_core.results.comparison import CONFIDENCE
from al_core.seeds import generator

FEWEST_ROUNDS: Final = 4
FARTHEST: Final = 3.0
"""Times the labels so far; beyond that nothing is said."""
_DRAWS: Final = 4000
_EXPONENTS: Final = np.geomspace(0.1, 3.0, 40)
_SHIFTS: Final = np.array([0.0, 0.5, 1.0, 2.0, 4.0])  # times the first round's labels
_FLOORS: Final = 24  # asymptotes that are tried, from none to the smallest error that was measured
_NOISE: Final = 0.006  # standard deviation of a retraining that is expected before anything is seen ...
_BELIEF: Final = 2.0  # ... and how many rounds that expectation is worth
_HUBER: Final = 1.5
_ROUNDS: Final = 3  # of reweighing


@dataclass(frozen=True)
class Reach:
    """Labels to a target, with a 95 % interval; None where they lie beyond what can be said."""

    labels: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Forecast:
    """Draws of laws that explain the rounds so far."""

    labels: float  # the last round's
    rounds: int
    _scale: Float[np.ndarray, " draws"]
    _shift: Float[np.ndarray, " draws"]
    _exponent: Float[np.ndarray, " draws"]
    _height: Float[np.ndarray, " draws"]
    _floor: Float[np.ndarray, " draws"]
    _noise: Float[np.ndarray, " draws"]  # a further round's own error, with its sign
    _share: bool  # values are shares of which one minus it is the error; else they are errors themselves

    @property
    def farthest(self) -> float:
        """The most labels that anything is said about."""
        return FARTHEST * self.labels

    def _errors(self, labels: Float[np.ndarray, " n"]) -> Float[np.ndarray, "draws n"]:
        steps = (labels[None, :] + self._shift[:, None]) / self._scale[:, None]
        return self._floor[:, None] + self._height[:, None] * steps ** -self._exponent[:, None]

    def _values(self, errors: Float[np.ndarray, "draws n"]) -> Float[np.ndarray, "draws n"]:
        return 1 - errors if self._share else errors

    def band(self, labels: Float[np.ndarray, " n"]) -> Float[np.ndarray, "3 n"]:
        """Middle, low and high (95 %) of what rounds with so many labels would measure.

        Raises:
            ValueError: a number of labels lies beyond what can be said.
        """
        places = np.asarray(labels, float)
        if (places > self.farthest).any():
            raise ValueError(f"{places.max():g} labels lie beyond {self.farthest:g}, where the forecast ends")
        measured = self._errors(places) + self._noise[:, None]
        low, middle, high = np.quantile(self._values(measured), [_TAIL, 0.5, 1 - _TAIL], axis=0)
        if self._share:
            low, middle, high = (np.clip(x, 0, 1) for x in (low, middle, high))
        return np.stack([middle, low, high])

    def gain(self, new: int) -> tuple[float, float]:
        """Expected change of the value by that many further labels, and half its 95 % interval.

        Of the law, without the chance of two retrainings: what the labels are worth, not what is seen.
        """
        now, then = self._values(self._errors(np.array([self.labels, self.labels + new]))).T
        low, high = np.quantile(then - now, [_TAIL, 1 - _TAIL])
        return float(np.mean(then - now)), float(high - low) / 2

    def labels_to(self, target: float) -> Reach:
        """Labels at which the law comes to a target, with a 95 % interval."""
        gap = ((1 - target) if self._share else target) - self._floor
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            needed = self._scale * (self._height / gap) ** (1 / self._exponent) - self._shift
        needed = np.where(gap > 0, needed, np.inf)
        low, middle, high = np.quantile(needed, [_TAIL, 0.5, 1 - _TAIL], method="inverted_cdf")
        ends = (float(x) if x <= self.farthest else None for x in (middle, low, high))
        return Reach(*ends)


_TAIL: Final = (1 - CONFIDENCE) / 2


def forecast(curve: Curve, metric: Metric) -> Forecast | None:
    """The law behind a learning curve over labels; None with too few rounds, or for what follows no such law.

    Accuracies are forecast, and losses; a calibration error rises and falls.
    """
    followed = metric.higher_is_better if metric.share else not metric.higher_is_better
    n, y = curve.labels, curve.values
    if len(n) < FEWEST_ROUNDS or not followed or n[0] <= 0:
        return None
    errors = 1 - y if metric.share else y
    shifts, exponents = (x.ravel() for x in np.meshgrid(_SHIFTS * n[0], _EXPONENTS, indexing="ij"))
    moved = n[None, :] + shifts[:, None]
    scale = np.exp(
        np.log(moved).mean(1)
    )  # so that heights of all laws mean the same: the error amid the rounds
    steps = (moved / scale[:, None])[:, None, :] ** -exponents[:, None, None]  # [law, 1, round]
    floors = np.linspace(0, max(float(errors.min()), 0.0), _FLOORS, endpoint=False)
    above = errors[None, None, :] - floors[None, :, None]  # [1, floor, round]
    fit = _fit(steps, above)
    law, floor = _drawn(fit)
    return _forecast(curve, metric, scale[law], shifts[law], exponents[law], floors[floor], fit, (law, floor))


@dataclass(frozen=True)
class _Fit:
    """Every law of the grid at its best height: [law, floor]."""

    heights: Float[np.ndarray, "laws floors"]
    squares: Float[np.ndarray, "laws floors"]  # weighed, with what is expected of the noise
    sharpness: Float[np.ndarray, "laws floors"]  # how well the rounds fix the height
    freedom: float


def _fit(steps: Float[np.ndarray, "laws 1 n"], above: Float[np.ndarray, "1 floors n"]) -> _Fit:
    """Weigh, fit, look how far the best law is from each round, and again."""
    late = np.linspace(0.5, 1.5, steps.shape[-1])  # a mean of 1
    fit = _weighed(steps, above, late)
    for _ in range(_ROUNDS):
        law, floor = np.unravel_index(np.argmin(fit.squares), fit.squares.shape)
        residuals = np.abs(above[0, floor] - fit.heights[law, floor] * steps[law, 0])
        spread = max(1.483 * float(np.median(residuals)), _NOISE / 2)
        fit = _weighed(steps, above, late * np.minimum(1, _HUBER * spread / np.maximum(residuals, 1e-12)))
    return fit


def _weighed(steps: np.ndarray, above: np.ndarray, weights: Float[np.ndarray, " n"]) -> _Fit:
    """Least squares with these weights."""
    sharpness = (weights * steps**2).sum(-1)
    heights = (weights * steps * above).sum(-1) / sharpness
    left = above - heights[..., None] * steps
    squares = (weights * left**2).sum(-1) + _BELIEF * _NOISE**2
    wide = np.broadcast_to(sharpness, squares.shape)
    return _Fit(heights, squares, wide, float(weights.sum()) - 1 + _BELIEF)


def _drawn(fit: _Fit) -> tuple[np.ndarray, np.ndarray]:
    """Laws, drawn by their weight once height and noise are integrated out."""
    logs = -0.5 * np.log(fit.sharpness) - 0.5 * fit.freedom * np.log(fit.squares)
    logs = np.where(fit.heights > 0, logs, -np.inf)  # labels do no harm
    if np.isfinite(logs).any():
        chances = np.exp(logs - logs.max())
    else:
        chances = np.zeros_like(logs)
        chances[:, -1] = 1.0  # a curve that only gets worse: as flat as the grid allows
    cells = generator(0, "forecast").choice(chances.size, _DRAWS, p=(chances / chances.sum()).ravel())
    law, floor = np.unravel_index(cells, chances.shape)
    return law, floor


def _forecast(
    curve: Curve,
    metric: Metric,
    scale: np.ndarray,
    shift: np.ndarray,
    exponent: np.ndarray,
    floor: np.ndarray,
    fit: _Fit,
    cells: tuple[np.ndarray, np.ndarray],
) -> Forecast:
    """Heights and noise of the drawn laws."""
    rng = generator(0, "forecast", 1)
    deviation = np.sqrt(fit.squares[cells] / rng.chisquare(fit.freedom, _DRAWS))
    height = fit.heights[cells] + deviation * rng.standard_normal(_DRAWS) / np.sqrt(fit.sharpness[cells])
    noise = deviation * rng.standard_normal(_DRAWS)
    labels, rounds = float(curve.labels[-1]), len(curve.labels)
    return Forecast(
        labels, rounds, scale, shift, exponent, np.maximum(height, 0.0), floor, noise, metric.share
    )
