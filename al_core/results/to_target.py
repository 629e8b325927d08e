"""What a target takes: rounds, labels and money, for several costs of a training (lambda)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from al_core.results.analysis import Curve
from al_core.results.axes import Prices
from al_core.results.comparison import saving
from al_core.results.study import StudyResult
from al_core.results.study_tables import mean
from al_core.results.study_text import number, saving_text, table
from al_core.words import english

RATIOS: Final = (0.0, 1.0, 10.0, 100.0)


def usual_target(result: StudyResult) -> float | None:
    """A target that says something: what the baseline comes to at the end, in full per cent for shares.

    Rounded to the worse side, so that what is on average reached is.
    """
    base = result.baseline
    last = [] if base is None else [float(c.values[-1]) for c in base.curves.values() if len(c.values)]
    if not last:
        return None
    end = float(np.mean(last))
    scale, sign = 100 if result.metric.share else 1000, 1 if result.metric.higher_is_better else -1
    return sign * math.floor(sign * scale * end + 1e-9) / scale


def target_frame(
    result: StudyResult, target: float, prices: Prices, ratios: Sequence[float] = RATIOS
) -> pd.DataFrame:
    """One row an arm, those first whose seeds all get there, then by labels; `result` is over labels.

    Whole rounds: a target counts as reached with the first round that measured it, and everything up to there
    is paid. Means are over the seeds that reach it; `reached` of `seeds` says how many do, and where not all
    do, the others would raise them.
    """
    higher = result.metric.higher_is_better
    rows = []
    for arm in result.measured:
        at = [_first(curve, target, higher_is_better=higher) for curve in arm.curves.values()]
        found = [pair for pair in at if pair is not None]
        row: dict[str, object] = {"arm": arm.name, "reached": len(found), "seeds": len(at)}
        row["rounds"] = mean([trainings for trainings, _ in found])
        row["labels"] = mean([labels for _, labels in found])
        base = result.baseline_of(arm)
        saved = (
            None if base is None or arm is base else saving(arm, base, target=target, higher_is_better=higher)
        )
        row["saving"] = None if saved is None else saved.interval.mean
        row["saving_seeds"] = None if saved is None else saved.interval.n
        row["saving_half"] = None if saved is None else saved.interval.half
        for ratio in ratios:
            paid = replace(prices, ratio=ratio, hour=0.0)
            row[f"cost_{ratio:g}"] = mean([paid.cost(labels, trainings) for trainings, labels in found])
        rows.append(row)
    frame = pd.DataFrame(rows)
    if not len(frame):
        return frame
    missing = frame["seeds"] - frame["reached"]
    order = frame.assign(missing=missing).sort_values(["missing", "labels"], kind="stable").index
    return frame.loc[order].reset_index(drop=True)


PAID: Final = "Whole rounds are paid: cost = price of a label × (labels + λ × trainings)."


def target_table(frame: pd.DataFrame) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the frame in a report."""
    ratios = [name.removeprefix("cost_") for name in frame.columns if name.startswith("cost_")]
    return (
        ("arm", "seeds there", "trainings", "labels", "labels saved, paired",
         *(f"cost, λ = {ratio}" for ratio in ratios)),
        [
            (
                str(row["arm"]), f"{row['reached']} of {row['seeds']}", number(row["rounds"], ".1f"),
                number(row["labels"], ",.0f"), saving_text(row["saving"], row["saving_seeds"]),
                *(number(row[f"cost_{ratio}"], ",.2f") for ratio in ratios),
            )
            for row in frame.to_dict("records")
        ],
    )  # fmt: skip


@english()
def target_text(result: StudyResult, target: float, frame: pd.DataFrame) -> str:
    """The frame as a section of a report."""
    lines = ["", f"## To {result.metric.text(target)}", "", *table(*target_table(frame)), "", PAID]
    return "\n".join(lines) + "\n"


def _first(curve: Curve, target: float, *, higher_is_better: bool) -> tuple[int, float] | None:
    """Trainings and labels of the first round at the target; None where no round is."""
    there = curve.values >= target if higher_is_better else curve.values <= target
    places = np.flatnonzero(there)
    return (int(places[0]) + 1, float(curve.labels[places[0]])) if len(places) else None
