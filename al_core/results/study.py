"""A study's cells as arms, tables and a text that says what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import pandas as pd

from al_core.records import ExperimentRecord, ExperimentStatus, RoundRecord
from al_core.results import comparison
from al_core.results.analysis import METRICS, Curve, Metric, measured
from al_core.results.comparison import Arm, Interval, Verdict
from al_core.results.export import write_csv
from al_core.store.base import Store
from al_core.study import Arm as StudyArm
from al_core.study import StudyConfig


@dataclass(frozen=True)
class StudyResult:
    """What the store holds of a study for one metric: arms in the study's order, measured or not."""

    study_id: str
    name: str
    metric: Metric
    arms: tuple[Arm, ...]
    strategies: tuple[str, ...]  # that decides each arm's look
    offered: tuple[Metric, ...] = ()  # what else was measured
    finished: frozenset[str] = frozenset()  # arms that have finished any seed
    done: frozenset[int] = frozenset()  # seeds that all of those have finished

    def strategy(self, name: str) -> str:
        """The strategy of the arm of that name."""
        return next(s for arm, s in zip(self.arms, self.strategies, strict=True) if arm.name == name)

    @cached_property
    def settled(self) -> StudyResult:
        """Only the seeds that are done: what a study that still runs can be judged by; all where none is."""
        if not self.done:
            return self
        kept = {arm.name: self.done if arm.name in self.finished else () for arm in self.arms}
        return replace(
            self,
            arms=tuple(
                Arm(arm.name, {seed: c for seed, c in arm.curves.items() if seed in kept[arm.name]})
                for arm in self.arms
            ),
        )

    @property
    def measured(self) -> list[Arm]:
        """Arms that have a point at least."""
        return [arm for arm in self.arms if any(len(c.labels) for c in arm.curves.values())]

    @property
    def baseline(self) -> Arm | None:
        """The arm that others are compared with: random where it is one, else the first."""
        known = self.measured
        return next(
            (
                arm
                for arm, s in zip(self.arms, self.strategies, strict=True)
                if s == "random" and arm in known
            ),
            known[0] if known else None,
        )

    @property
    def num_seeds(self) -> int:
        """Seeds that every measured arm has."""
        return min((len(arm.curves) for arm in self.measured), default=0)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Every arm against the baseline."""
        base = self.baseline
        if base is None:
            return []
        return comparison.verdicts(self.measured, base, higher_is_better=self.metric.higher_is_better)

    @cached_property
    def at_the_top(self) -> Verdict | None:
        """The best arm against the second best, where neither is the baseline (that is among `verdicts`)."""
        higher, judged = self.metric.higher_is_better, self.verdicts
        if len(judged) < 2 or (judged[0].difference.interval.mean > 0) is not higher:
            return None
        known = {arm.name: arm for arm in self.measured}
        first, second = (known[verdict.arm] for verdict in judged[:2])
        return comparison.verdicts([first], second, higher_is_better=higher)[0]


def study_result(
    store: Store,
    study_id: str,
    metric: str | None = None,
    *,
    over: Literal["labels", "seconds"] = "labels",
    title: Callable[[StudyArm], str] = lambda arm: arm.title,
    rounds_of: Callable[[ExperimentRecord], Sequence[RoundRecord]] | None = None,
) -> StudyResult:
    """Read a study's rounds; the first metric that was measured where none is named.

    `title` names the arms; `rounds_of` reads a cell's rounds in the store's place (from a cache).
    """
    record = store.study(study_id)
    config = StudyConfig.from_json(record.config)
    known = {e.cell: e for e in store.study_experiments(study_id)}
    rounds = {n: rounds_of(e) if rounds_of else store.rounds(e.id) for n, e in known.items()}
    offered = measured([r for some in rounds.values() for r in some]) or METRICS[:1]
    chosen = next((m for m in offered if m.key == metric), offered[0])
    curves: dict[str, dict[int, Curve]] = {}
    strategies: dict[str, str] = {}
    finished: dict[str, set[int]] = {}
    for cell in config.cells():
        name = title(cell.arm)
        strategies[name] = cell.config.query.strategy
        curve = Curve.of(rounds.get(cell.number, []), chosen.key, over)
        by_seed = curves.setdefault(name, {})
        if len(curve.labels):
            by_seed[cell.seed] = curve
        if cell.number in known and known[cell.number].status is ExperimentStatus.FINISHED:
            finished.setdefault(name, set()).add(cell.seed)
    return StudyResult(
        study_id, record.name, chosen, tuple(Arm(name, by_seed) for name, by_seed in curves.items()),
        tuple(strategies.values()), offered, frozenset(finished),
        frozenset(set.intersection(*finished.values()) if finished else ()),
    )  # fmt: skip


def summary_frame(result: StudyResult) -> pd.DataFrame:
    """One row an arm, best area first: seeds, final value, areas, difference to the baseline, saving."""
    arms, base = result.measured, result.baseline
    labels = comparison.shared_labels(arms)
    if base is None or not labels:
        return pd.DataFrame()
    until = labels[-1]
    judged = {verdict.arm: verdict for verdict in result.verdicts}
    higher = result.metric.higher_is_better
    rows = []
    for arm in arms:
        areas = arm.values(lambda curve: comparison.area(curve, until))
        logs = arm.values(lambda curve: comparison.area(curve, until, log=True))
        final = comparison.mean_interval(list(arm.values(lambda curve: curve.at(until)).values()))
        verdict = judged.get(arm.name)
        saved = None if arm is base else comparison.saving(arm, base, higher_is_better=higher)
        rows.append(
            {
                "arm": arm.name,
                "seeds": len(arm.curves),
                "labels": until,
                "final": final.mean,
                "final_half": final.half,
                "area": _mean(areas.values()),
                "log_area": _mean(logs.values()),
                "difference": None if verdict is None else verdict.difference.interval.mean,
                "difference_half": None if verdict is None else verdict.difference.interval.half,
                "p_holm": None if verdict is None else verdict.p_adjusted,
                "p_wilcoxon": None if verdict is None else verdict.difference.p_wilcoxon,
                "saving": None if saved is None else saved.interval.mean,
            }
        )
    frame = pd.DataFrame(rows)
    return frame.sort_values("area", ascending=not higher, kind="stable", ignore_index=True)


def curves_frame(result: StudyResult) -> pd.DataFrame:
    """One row an arm and number of labels: mean, interval and number of seeds."""
    labels = comparison.shared_labels(result.measured)
    rows = []
    for arm in result.measured:
        for number, interval in zip(labels, arm.mean_curve(labels), strict=True):
            if interval is not None:
                rows.append((arm.name, number, interval.mean, interval.low, interval.high, interval.n))
    return pd.DataFrame(rows, columns=["arm", "labels", "mean", "low", "high", "seeds"])


def frame_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV that no spreadsheet takes for formulas."""
    rows = [[None if pd.isna(value) else value for value in row] for row in frame.to_numpy(object)]
    return write_csv(rows, list(frame.columns))


