"""What a study says as text: a report in Markdown, and the sentences and cells that others share with it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from al_core.results import comparison
from al_core.results.analysis import Metric
from al_core.results.axes import AXES, Over
from al_core.results.comparison import Interval
from al_core.results.references import Reference
from al_core.results.study import StudyResult
from al_core.results.study_tables import summary_frame
from al_core.words import english, noted, told, tr, tr_n


@english()
def report_text(result: StudyResult) -> str:
    """Markdown, of a settled result: what was measured, the verdicts, the table and the curve's points."""
    metric = result.metric
    lines = [f"# {result.name}", "", f"{metric.title}: {metric.meaning}", ""]
    if result.unfinished:
        lines += [result.unfinished, ""]
    if result.num_seeds < comparison.FEW_SEEDS:
        lines += [f"Indicative only: {result.num_seeds} seeds; {comparison.FEW_SEEDS} are the least.", ""]
    lines += [line for words in result.caveats for line in (f"Warning: {words}", "")]
    if result.looks is not None:
        lines += [looks_words(*result.looks), ""]
    lines += [f"- {verdict.text}" for verdict in result.verdicts] + [""]
    lines += [line for words in result.left_out for line in (words, "")]
    if words := reference_words(result):
        lines += [*(f"- {line}" for line in words), ""]
    frame = summary_frame(result)
    shares = "of_full_pool" in frame
    if len(frame):
        axis = AXES[result.over]
        lines += [line for words in ceiling_words(result) for line in (words, "")]
        lines += table(
            ("arm", "seeds", f"at {axis.text(frame[result.over].iloc[0])}", "area", "log area",
             "area − baseline, paired", "bootstrap", "p (Holm)", f"{result.over} saved",
             *(("of the full pool",) if shares else ())),
            [
                (
                    row["arm"], str(row["seeds"]), pair(row["final"], row["final_half"]),
                    number(row["area"], ".4f"), number(row["log_area"], ".4f"),
                    pair(row["difference"], row["difference_half"], "+.4f"),
                    _range(row["bootstrap_low"], row["bootstrap_high"]),
                    number(row["p_holm"], ".3f"), saving_text(row["saving"], row["saving_seeds"]),
                    *((number(row["of_full_pool"], ".1%"),) if shares else ()),
                )
                for row in frame.to_dict("records")
            ],
        )  # fmt: skip
        lines += ["", "± is half the 95 % interval (Student's t over seeds); bootstrap: percentiles."]
    return "\n".join(lines) + "\n"


def ceiling_words(result: StudyResult) -> list[str]:
    """Whether curves are cut where all have come to a ceiling; nothing where none is set."""
    if result.ceiling is None or not result.places:
        return []
    end, top = AXES[result.over].text(result.places[-1]), result.metric.text(result.ceiling)
    if result.cut:
        text = noted("Compared up to {end}: beyond, every mean is within 1 % of {top}.")
    else:
        text = noted("Nothing is cut: before {end} not every mean is within 1 % of {top}.")
    return [tr(text, end=end, top=top)]


def reference_words(result: StudyResult) -> list[str]:
    """What the baselines that train once gave, and how near the best arm has come to the whole pool."""
    metric, axis = result.metric, AXES[result.over]
    words = passive_words(result.references, metric, result.over)
    places = result.places
    shares = [
        (share.mean, arm.name)
        for arm in result.compared
        if places and (share := result.share_of_full_pool(arm, places[-1])) is not None
    ]
    if shares:
        share, name = max(shares)
        values = {"name": name, "share": 100 * share, "place": axis.text(places[-1])}
        words.append(tr("{name} reaches {share:.1f} % of the full pool with {place}.", **values))
    return words


def passive_words(
    references: Sequence[Reference], metric: Metric, over: Over = "labels", *, seeds: bool = True
) -> list[str]:
    """'Full pool: 93.1 % ± 0.4 points with 1,297 labels (5 seeds).', one for each."""
    words = []
    for reference in references:
        at, value = reference.point
        name, place = told(reference.arm.name), AXES[over].text(at)
        values = {"name": name, "value": shown(value, metric), "place": place}
        if seeds:
            text = tr_n(
                "{name}: {value} with {place} ({n} seed).", "{name}: {value} with {place} ({n} seeds).",
                value.n, **values
            )  # fmt: skip
        else:
            text = tr("{name}: {value} with {place}.", **values)
        words.append(text)
    return words


def looks_words(first: int, most: int) -> str:
    """What a study that goes on until it is clear owes to its reader."""
    return (
        f"Seeds are added until every difference is clear, {most} at most. Verdicts, p and the intervals of "
        f"differences make good for a look after every seed from {first} on (Pocock, 1977)."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return [
        f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)
    ]  # fmt: skip


def number(value: float | None, form: str) -> str:
    """A cell; a dash for nothing."""
    return "–" if value is None or pd.isna(value) else format(value, form)


def saving_text(share: float | None, seeds: float | None) -> str:
    """A share saved, and how many seeds it is the mean of."""
    if share is None or seeds is None or pd.isna(share):
        return "–"
    return f"{share:.0%} ({seeds_text(int(seeds))})"


def seeds_text(n: int) -> str:
    """'5 seeds', in a report."""
    return f"{n} seed{'s' * (n != 1)}"


def _range(low: float | None, high: float | None) -> str:
    return "–" if low is None or pd.isna(low) else f"{low:+.4f} to {high:+.4f}"


def pair(mean: float | None, half: float | None, form: str = ".4f") -> str:
    """A cell with its ±."""
    if mean is None or pd.isna(mean):
        return "–"
    shown = format(mean, form)
    return shown if half is None or pd.isna(half) else f"{shown} ± {half:.4f}"


def shown(interval: Interval | None, metric: Metric) -> str:
    """A mean with its interval, for a person."""
    if interval is None:
        return "–"
    half = interval.half
    return metric.text(interval.mean) + ("" if half is None else f" ± {metric.size(half)}")
