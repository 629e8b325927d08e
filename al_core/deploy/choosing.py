"""Which round's model is taken where nobody names one: said in words, and never by test accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from al_core.errors import NotFound
from al_core.records import RoundRecord


@dataclass(frozen=True)
class Choice:
    """A round, and why it is this one."""

    record: RoundRecord
    why: str


def choose_round(rounds: Sequence[RoundRecord], number: int | None = None) -> Choice:
    """The round asked for; else the best by validation accuracy (of equals the latest); else the last.

    Test accuracy never chooses: a model picked by it would look better on the test images than it is.

    Raises:
        NotFound: there is no such round, or none at all.
    """
    if not rounds:
        raise NotFound("no round is trained yet, so there is no model: train one round first")
    if number is not None:
        found = next((record for record in rounds if record.number == number), None)
        if found is None:
            raise NotFound(f"there is no round {number}; rounds 0 to {rounds[-1].number} are trained")
        return Choice(found, f"round {number}, as asked for")
    measured = [record for record in rounds if "validation_accuracy" in record.metrics]
    if not measured:
        last = rounds[-1]
        return Choice(last, f"round {last.number}, the last: there is no validation split to choose by")
    best = max(measured, key=lambda record: (record.metrics["validation_accuracy"], record.number))
    accuracy = best.metrics["validation_accuracy"]
    return Choice(best, f"round {best.number}, the best by validation accuracy ({accuracy:.4f})")
