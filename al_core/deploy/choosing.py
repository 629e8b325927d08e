"""Which round's model is taken where nobody names one: said in words, and never by test accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from al_core.errors import NotFound
from al_core.records import RoundRecord
from al_core.words import kept, tr


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
        raise NotFound(tr("no round is trained yet, so there is no model: train one round first"))
    if number is not None:
        found = next((record for record in rounds if record.number == number), None)
        if found is None:
            raise NotFound(
                tr(
                    "there is no round {number}; rounds 0 to {last} are trained",
                    number=number,
                    last=rounds[-1].number,
                )
            )
        return Choice(found, kept("round {n}, as asked for", n=number))
    measured = [record for record in rounds if "validation_accuracy" in record.metrics]
    if not measured:
        last = rounds[-1]
        why = kept("round {n}, the last: there is no validation split to choose by", n=last.number)
        return Choice(last, why)
    best = max(measured, key=lambda record: (record.metrics["validation_accuracy"], record.number))
    accuracy = best.metrics["validation_accuracy"]
    why = kept(
        "round {n}, the best by validation accuracy ({accuracy:.4f})", n=best.number, accuracy=accuracy
    )
    return Choice(best, why)
