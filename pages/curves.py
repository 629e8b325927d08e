"""Curves: what the labels bought, against random; by round, by class, and in numbers to take away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from al_core.experiment import Experiment
from al_core.query.bandit import CHANCE
from al_core.records import RoundRecord
from al_core.results import anchors
from al_core.results.analysis import Curve, Metric, against, measured
from al_core.results.axes import AXES, IDLE_SECONDS, Over, Prices
from al_core.results.figures.published import add_published
from al_core.results.figures.sheets import RunMaterial, learning_sheet
from al_core.results.passive import Passive
from al_core.words import tr
from pages.components.compare_axis import over_choice, price_fields
from pages.components.curve_tables import (
    arms_panel,
    class_panel,
    confusion_panel,
    held_back,
    quality_panel,
    rounds_panel,
)
from pages.components.family import family_line
from pages.components.figure_menu import figure_menu
from pages.components.forecast_panel import forecast_panel
from pages.components.live_curve import live_curve
from pages.components.no_session import no_session
from pages.components.passive_panel import passive_panel
from pages.components.published import published_notes, published_toggle
from pages.components.round_picker import round_picker
from pages.components.run_outputs import take_away_panel
from state import cache, forecasts, forks, glossary, handles, passives, session, spending
from state.text import strategy_title

_VIEWS = (tr("Rounds"), tr("Labels per class"), tr("Confusion"), tr("Each class"), tr("Take away"))
_ARMS = tr("Strategies' chances")
_FORMS: dict[Over, str] = {"labels": ",.0f", "minutes": ",.1f", "seconds": ",.0f", "money": ",.2f"}


def _metric_choice(rounds: tuple[RoundRecord, ...]) -> Metric | None:
    offered = measured(rounds)
    if not offered:
        return None
    titles = {tr(metric.title): metric for metric in offered}
    title = st.segmented_control(
        tr("Metric"),
        list(titles),
        default=tr(offered[0].title),
        required=True,
        key="metric",
        bind="query-params",
        label_visibility="collapsed",
    )
    return titles.get(title or "", offered[0])


def _tiles(
    experiment: Experiment,
    rounds: tuple[RoundRecord, ...],
    random: tuple[RoundRecord, ...],
    metric: Metric,
    over: Over,
    prices: Prices | None,
) -> None:
    own = Curve.of(rounds, metric.key, spending.own(experiment.record, rounds, over, prices))
    theirs = Curve.of(random, metric.key, spending.baseline(experiment.record, random, over, prices))
    found = against(own, theirs, higher_is_better=metric.higher_is_better)
    values = own.values.tolist()
    change = values[-1] - values[-2] if len(values) > 1 else None
    color = "normal" if metric.higher_is_better else "inverse"
    interval = held_back(rounds[-1]) if metric.key == "holdback_accuracy" else None
    budget = experiment.config.stop.budget
    waiting = experiment.record.num_labeled - rounds[-1].num_labeled
    words = [f"of {budget:,}"] if budget is not None else []
    words += [tr("{waiting} more since", waiting=waiting)] if waiting > 0 else []
    with st.grid(4, min_column_width=150, key="curve-tiles"):
        st.metric(
            tr("Labels trained on"),
            f"{rounds[-1].num_labeled:,}",
            " · ".join(words) or None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )
        st.metric(
            tr(metric.title),
            metric.text(values[-1] if values else None),
            interval or (None if change is None else metric.difference(change)),
            delta_color="off" if interval else color,
            delta_arrow="off" if interval else "auto",
            delta_description=None if change is None or interval else tr("in the last round"),
            border=True,
            height="stretch",
            help=tr(metric.meaning),
        )
        st.metric(
            tr("Against random"),
            metric.difference(found.difference if found else None),
            None if found is None else tr("at {place}", place=AXES[over].text(found.labels)),
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=tr("Random has the same seed and initial labels. Read off the line between rounds."),
        )
        st.metric(
            tr("{name} ahead of random", name=tr(AXES[over].name)),
            "–" if found is None or found.labels_ahead is None else f"{found.labels_ahead:+{_FORMS[over]}}",
            None
            if own.aulc() is None
            else tr("{height} mean height of the curve", height=metric.text(own.aulc())),
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=tr(
                "How many {unit} earlier than random it first had the worse of the two values that "
                "they have now; below zero random was first. The mean height is the area under the "
                "curve, divided by its range.",
                unit={"labels": tr("labels"), "minutes": tr("minutes"), "seconds": tr("seconds")}.get(
                    over, tr("units of cost")
                ),
            ),
        )


def _published(experiment: Experiment, rounds: tuple[RoundRecord, ...]) -> list[anchors.Fit]:
    return anchors.fits([experiment.config], rounds[0].num_labeled, rounds[-1].num_labeled)


def _save(
    experiment: Experiment, rounds: tuple[RoundRecord, ...], metric: Metric, published: list[anchors.Fit],
    over: Over, prices: Prices | None, once: Sequence[Passive],
) -> None:  # fmt: skip
    """What is shown, over what it is shown over."""
    strategy = experiment.config.query.chooser
    baseline = handles.store().ghost_of(experiment.id)
    material = RunMaterial(
        strategy_title(strategy), strategy, experiment.dataset.classes, rounds, (),
        cache.rounds(baseline) if baseline else (), [(one, cache.rounds(one.record)) for one in once],
    )  # fmt: skip
    record = experiment.record
    sheet = learning_sheet(
        material, metric, over=over, own=spending.own(record, rounds, over, prices),
        baseline=spending.baseline(record, material.baseline, over, prices), prices=prices,
    )  # fmt: skip

    def draw(dark: bool) -> go.Figure:
        figure = sheet.draw(dark)
        add_published(figure, published, dark=dark)
        return figure

    figure_menu(replace(sheet, draw=draw), key="learning", note=experiment.record.name)


def _page(experiment: Experiment) -> None:
    record = experiment.record
    rounds = cache.rounds(record)
    baseline = handles.store().ghost_of(experiment.id)
    random = cache.rounds(baseline) if baseline else ()
    metric = _metric_choice(rounds)
    over: Over = "labels"
    prices: Prices | None = None
    if rounds and metric is not None:
        tiles = st.container(key="curve-head")
        over, prices = _over()
        with tiles:
            _tiles(experiment, rounds, random, metric, over, prices)
    if rounds and not any(name.startswith("test_") for r in rounds for name in r.metrics):
        st.info(
            tr(
                "No label of the test images is known, so nothing can be measured on them. What is "
                "shown comes from the validation images or the hold-back; where there are none, set "
                "a validation share or, without any known label, a hold-back share in the next "
                "session."
            ),
            icon=":material/info:",
        )
    found = forecasts.of(record, metric) if metric is not None and over == "labels" else None
    anchored = metric is not None and metric.key == anchors.METRIC and bool(rounds) and over == "labels"
    published = _published(experiment, rounds) if anchored and published_toggle("curve-published") else None
    begun = passives.children(record)
    once = passives.trained(record, begun)
    live_curve(
        record,
        view="learning",
        key="learning",
        metric=metric or Metric(*_ACCURACY),
        height=440,
        forecast=forecasts.points(found, len(experiment.dataset.train)) if found is not None else None,
        published=published or (),
        axis=spending.axis(record, rounds, random, over, prices),
        ceilings=passives.levels(once),
        family=[*forks.lines(record), *passives.points(once)] if rounds else (),
        marked=session.current().round,
    )
    if published is not None:
        published_notes(published)
    if not rounds:
        return
    round_picker(rounds, key="curve-round")
    family_line(experiment)
    if metric is not None:
        _save(experiment, rounds, metric, published or [], over, prices, once)
        passive_panel(experiment, begun, once, metric)
        forecast_panel(experiment, rounds, metric)
    views: list[str] = list(_VIEWS)
    panels = [rounds_panel, class_panel, confusion_panel, quality_panel, take_away_panel]
    if any(name.startswith(CHANCE) for name in rounds[0].metrics):
        views.append(_ARMS)
        panels.append(arms_panel)
    tabs = st.tabs(views, key="look", on_change="rerun", bind="query-params")
    for tab, panel in zip(tabs, panels, strict=True):
        if tab.open:
            with tab:
                panel(experiment, rounds)


def _over() -> tuple[Over, Prices | None]:
    """What the curve is drawn over, and the prices that this takes."""
    over = over_choice("curve-over")
    prices = price_fields(over, "curve")
    if over == "minutes":
        st.caption(
            tr(
                "Minutes are measured where people answered: how long each image was looked at, "
                "{seconds:.0f} seconds at most. Other labels, the initial set's among them, count as "
                "stated; random's labels count what yours took.",
                seconds=IDLE_SECONDS,
            )
        )
    return over, prices


_ACCURACY = ("test_accuracy", tr("Accuracy"), True, True, "")

session.guard()
st.title(tr("Learning curve"), anchor=False, help=glossary.meaning("Learning curve"))
if session.record() is None:
    no_session(tr("The learning curve is drawn here: accuracy against the number of labeled images."))
else:
    _page(session.experiment())
