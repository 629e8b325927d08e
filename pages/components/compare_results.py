"""What a study says: the verdicts in words first, then the curves, then the numbers behind both."""

from __future__ import annotations

from typing import Any

import streamlit as st

from al_core.results import comparison
from al_core.results.comparison import Verdict
from al_core.results.figures.comparison import Over, comparison_figure, penalty_figure
from al_core.results.study import StudyResult, summary_frame
from state import studies
from state.studies import StudyView
from state.text import plain

_STILL = {"displayModeBar": False}


def compare_results(study: StudyView, *, dark: bool) -> StudyResult:
    """Draw verdicts and curves; gives the settled result that they were drawn from."""
    offered = studies.result(study, None).offered
    titles = {metric.title: metric.key for metric in offered}
    verdicts = st.container(gap="xsmall", key="study-verdicts")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="study-switches"):
        title = st.segmented_control(
            "Metric", list(titles), default=next(iter(titles), None), required=True, key="study-metric",
            label_visibility="collapsed",
        )  # fmt: skip
        over: Over = "seconds" if st.toggle("Over seconds", key="study-over", help=_SECONDS) else "labels"
        log = st.toggle("Log x", key="study-log")
        singles = st.toggle("Single seeds", key="study-singles")
    metric = titles.get(title or "")
    result = studies.result(study, metric)
    settled = result.settled
    with verdicts:
        _verdicts(study, settled)
    drawn = result if over == "labels" else studies.result(study, metric, over)
    figure = comparison_figure(
        drawn.settled, drawn, over=over, log=log, singles=singles or study.active, dark=dark
    )
    st.plotly_chart(
        figure, key="study-curves", config=_STILL,
        alt=f"{result.metric.title} by strategy, mean of the seeds with its 95 % interval.",
    )  # fmt: skip
    return settled


_SECONDS = "Training, evaluating and choosing, added up to each value. Runs beside each other slow down."


def _verdicts(study: StudyView, settled: StudyResult) -> None:
    found = settled.verdicts
    if not settled.done and (study.active or study.count("paused")):
        st.info(
            "No seed is finished in every strategy yet: single runs are drawn as they land, and the "
            "verdict comes with the first whole seed.",
            icon=":material/hourglass_top:",
        )
        return
    if not found:
        text = "A verdict takes two strategies with finished runs of the same seed."
        st.info(text, icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        planned, done = len(study.config.seeds), settled.num_seeds
        seeds = f"{done} of {planned} seeds" if done < planned else f"{done} seed{'s' * (done > 1)}"
        seeds += " so far, paired" if study.active else ", paired"
        if settled.num_seeds < comparison.FEW_SEEDS:
            st.badge("indicative", icon=":material/warning:", color="orange")
            seeds += f"; with fewer than {comparison.FEW_SEEDS} seeds a ranking can turn over"
        st.caption(seeds)
    for verdict in found:
        st.markdown(_line(verdict, settled))
    top = settled.at_the_top
    if top is not None:
        st.markdown(_line(top, settled))


def _line(verdict: Verdict, result: StudyResult) -> str:
    gap, metric = verdict.difference.interval, result.metric
    clear = verdict.p_adjusted is not None and verdict.p_adjusted < 1 - comparison.CONFIDENCE
    better = (gap.mean > 0) is metric.higher_is_better
    mark = ":gray[:material/drag_handle:]"
    if clear:
        mark = ":green[:material/arrow_upward:]" if better else ":red[:material/arrow_downward:]"
    half = "" if gap.half is None else f" ± {metric.difference(gap.half).lstrip('+')}"
    p = "" if verdict.p_adjusted is None else f", p {_p(verdict.p_adjusted)}"
    numbers = f"{metric.difference(gap.mean).removesuffix(' points')}{half} over the whole curve{p}"
    text = f"**{plain(verdict.text)}**" if clear else plain(verdict.text)
    return f"{mark} {text} :small[{plain(numbers)}]"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def summary_table(result: StudyResult) -> None:
    """The numbers behind the verdicts, the best area first."""
    frame = summary_frame(result)
    if frame.empty:
        st.info("The table comes with the first seed that is finished in every strategy.")
        return
    metric, base = result.metric, result.baseline
    form: Any = "percent" if metric.share else "%.3f"
    scale = 100 if metric.share else 1
    points = "points" if metric.share else metric.title.lower()
    until = frame["labels"].iloc[0]
    for column in ("difference", "difference_half", "final_half"):
        frame[column] = scale * frame[column].astype(float)
    number = st.column_config.NumberColumn
    name = base.name if base else ""
    st.dataframe(
        frame.drop(columns="labels"),
        hide_index=True,
        alt="Summary: one row a strategy.",
        column_config={
            "arm": st.column_config.TextColumn("Strategy", pinned=True),
            "seeds": number("Seeds", width="small"),
            "final": number(f"At {until:,.0f} labels", format=form),
            "final_half": number("±", format="%.2f", help=f"Half the 95 % interval, {points}"),
            "area": number("Mean height", format=form, help="Area under the curve over its range of labels"),
            "log_area": number("Mean height, log x", format=form, help="Early labels weigh as much"),
            "difference": number(f"Against {name}", format="%+.2f", help=f"Paired, mean height, {points}"),
            "difference_half": number("± ", format="%.2f", help="Half the 95 % interval"),
            "p_holm": number("p, Holm", format="%.3f", help="Paired t, corrected for several strategies"),
            "p_wilcoxon": number("p, Wilcoxon", format="%.3f", help="With five seeds 0.0625 is the least"),
            "saving": number(
                "Labels saved", format="percent", help=f"At the last value that {name} reaches itself"
            ),
        },
    )


def penalty_panel(result: StudyResult, *, dark: bool) -> None:
    """Who clearly loses to whom, and at how many budgets."""
    arms = result.measured
    labels = comparison.shared_labels(arms)
    if len(arms) < 2 or result.num_seeds < 2:
        st.info("This takes two strategies and two seeds that are finished.")
        return
    matrix = comparison.penalty_matrix(arms, labels, higher_is_better=result.metric.higher_is_better)
    chart, words = st.columns([1.7, 1], gap="large")
    with chart:
        figure = penalty_figure(matrix, [arm.name for arm in arms], dark=dark)
        st.plotly_chart(figure, key="study-penalty", config=_STILL, alt="Who loses to whom, in per cent.")
    with words:
        best = min(range(len(arms)), key=lambda i: matrix[i].sum())
        st.markdown(f"**{plain(arms[best].name)}** loses least.")
        st.caption(
            f"Per cent of the {len(labels)} budgets at which the row's strategy clearly loses to the "
            "column's: paired t over the seeds, p below 0.05, at each budget by itself (not corrected)."
        )
