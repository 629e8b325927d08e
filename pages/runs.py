"""All runs: learning curves of runs whose names begin alike, labelled by any option, and their averages."""

from __future__ import annotations

import streamlit as st

from al_core.config import options
from al_core.results import comparison
from al_core.results.averages import averages_frame, results_json, runs_frame
from al_core.results.axes import AXES
from al_core.results.export import safe_name
from al_core.results.figures.comparison import comparison_figure
from al_core.results.figures.sheets import Sheet
from al_core.results.runs import Group
from al_core.results.study import StudyResult
from al_core.results.study_tables import frame_csv
from al_core.words import told, tr, tr_n
from pages.components.compare_axis import over_choice, price_fields
from pages.components.compare_results import left_out, summary_table
from pages.components.empty_state import HOME, SET_UP, Way, empty_state
from pages.components.figure_menu import figure_menu
from state import handles, outputs, run_groups, session
from state.text import plain

_MOST_RUNS = 2000
_MOST_CURVES = 24
_STILL = {"displayModeBar": False}
Runs = tuple[tuple[str, int], ...]


def _choice() -> tuple[str, tuple[str, ...]]:
    """The beginning of the names, and the options that label a curve."""
    titles = {option.path: tr(option.label) for option in options() if option.path != "name"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        prefix = st.text_input(
            tr("Names that begin with"),
            key="runs-prefix",
            bind="query-params",
            placeholder=tr("any name"),
            width=280,
        )
        labels = st.multiselect(
            tr("Label curves by"), list(titles), format_func=lambda path: titles[path], key="runs-labels",
            placeholder=tr("what differs"), width=380,
            help=tr("Runs that differ in nothing but the seed are one curve: their mean, with its interval."),
        )  # fmt: skip
    return prefix, tuple(labels)


def _curves(runs: Runs, labels: tuple[str, ...], prefix: str) -> StudyResult:
    """Draw the curves; gives the settled result that their means are of."""
    offered = run_groups.result(runs, labels, None, "labels", None).offered
    titles = {tr(metric.title): metric.key for metric in offered}
    title = st.segmented_control(
        tr("Metric"), list(titles), default=next(iter(titles), None), required=True, key="runs-metric",
        label_visibility="collapsed",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        over = over_choice("runs-over")
        log = st.toggle(tr("Log x"), key="runs-log")
        singles = st.toggle(tr("Single runs"), key="runs-singles")
    everything = run_groups.result(runs, labels, titles.get(title or ""), over, price_fields(over, "runs"))
    result = everything.settled
    shown = singles or result.num_seeds < 2
    dark = st.context.theme.type == "dark"
    st.plotly_chart(
        comparison_figure(result, everything, log=log, singles=shown, dark=dark),
        key="runs-curves",
        config=_STILL,
        alt=tr(
            "{title} of each configuration, mean of its seeds with the 95 % interval.",
            title=tr(result.metric.title),
        ),
    )
    sheet = Sheet(
        "curves", tr("{metric} by {axis}", metric=tr(result.metric.title), axis=tr(AXES[over].title)),
        lambda dark: comparison_figure(result, everything, log=log, singles=shown, dark=dark),
    )  # fmt: skip
    figure_menu(sheet, key="runs-curves", note=prefix)
    return result


def _words(result: StudyResult) -> None:
    if result.num_seeds < comparison.FEW_SEEDS:
        st.badge(tr("indicative"), icon=":material/warning:", color="orange")
        st.caption(tr("With fewer than {fewest} seeds a ranking can turn over.", fewest=comparison.FEW_SEEDS))
    if result.unfinished:
        st.caption(plain(told(result.unfinished)))
    left_out(result)
    for verdict in result.verdicts[:8]:
        st.markdown(plain(told(verdict.text)))


def _downloads(found: tuple[Group, ...], result: StudyResult, labels: tuple[str, ...], prefix: str) -> None:
    name = prefix or tr("all runs")
    stem = safe_name(name).replace(" ", "-").lower()
    ids = [run.id for group in found for run in group.runs.values()]
    with st.container(horizontal=True, gap="small", key="runs-downloads"):
        st.download_button(
            tr("Report"), lambda: outputs.report(ids, metric=result.metric.key, labels=labels, title=name),
            file_name=f"{stem}.html", mime="text/html", icon=":material/article:", type="primary",
            on_click="ignore", key="runs-get-report", disabled=len(ids) < 2,
            help=tr("One page with verdicts, figures and tables; it needs no network, and prints."),
        )  # fmt: skip
        st.download_button(
            tr("Results"), lambda: results_json(found, name), file_name=f"{stem}-results.json",
            mime="application/json", icon=":material/download:", on_click="ignore", key="runs-get-results",
            help=tr("Every configuration with its runs, rounds and averages."),
        )  # fmt: skip
        st.download_button(
            tr("Averages"), lambda: frame_csv(averages_frame(found)), file_name=f"{stem}-averages.csv",
            mime="text/csv", icon=":material/table:", on_click="ignore", key="runs-get-averages",
            help=tr("Mean and sample deviation over the seeds."),
        )  # fmt: skip
        st.download_button(
            tr("Rounds"),
            lambda: frame_csv(runs_frame(found)),
            file_name=f"{stem}-rounds.csv",
            mime="text/csv",
            icon=":material/table:",
            on_click="ignore",
            key="runs-get-rounds",
            help=tr("A row a run and round."),
        )


def _averages(found: tuple[Group, ...], result: StudyResult) -> None:
    metric = result.metric
    frame = averages_frame(found)
    mean, deviation = f"{metric.key}_mean", f"{metric.key}_deviation"
    if mean not in frame:
        return
    number = st.column_config.NumberColumn
    form = "percent" if metric.share else "%.4f"
    st.dataframe(
        frame,
        hide_index=True,
        column_order=["configuration", "labels", "seeds", mean, deviation],
        alt=tr("Mean and sample deviation of each configuration by labels."),
        column_config={
            "configuration": st.column_config.TextColumn(tr("Configuration"), pinned=True),
            "labels": number(tr("Labels"), format="localized"),
            "seeds": tr("Seeds"),
            mean: number(tr(metric.title), format=form),
            deviation: number(
                tr("Deviation"), format=form, help=tr("Of the sample (n - 1), over the seeds.")
            ),
        },
    )


def _page() -> None:
    prefix, labels = _choice()
    runs = run_groups.found(prefix)
    if not runs and prefix:
        st.info(tr("No run with a round has a name that begins so."), icon=":material/search_off:")
        st.button(tr("Show all runs"), icon=":material/filter_alt_off:", key="runs-clear", on_click=_any_name)
        return
    if not runs:
        promise = tr("Curves of all runs are drawn here, from the first one's first training on.")
        empty_state(tr("No round is done yet."), promise, _TRAIN, SET_UP, key="runs-empty")
        return
    if len(runs) > _MOST_RUNS:
        st.warning(
            tr("{runs:,} runs; the {most:,} newest are shown.", runs=len(runs), most=_MOST_RUNS),
            icon=":material/filter_alt:",
        )
        runs = runs[-_MOST_RUNS:]
    found = run_groups.configurations(runs, labels)
    kept = sum(len(group.runs) for group in found)
    repeated = (
        " " + tr("{count} older runs of the same seed are left out.", count=len(runs) - kept)
        if kept < len(runs)
        else ""
    )
    st.caption(
        tr(
            "{runs} of {configurations}.{repeated}",
            runs=tr_n("{n} run", "{n} runs", kept),
            configurations=tr_n("{n} configuration", "{n} configurations", len(found)),
            repeated=repeated,
        )
    )
    if len(found) > _MOST_CURVES:
        st.info(
            tr("{count} configurations: a longer beginning of the names shows fewer.", count=len(found)),
            icon=_FILTER,
        )
        found_ids = {run.id for group in found[-_MOST_CURVES:] for run in group.runs.values()}
        runs = tuple(pair for pair in runs if pair[0] in found_ids)
        found = run_groups.configurations(runs, labels)
    result = _curves(runs, labels, prefix)
    _words(result)
    _downloads(found, result, labels, prefix)
    averages, summary = st.tabs([tr("Averages"), tr("Summary")], key="runs-view", on_change="rerun")
    if averages.open:
        with averages:
            _averages(found, result)
    if summary.open:
        with summary:
            summary_table(result)


def _any_name() -> None:
    st.session_state["runs-prefix"] = ""


_FILTER = ":material/filter_alt:"
_TRAIN = Way(tr("Watch the training"), ":material/model_training:", "train")
_STUDY = Way(tr("Compare strategies"), ":material/balance:", "compare")

session.guard()
st.title(tr("All runs"), anchor=False)
if handles.store().experiments(cells=True):
    _page()
else:
    promise = tr("Curves of all runs are drawn here, once there is one: from here, or from the command line.")
    empty_state(tr("There is no run yet."), promise, SET_UP, _STUDY, HOME, key="runs-empty")
