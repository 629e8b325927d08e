"""What a study says: the verdicts in words first, then the curves, then the numbers behind both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from al_core.results import anchors, comparison
from al_core.results.axes import AXES
from al_core.results.comparison import Verdict
from al_core.results.figures.comparison import comparison_figure, penalty_figure
from al_core.results.figures.published import add_published
from al_core.results.figures.sheets import Sheet
from al_core.results.looks import MOST_SEEDS
from al_core.results.study import StudyResult
from al_core.results.study_tables import summary_frame
from al_core.results.study_text import ceiling_words, reference_words
from al_core.results.verdict_words import Tone, numbers, tone
from al_core.sequential import usual_cap
from al_core.words import told, tr, tr_n
from pages.components.compare_axis import ceiling_field, over_choice, price_fields
from pages.components.figure_menu import figure_menu
from pages.components.published import published_notes, published_toggle
from state import studies
from state.studies import StudyView
from state.text import plain

_STILL = {"displayModeBar": False}


def compare_results(study: StudyView, *, dark: bool) -> tuple[StudyResult, str | None]:
    """Draw verdicts and curves; gives the settled result that they were drawn from, and its metric's key."""
    offered = studies.result(study, None).offered
    titles = {tr(metric.title): metric.key for metric in offered}
    verdicts = st.container(gap="xsmall", key="study-verdicts")
    title = st.segmented_control(
        tr("Metric"), list(titles), default=next(iter(titles), None), required=True, key="study-metric",
        label_visibility="collapsed",
    )  # fmt: skip
    metric = titles.get(title or "")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="study-switches"):
        over = over_choice("study-over")
        log = st.toggle(tr("Log x"), key="study-log")
        singles = st.toggle(tr("Single seeds"), key="study-singles")
        cut = st.toggle(tr("Cut the saturated end"), key="study-cut")
        published = over == "labels" and metric == anchors.METRIC and published_toggle("study-published")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="study-fields"):
        prices = price_fields(over, "study")
        ceiling = ceiling_field(studies.result(study, metric)) if cut else None
    result = studies.result(study, metric, over, prices, ceiling)
    settled = result.settled
    if words := ceiling_words(settled):
        st.caption(plain(" ".join(words)))
    with verdicts:
        _verdicts(study, settled)
    found = studies.published(study, settled) if published else []
    every = singles or study.active

    def draw(dark: bool) -> go.Figure:
        figure = comparison_figure(settled, result, log=log, singles=every, dark=dark)
        add_published(figure, found, dark=dark)
        return figure

    st.plotly_chart(
        draw(dark),
        key="study-curves",
        config=_STILL,
        alt=tr(
            "{title} by strategy, mean of the seeds with its 95 % interval.", title=tr(result.metric.title)
        ),
    )
    if published:
        published_notes(found)
    sheet = Sheet(
        "curves",
        tr("{metric} by {axis}", metric=tr(result.metric.title), axis=tr(AXES[result.over].title)),
        draw,
    )
    figure_menu(sheet, key="study-curves", note=study.record.name)
    return settled, metric


