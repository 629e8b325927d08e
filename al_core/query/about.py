"""What a strategy's file says about it, from its docstring's paragraphs.

The first is the paper. `Formula:`, `Score:` (the number beside each pick), `Cost:`, `Helps:`, `Hurts:` and
`Deviation:` begin their own; whatever else is said are remarks. The cost begins with `time EXPRESSION; memory
EXPRESSION.` (al_core.query.work), the memory in numbers of 4 bytes that are held beside the evidence.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Final

from al_core.errors import StrategyError
from al_core.query.work import Work
from al_core.words import tr

HEADS: Final = ("formula", "score", "cost", "helps", "hurts", "deviation")
_COST: Final = re.compile(r"time (?P<time>.+?)[;,] memory (?P<memory>[^;]+?)(?:\.(?=\s|$)|;|$)")


@dataclass(frozen=True)
class About:
    """The paragraphs, each as one line; empty where the file does not say."""

    paper: str = ""
    formula: str = ""
    cost: str = ""
    helps: str = ""
    hurts: str = ""
    deviation: str = ""
    score: str = ""
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, docstring: str | None) -> About:
        """Read a docstring; the first of two paragraphs of one kind counts, the other is a remark."""
        paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(docstring or "").split("\n\n")]
        found: dict[str, str] = {}
        remarks = []
        for paragraph in paragraphs[1:]:
            head, colon, text = paragraph.partition(":")
            if colon and head.lower() in HEADS and head.lower() not in found:
                found[head.lower()] = text.strip()
            elif paragraph:
                remarks.append(paragraph)
        return cls(paragraphs[0], **found, remarks=tuple(remarks))


def growth(cost: str) -> tuple[Work, Work]:
    """How time and memory grow, as the cost's first sentence says.

    Raises:
        StrategyError: it does not begin with `time EXPRESSION; memory EXPRESSION.`
    """
    found = _COST.match(cost)
    if found is None:
        raise StrategyError(
            tr(
                "the cost {cost!r} does not begin with 'time EXPRESSION; memory EXPRESSION.', as in "
                "'time n*m*D + n*k*D; memory n.'",
                cost=cost[:60],
            )
        )
    return Work.of(found["time"]), Work.of(found["memory"])