def report_text(result: StudyResult) -> str:
    """Markdown: what was measured, the verdicts, the table and the curve's points."""
    metric = result.metric
    lines = [f"# {result.name}", "", f"{metric.title}: {metric.meaning}", ""]
    if result.num_seeds < comparison.FEW_SEEDS:
        lines += [f"Indicative only: {result.num_seeds} seeds; {comparison.FEW_SEEDS} are the least.", ""]
    lines += [f"- {verdict.text}" for verdict in result.verdicts] + [""]
    frame = summary_frame(result)
    if len(frame):
        lines += _table(
            ("arm", "seeds", f"at {frame['labels'].iloc[0]:,.0f} labels", "area", "log area",
             "area − baseline, paired", "p (Holm)", "labels saved"),
            [
                (
                    row["arm"], str(row["seeds"]), _pair(row["final"], row["final_half"]),
                    _number(row["area"], ".4f"), _number(row["log_area"], ".4f"),
                    _pair(row["difference"], row["difference_half"], "+.4f"),
                    _number(row["p_holm"], ".3f"), _number(row["saving"], ".0%"),
                )
                for row in frame.to_dict("records")
            ],
        )  # fmt: skip
        lines += ["", "± is half the 95 % interval (Student's t over seeds)."]
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)
    ]  # fmt: skip


def _mean(values: object) -> float | None:
    numbers = list(values)  # pyright: ignore[reportArgumentType]
    return float(sum(numbers) / len(numbers)) if numbers else None


def _number(value: float | None, form: str) -> str:
    return "–" if value is None or pd.isna(value) else format(value, form)


def _pair(mean: float | None, half: float | None, form: str = ".4f") -> str:
    if mean is None or pd.isna(mean):
        return "–"
    shown = format(mean, form)
    return shown if half is None or pd.isna(half) else f"{shown} ± {half:.4f}"


def shown(interval: Interval | None, metric: Metric) -> str:
    """A mean with its interval, for a person."""
    if interval is None:
        return "–"
    half = interval.half
    return metric.text(interval.mean) + ("" if half is None else f" ± {metric.difference(half).lstrip('+')}")
