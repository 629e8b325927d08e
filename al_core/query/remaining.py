"""Evidence about some of the candidates, and about those that are left after a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from al_core.query.evidence import KINDS
from al_core.types import Positions


def of_rows(evidence: Mapping[str, Any], rows: Positions) -> dict[str, Any]:
    """Evidence about these candidates only."""
    found = dict(evidence) | {"num_candidates": len(rows)}
    for name in evidence:
        letters = KINDS[name].shape.split()
        if "n" in letters:
            found[name] = np.take(evidence[name], rows, axis=letters.index("n"))
    return found


def after(
    evidence: Mapping[str, Any], num_candidates: int, picked: Positions
) -> tuple[Positions, dict[str, Any]]:
    """The positions that are left, and the evidence about them once the picked ones count as labeled.

    Their classes are the predicted ones, as nobody has labeled them yet. Where that is not known of them
    which is known of the labeled ones, the labeled set stays as it is.
    """
    left = np.setdiff1d(np.arange(num_candidates), picked)
    found = of_rows(evidence, left)
    known = [name for name in evidence if name.startswith("labeled_")]
    sources = {
        name: "probs" if name == "labeled_classes" else name.removeprefix("labeled_") for name in known
    }
    if all(source in evidence for source in sources.values()):
        for name, source in sources.items():
            rows = evidence[source][picked]
            new = rows.argmax(1) if name == "labeled_classes" else rows
            found[name] = np.concatenate([evidence[name], new])
    return left, found
