"""What trains once, beside curves: a point for each seed."""

from __future__ import annotations

from dataclasses import dataclass

from al_core.results import comparison
from al_core.results.comparison import Arm, Interval


@dataclass(frozen=True)
class Reference:
    """A baseline that trains once: a point for each seed, and the arms that it is a measure of."""

    kind: str
    arm: Arm
    measures: frozenset[str]

    @property
    def point(self) -> tuple[float, Interval]:
        """Its mean x and its value over the seeds."""
        curves = list(self.arm.curves.values())
        at = sum(float(curve.labels[-1]) for curve in curves) / len(curves)
        return at, comparison.mean_interval([float(curve.values[-1]) for curve in curves])
