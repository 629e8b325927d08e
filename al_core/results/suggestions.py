"""How far a person's answers bear out the model's first guesses, and when many may be confirmed at once.

The images of a query are harder than most, so what is measured on them errs on the careful side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from al_core.records import PEOPLE, LabelEvent, Query

LEAST_ANSWERS: Final = 20
MOST_WRONG: Final = 0.05


@dataclass(frozen=True)
class Suggestion:
    """A first guess that a person answered."""

    probability: float
    right: bool
    blind: bool  # the person did not see it


@dataclass(frozen=True)
class Trust:
    """What the guesses were worth. From `threshold` on, `above` were answered and `wrong` of them wrong."""

    answered: int
    right: int
    threshold: float | None = None  # None: no threshold is borne out
    above: int = 0
    wrong: int = 0

    @property
    def accuracy(self) -> float | None:
        """Share of first guesses that were right."""
        return self.right / self.answered if self.answered else None


def suggestions(queries: Iterable[Query], labels: Mapping[int, LabelEvent]) -> list[Suggestion]:
    """The guesses that people answered one by one; what was confirmed in bulk says nothing about them.

    Guesses and labels are as their classes count (`Effects.guessed`).
    """
    found = []
    for query in queries:
        for item in query.seen(labels):
            event = labels.get(item.sample_id)
            if event is None or event.value < 0 or event.source not in PEOPLE or not item.guesses:
                continue
            how = (event.detail or {}).get("how")
            if how == "bulk":
                continue
            class_id, probability = item.guesses[0]
            found.append(Suggestion(probability, class_id == event.value, how == "blind"))
    return found


def trust(found: Sequence[Suggestion]) -> Trust:
    """The lowest threshold above which at least 20 guesses were answered and at most 1 in 20 was wrong.

    The share is the mean of Jeffreys' posterior, (wrong + 1/2) / (answered + 1), so few answers do not do.
    """
    ordered = sorted(found, key=lambda each: -each.probability)
    best: tuple[float, int, int] | None = None
    wrong = 0
    for count, each in enumerate(ordered, start=1):
        wrong += not each.right
        last_of_its_kind = count == len(ordered) or ordered[count].probability < each.probability
        if last_of_its_kind and count >= LEAST_ANSWERS and (wrong + 0.5) / (count + 1) <= MOST_WRONG:
            best = each.probability, count, wrong
    right = sum(each.right for each in found)
    return Trust(len(found), right, *(best or (None, 0, 0)))


def wrong_of(count: int, right: int, wrong: int) -> tuple[int, int, int]:
    """Expected number of wrong ones among `count` more, and its 95 % interval: beta-binomial, Jeffreys prior.

    assets/label_lanes.js computes the same in the browser.
    """
    a, b = wrong + 0.5, right + 0.5
    masses = [1.0]
    for k in range(count):
        masses.append(masses[k] * (count - k) * (k + a) / ((k + 1) * (count - k - 1 + b)))
        if masses[-1] > 1e200:
            masses = [mass * 1e-200 for mass in masses]
    total = sum(masses)

    def quantile(share: float) -> int:
        so_far = 0.0
        for k, mass in enumerate(masses):
            so_far += mass / total
            if so_far >= share:
                return k
        return count

    return int(count * a / (a + b) + 0.5), quantile(0.025), quantile(0.975)
