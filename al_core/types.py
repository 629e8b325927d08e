"""Array types, letters and constants that every room shares.

Letters: N train split, n candidates, m labeled, k query size, C classes, D features, H x W pixels.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from jaxtyping import Float, Int32, Int64, UInt8

SampleIds = Int64[np.ndarray, " n"]
"""Positions in the train split: the only identity of an image that crosses a boundary."""

Positions = Int64[np.ndarray, " k"]
"""Positions inside one candidate array; they never leave the function that made them."""

Images = UInt8[np.ndarray, "n H W 3"]
Sizes = Int32[np.ndarray, "n 2"]
"""Width and height of pictures in pixels, as they came; 0 where that cannot be known."""
Labels = Int64[np.ndarray, " n"]
Scores = Float[np.ndarray, " n"]

SplitName = Literal["train", "test"]

UNKNOWN: Final = -1
"""A label that nobody knows (only ever in arrays of labels, never in a label event)."""
SKIP: Final = -2
"""Label event: the person cannot tell; the image is not asked again."""
EXCLUDE: Final = -3
"""Label event: a bad image, taken out of the pool."""
UNLABEL: Final = -4
"""Label event: the earlier answer is withdrawn."""

INITIAL_ROUND: Final = -1
"""The round number of the initial set's query, made before anything was trained."""
