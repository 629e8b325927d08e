"""Whether the model's guesses sway who labels: agreement where they were shown and where they were hidden.

A share of the images is drawn, by seed and sample id, whose guesses are hidden. As the draw looks at nothing
else, the images of one query differ between the two kinds by chance alone. So a higher agreement with the
model where its guess was shown is the guess's doing: either it helped, or it was taken over unseen. Which of
the two no agreement can tell; a person who is swayed should label without guesses for a while.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from al_core.records import LabelEvent, LabelSource, Query
from al_core.results.metrics import wilson_interval
from al_core.seeds import generator

LEAST: Final = 10
"""Answers of each kind below which nothing is said."""
_PEOPLE: Final = (LabelSource.HUMAN, LabelSource.CORRECTION)


def is_hidden(seed: int, sample_id: int, share: float) -> bool:
    """Whether the guesses of an image are hidden. A larger share hides the same images and more."""
    return share > 0 and generator(seed, "blind", sample_id).random() < share


@dataclass(frozen=True)
class Agreement:
    """First guesses that the answer agreed with, of how many."""

    agreed: int
    answered: int

    @property
    def share(self) -> float | None:
        """None where nothing was answered."""
        return self.agreed / self.answered if self.answered else None


@dataclass(frozen=True)
class Reliance:
    """Both agreements, their `difference` (shown - hidden) and its 95 % interval, if there is enough.

    The difference is taken within each query and averaged, as a better model is agreed with more.
    """

    shown: Agreement
    hidden: Agreement
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def sways(self) -> bool:
        """Whether shown guesses are agreed with more than chance explains."""
        return self.low is not None and self.low > 0


def reliance(queries: Iterable[Query], labels: Mapping[int, LabelEvent]) -> Reliance:
    """From the answers of people that say whether a guess was shown.

    Left out: what was confirmed in bulk, and what was labeled while all guesses were hidden by choice, for
    that choice was no draw. Only queries with answers of both kinds are compared. Guesses and labels are as
    their classes count (`Effects.guessed`).
    """
    counts = [_counts(query, labels) for query in queries]
    both = [(shown, hidden) for shown, hidden in counts if shown.answered and hidden.answered]
    shown = Agreement(sum(s.agreed for s, _ in both), sum(s.answered for s, _ in both))
    hidden = Agreement(sum(h.agreed for _, h in both), sum(h.answered for _, h in both))
    if min(shown.answered, hidden.answered) < LEAST:
        return Reliance(shown, hidden)
    weights = [s.answered * h.answered / (s.answered + h.answered) for s, h in both]
    one, other = (_weighted(weights, part) for part in zip(*both, strict=True))
    difference = one[0] - other[0]
    # Newcombe (1998): the difference's interval from those of the two shares
    low = difference - math.hypot(one[0] - one[1], other[2] - other[0])
    high = difference + math.hypot(one[2] - one[0], other[0] - other[1])
    return Reliance(shown, hidden, difference, low, high)


def _counts(query: Query, labels: Mapping[int, LabelEvent]) -> tuple[Agreement, Agreement]:
    agreed, answered = [0, 0], [0, 0]
    for item in query.seen(labels):
        event = labels.get(item.sample_id)
        if event is None or event.value < 0 or event.source not in _PEOPLE or not item.guesses:
            continue
        said = event.detail or {}
        if not isinstance(said.get("shown"), bool) or said.get("how") in ("bulk", "blind"):
            continue
        kind = 0 if said["shown"] else 1
        answered[kind] += 1
        agreed[kind] += item.guesses[0][0] == event.value
    return Agreement(agreed[0], answered[0]), Agreement(agreed[1], answered[1])


def _weighted(weights: list[float], parts: tuple[Agreement, ...]) -> tuple[float, float, float]:
    """The weighted share and its interval, at the number of answers that such a mean is worth."""
    total = sum(weights)
    share = sum(w * p.agreed / p.answered for w, p in zip(weights, parts, strict=True)) / total
    worth = total**2 / sum(w**2 / p.answered for w, p in zip(weights, parts, strict=True))
    return share, *wilson_interval(share * worth, worth)
