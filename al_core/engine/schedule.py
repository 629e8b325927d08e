"""How the learning rate moves within a round: a function of the step, with no state to store."""

from __future__ import annotations

import math
from typing import Literal

WARM_UP = 0.3  # share of a onecycle round that climbs
FLOOR = 0.01  # of the peak; onecycle begins and ends there


def rate(schedule: Literal["constant", "cosine", "onecycle"], step: int, total: int) -> float:
    """Factor on the learning rate at a step (from 0). onecycle: Smith, 2018, arXiv:1708.07120, peak 1."""
    if schedule == "constant":
        return 1.0
    done = (step + 1) / max(total, 1)
    if schedule == "onecycle":
        if done < WARM_UP:
            return max(done / WARM_UP, FLOOR)
        done = (done - WARM_UP) / (1 - WARM_UP)
    return max(0.5 * (1 + math.cos(math.pi * min(done, 1.0))), FLOOR)