def _verdicts(study: StudyView, settled: StudyResult) -> None:
    found = settled.verdicts
    if not settled.done and (study.active or study.count("paused")):
        st.info(
            tr(
                "No seed is finished in every strategy yet: single runs are drawn as they land, and "
                "the verdict comes with the first whole seed."
            ),
            icon=":material/hourglass_top:",
        )
        return
    left_out(settled)
    if settled.apart:
        return
    if not found:
        text = tr("A verdict takes two strategies with finished runs of the same seed.")
        st.info(text, icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        planned, done = len(study.config.seeds), settled.num_seeds
        if done < planned and study.active:
            said = [tr("{done} of {planned} seeds so far, paired", done=done, planned=planned)]
        elif done < planned:
            said = [tr("{done} of {planned} seeds, paired", done=done, planned=planned)]
        elif study.active:
            said = [tr_n("{n} seed so far, paired", "{n} seeds so far, paired", done)]
        else:
            said = [tr_n("{n} seed, paired", "{n} seeds, paired", done)]
        if settled.looks is not None:
            first, last = settled.looks
            said.append(
                tr("allows for a look after every seed from {first} to {last}", first=first, last=last)
            )
        if settled.num_seeds < comparison.FEW_SEEDS:
            st.badge(tr("indicative"), icon=":material/warning:", color="orange")
            said.append(
                tr("with fewer than {fewest} seeds a ranking can turn over", fewest=comparison.FEW_SEEDS)
            )
        st.caption("; ".join(said))
    for words in settled.caveats:
        st.warning(plain(told(words)), icon=":material/warning:")
    for verdict in found:
        st.markdown(_line(verdict, settled))
    top = settled.at_the_top
    if top is not None:
        st.markdown(_line(top, settled))
    if words := reference_words(settled):
        st.caption(plain(" ".join(words)))
    if studies.may_add_seeds(study, settled):
        _add_seeds(study)


def left_out(result: StudyResult) -> None:
    """Say which strategies are not compared, and why."""
    for words in result.left_out:
        st.info(plain(told(words)), icon=":material/info:")


def _add_seeds(study: StudyView) -> None:
    """Go on until it is clear: the cap is named once, as moving it after a look would break the promise."""
    config = study.config
    fixed = config.most_seeds is not None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="study-add"):
        st.number_input(
            tr("Seeds at most"), len(config.seeds) + (not fixed), MOST_SEEDS,
            config.most_seeds or max(usual_cap(len(config.seeds)), len(config.seeds) + 1),
            key=f"study-most-{study.record.id}", disabled=fixed, width=140,
        )  # fmt: skip
        st.button(
            tr("Add seeds until it is clear"), icon=":material/add:", key="study-add-seeds", help=_ADDING,
            on_click=_go_on, args=(study.record.id,),
        )  # fmt: skip


def _go_on(study_id: str) -> None:
    studies.add_seeds(study_id, int(st.session_state[f"study-most-{study_id}"]))


_ADDING = tr(
    "Adds whole seeds, one by one, until every strategy is told apart from the baseline or the cap "
    "is reached, also with this page closed. p and intervals then make good for a look after every "
    "seed (Pocock, 1977), so they are stricter from now on. The look that was there already is not "
    "made good for: a study that is begun with its cap (study --until-clear) errs in 5 % at most."
)


def _line(verdict: Verdict, result: StudyResult) -> str:
    taken, text = tone(verdict, result), plain(told(verdict.text))
    text = text if taken == "even" else f"**{text}**"
    return f"{_MARKS[taken]} {text} :small[{plain(numbers(verdict, result))}]"


_MARKS: Final[dict[Tone, str]] = {
    "good": ":green[:material/arrow_upward:]",
    "bad": ":red[:material/arrow_downward:]",
    "even": ":gray[:material/drag_handle:]",
}


_COLUMNS = (
    "arm", "seeds", "final", "final_half", "of_full_pool", "area", "log_area", "difference",
    "difference_half", "saving", "saving_seeds", "p_holm", "p_wilcoxon", "bootstrap_low", "bootstrap_high",
)  # fmt: skip


