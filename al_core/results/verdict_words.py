"""A verdict's numbers and how it is to be taken, as Compare and the report say them beside its sentence."""

from __future__ import annotations

from typing import Literal

from al_core.results.comparison import CONFIDENCE, Verdict
from al_core.results.study import StudyResult
from al_core.words import tr

Tone = Literal["good", "bad", "even"]


def tone(verdict: Verdict, result: StudyResult) -> Tone:
    """Whether the arm is clearly better or clearly worse."""
    p = verdict.p_adjusted
    if p is None or p >= 1 - CONFIDENCE:
        return "even"
    return "good" if (verdict.difference.interval.mean > 0) is result.metric.higher_is_better else "bad"


def numbers(verdict: Verdict, result: StudyResult) -> str:
    """'+3.1 ± 1.2 points over the whole curve, p 0.012'."""
    gap, metric, p = verdict.difference.interval, result.metric, verdict.p_adjusted
    difference = metric.signed(gap.mean) + ("" if gap.half is None else f" ± {metric.size(gap.half)}")
    if result.cut:
        said = [tr("{difference} up to the cut", difference=difference)]
    else:
        said = [tr("{difference} over the whole curve", difference=difference)]
    if p is not None:
        said.append(tr("p below 0.001") if p < 0.001 else tr("p {p:.3f}", p=p))
    if verdict.picked:
        said.append(tr("the two best, picked by what they came to: p is too small"))
    return ", ".join(said)
