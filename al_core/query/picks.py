"""What a selector gives: positions in picking order, and what each was worth when it was picked."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from al_core.types import Positions, Scores


class Picks(np.ndarray):
    """An array of positions that may know a number for each, in the strategy's own terms (its `Score:`).

    To whoever wants positions it is that array; what is computed from it, a part of it too, knows no numbers.
    """

    values: Scores | None

    def __new__(cls, positions: Positions, values: Any = None) -> Self:
        """`values`: one a position, nan where there is none."""
        picks = np.asarray(positions, np.int64).view(cls)
        picks.values = None if values is None else np.asarray(values, np.float64)
        return picks

    def __array_finalize__(self, source: Any) -> None:
        self.values = None

    def of(self, rows: Positions) -> Picks:
        """The same picks as positions of another array, of which these are positions in `rows`."""
        return Picks(rows[np.asarray(self)], self.values)
