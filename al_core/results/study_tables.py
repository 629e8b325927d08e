"""A study in tables: a row an arm, a row a point of a curve; and how a table is written."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from al_core.results import comparison
from al_core.results.export import write_csv
from al_core.results.study import StudyResult


def summary_frame(result: StudyResult) -> pd.DataFrame:
    """One row an arm, best area first: seeds, final value, areas, difference to the baseline, saving."""
    arms, labels = result.compared, result.places
    if not labels:
        return pd.DataFrame()
    since, until = labels[0], labels[-1]
    judged = {verdict.arm: verdict for verdict in result.verdicts}
    higher = result.metric.higher_is_better
    rows = []
    for arm in arms:
        areas = arm.values(lambda curve: comparison.area(curve, until, since))
        logs = arm.values(lambda curve: comparison.area(curve, until, since, log=True))
        final = comparison.mean_interval(list(arm.values(lambda curve: curve.at(until)).values()))
        verdict = judged.get(arm.name)
        resampled = verdict.difference.bootstrap if verdict else None
        base = result.baseline_of(arm)
        saved = None if base is None or arm is base else comparison.saving(arm, base, higher_is_better=higher)
        rows.append(
            {
                "arm": arm.name,
                "seeds": len(arm.curves),
                result.over: until,
                "final": final.mean,
                "final_half": final.half,
                "area": mean(areas.values()),
                "log_area": mean(logs.values()),
                "difference": None if verdict is None else verdict.difference.interval.mean,
                "difference_half": None if verdict is None else verdict.difference.interval.half,
                "bootstrap_low": None if resampled is None else resampled[0],
                "bootstrap_high": None if resampled is None else resampled[1],
                "p_holm": None if verdict is None else verdict.p_adjusted,
                "p_wilcoxon": None if verdict is None else verdict.difference.p_wilcoxon,
                "saving": None if saved is None else saved.interval.mean,
                "saving_seeds": None if saved is None else saved.interval.n,
            }
        )
        share = result.share_of_full_pool(arm, until)
        if share is not None:
            rows[-1]["of_full_pool"] = share.mean
    frame = pd.DataFrame(rows)
    return frame.sort_values("area", ascending=not higher, kind="stable", ignore_index=True)


def curves_frame(result: StudyResult) -> pd.DataFrame:
    """One row an arm and number of labels: mean, interval and number of seeds."""
    labels = comparison.shared_labels(result.compared)
    rows = []
    for arm in result.compared:
        for number, interval in zip(labels, arm.mean_curve(labels), strict=True):
            if interval is not None:
                rows.append((arm.name, number, interval.mean, interval.low, interval.high, interval.n))
    for reference in result.references:
        at, value = reference.point
        rows.append((reference.arm.name, at, value.mean, value.low, value.high, value.n))
    return pd.DataFrame(rows, columns=["arm", result.over, "mean", "low", "high", "seeds"])


def frame_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV that no spreadsheet takes for formulas."""
    rows = [[None if pd.isna(value) else value for value in row] for row in frame.to_numpy(object)]
    return write_csv(rows, list(frame.columns))


def mean(values: Collection[float]) -> float | None:
    """None of nothing."""
    return sum(values) / len(values) if values else None
