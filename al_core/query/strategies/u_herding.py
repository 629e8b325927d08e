"""Uncertainty herding (Bae et al., ICLR 2025, arXiv 2412.20644): one method for few and many labels.

Formula: pick argmax_x sum_x' u(x') max(0, s(x, x') - max_{c in labeled + picked} s(c, x')), k times, with u
the margin's uncertainty and s(x, x') = exp(-(|f(x) - f(x')| / radius)^2) on unit features.

Score: uncertainty (by margin, summed as a share of the pool) that it covers and nothing before it did.

Cost: time n*C + min(n, max_candidates)*min(n, max_references)*D + k*min(n, max_references)*D + m*min(n,
max_references)*D + m**2*D; memory 6*n*C + min(n, max_references)*(2*D + 260).

Helps: where the budget is not known beforehand: in its paper it is as good as the coverage methods with few
labels and as the uncertain ones with many, over CIFAR-10, CIFAR-100, Tiny-ImageNet and ImageNet.

Hurts: little anywhere, but a tuned specialist can be better at its own budget, and poor features mislead it
at first.

The radius is the smallest distance between labeled images, so that it shrinks as labels come in and the
choice passes from covering the pool to the uncertainty alone.

Deviation: the paper calibrates by the temperature that fits held-out labels best. There are none here, and on
its training images a network is always sure, so the temperature is an option.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float

from al_core.query.geometry import farthest_first, unit_rows
from al_core.query.herding import herd
from al_core.query.strategies import Bounds, strategy
from al_core.query.strategies.margin import margin
from al_core.types import Positions

# Unit vectors that are closer are copies of one image.
_SAME = 3e-3


@strategy("Auto (uncertainty herding)", family="hybrid", aliases=("auto", "uherding", "uncertainty_herding"))
def u_herding(
    probs: Float[np.ndarray, "n C"],
    features: Float[np.ndarray, "n D"],
    labeled_features: Float[np.ndarray, "m D"],
    *,
    k: int,
    rng: np.random.Generator,
    radius: Annotated[
        float, Bounds(0, 100, "how far an image speaks for others; 0 follows the labels")
    ] = 0.0,
    temperature: Annotated[float, Bounds(0.01, 100, "above 1 flattens an overconfident network")] = 1.0,
    max_candidates: Annotated[int, Bounds(1, 1_000_000, "images that can be asked for")] = 10_000,
    max_references: Annotated[int, Bounds(1, 1_000_000, "images that are to be covered")] = 20_000,
) -> Positions:
    """Ask for the image that resembles most uncertain images which nothing labeled resembles yet."""
    return herd(
        features, k, centres=labeled_features, rng=rng,
        radius=radius or smallest_distance(unit_rows(labeled_features)),
        weights=margin(tempered(probs, temperature)),
        max_candidates=max_candidates, max_references=max_references,
    )  # fmt: skip


def tempered(probs: Float[np.ndarray, "n C"], temperature: float) -> Float[np.ndarray, "n C"]:
    """Probabilities of logits divided by the temperature."""
    # exact zeros stay far below everything else, and finite
    logits = np.log(np.maximum(probs, np.finfo(np.float32).tiny), dtype=np.float64) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def smallest_distance(points: Float[np.ndarray, "m D"]) -> float:
    """Smallest distance between two different points; 1, as the paper begins, where there are not two."""
    # the traversal's last distance is the smallest of all; copies come after it, at 0 or its rounding
    _, distances = farthest_first(points, len(points))
    apart = distances[np.isfinite(distances) & (distances > _SAME)]
    return float(apart[-1]) if len(apart) else 1.0
