"""The memory that a strategy's file declares, against what choosing really takes at its peak."""

import numpy as np
import pytest

from al_core.query.strategies import STRATEGIES
from tests.benchmarks.cost import chosen_bytes

# of balls that may hold anything from one image to all: declared is the most
BOUNDS = {"prob_cover"}
# blocks and lots of any strategy: nobody plans by these
SMALL = 4e6


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES.names())
def test_the_declared_memory_is_within_twice_the_measured_peak(name):
    declared, peak = chosen_bytes(STRATEGIES.get(name), n=20_000, m=200, k=50, num_classes=10, width=64)
    if max(declared, peak) < SMALL:
        return
    assert declared > peak / 2
    if name not in BOUNDS:
        assert declared < 2 * peak
    assert peak < 4 * 20_000**2 / 10  # nothing near a matrix of all pairs
    assert np.isfinite(declared)