def summary_table(result: StudyResult) -> None:
    """The numbers behind the verdicts, the best area first."""
    frame = summary_frame(result)
    if frame.empty and result.apart:
        left_out(result)
        return
    if frame.empty:
        st.info(tr("The table comes with the first seed that is finished in every strategy."))
        return
    metric = result.metric
    form: Any = "percent" if metric.share else "%.3f"
    scale = 100 if metric.share else 1
    points = tr("points") if metric.share else tr(metric.title).lower()
    until = AXES[result.over].text(frame[result.over].iloc[0])
    for column in ("difference", "difference_half", "final_half", "bootstrap_low", "bootstrap_high"):
        frame[column] = scale * frame[column].astype(float)
    number = st.column_config.NumberColumn
    name = result.baseline_title
    st.dataframe(
        frame.drop(columns=result.over),
        hide_index=True,
        alt=tr("Summary: one row a strategy."),
        column_order=[column for column in _COLUMNS if column in frame],
        column_config={
            "arm": st.column_config.TextColumn(tr("Strategy"), pinned=True),
            "seeds": number(tr("Seeds"), width="small"),
            "final": number(tr("At {until}", until=until), format=form),
            "final_half": number(
                "±", format="%.2f", help=tr("Half the 95 % interval, {points}", points=points)
            ),
            "area": number(
                tr("Mean height"),
                format=form,
                help=tr("Area under the curve over the range of labels that all have"),
            ),
            "log_area": number(tr("Mean height, log x"), format=form, help=tr("Early labels weigh as much")),
            "difference": number(
                tr("Against {name}", name=name),
                format="%+.2f",
                help=tr("Paired, mean height, {points}", points=points),
            ),
            "difference_half": number("± ", format="%.2f", help=tr("Half the 95 % interval")),
            "bootstrap_low": number(
                tr("Bootstrap from"), format="%+.2f", help=tr("Of the paired difference, 95 %")
            ),
            "bootstrap_high": number(tr("to"), format="%+.2f", help=tr("Percentiles of resampled seeds")),
            "p_holm": number(
                tr("p, Holm"), format="%.3f", help=tr("Paired t, corrected for several strategies")
            ),
            "p_wilcoxon": number(
                tr("p, Wilcoxon"), format="%.3f", help=tr("With five seeds 0.0625 is the least")
            ),
            "of_full_pool": number(
                tr("Of the full pool"), format="percent", help=tr("Of what the whole pool gives")
            ),
            "saving": number(
                tr("{name} saved", name=tr(AXES[result.over].name)),
                format="percent",
                help=tr("On the way to the worse of both last values, which {name} reaches too", name=name),
            ),
            "saving_seeds": number(tr("Seeds of that"), help=tr("Seeds that the share saved is the mean of")),
        },
    )


def penalty_panel(result: StudyResult, *, dark: bool) -> None:
    """Who clearly loses to whom, and at how many budgets."""
    arms = result.compared
    labels = result.places
    if result.apart:
        left_out(result)
        return
    if len(arms) < 2 or result.num_seeds < 2:
        st.info(tr("This takes two strategies and two seeds that are finished."))
        return
    matrix = comparison.penalty_matrix(arms, labels, higher_is_better=result.metric.higher_is_better)
    chart, words = st.columns([1.7, 1], gap="large")
    with chart:
        figure = penalty_figure(matrix, [arm.name for arm in arms], dark=dark)
        st.plotly_chart(figure, key="study-penalty", config=_STILL, alt=tr("Who loses to whom, in per cent."))
        names = [arm.name for arm in arms]
        sheet = Sheet(
            "penalty", tr("Who loses to whom"), lambda dark: penalty_figure(matrix, names, dark=dark)
        )
        figure_menu(sheet, key="study-penalty", note=result.name)
    with words:
        st.markdown(least_words(names, matrix))
        st.caption(
            tr(
                "Per cent of the {labels} budgets at which the row's strategy clearly loses to the "
                "column's: paired t over the seeds, p below 0.05, at each budget by itself (not "
                "corrected).",
                labels=len(labels),
            )
        )


def least_words(names: Sequence[str], matrix: np.ndarray) -> str:
    """Who loses at the fewest budgets; several where they tie."""
    lost = matrix.sum(axis=1)
    least = [plain(name) for name, share in zip(names, lost, strict=True) if share == lost.min()]
    if len(least) == len(names):
        return tr("All lose alike.") if lost.any() else tr("Nobody clearly loses to anybody.")
    if len(least) == 1:
        return tr("**{name}** loses least.", name=least[0])
    return tr("**{names}** lose least.", names="**, **".join(least))
