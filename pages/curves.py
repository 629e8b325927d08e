"""Curves: what the labels bought, against random; by round, by class, and in numbers to take away."""

from __future__ import annotations

import streamlit as st

from al_core.experiment import Experiment
from al_core.query.bandit import CHANCE
from al_core.records import RoundRecord
from al_core.results.analysis import Curve, Metric, against, measured
from pages.components.curve_tables import arms_panel, class_panel, confusion_panel, rounds_panel
from pages.components.live_curve import live_curve
from pages.components.no_session import no_session
from state import cache, handles, session

_VIEWS = ("Rounds", "Labels per class", "Confusion")
_ARMS = "Strategies' chances"


def _metric_choice(rounds: tuple[RoundRecord, ...]) -> Metric | None:
    offered = measured(rounds)
    if not offered:
        return None
    titles = {metric.title: metric for metric in offered}
    title = st.segmented_control(
        "Metric",
        list(titles),
        default=offered[0].title,
        required=True,
        key="metric",
        bind="query-params",
        label_visibility="collapsed",
    )
    return titles.get(title or "", offered[0])


def _tiles(experiment: Experiment, rounds: tuple[RoundRecord, ...], metric: Metric) -> None:
    own = Curve.of(rounds, metric.key)
    baseline = handles.store().ghost_of(experiment.id)
    theirs = Curve.of(cache.rounds(baseline) if baseline else (), metric.key)
    found = against(own, theirs, higher_is_better=metric.higher_is_better)
    values = own.values.tolist()
    change = values[-1] - values[-2] if len(values) > 1 else None
    color = "normal" if metric.higher_is_better else "inverse"
    budget = experiment.config.stop.budget
    waiting = experiment.record.num_labeled - rounds[-1].num_labeled
    words = [f"of {budget:,}"] if budget is not None else []
    words += [f"{waiting} more since"] if waiting > 0 else []
    with st.grid(4, min_column_width=150, key="curve-tiles"):
        st.metric(
            "Labels trained on",
            f"{rounds[-1].num_labeled:,}",
            " · ".join(words) or None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )
        st.metric(
            metric.title,
            metric.text(values[-1] if values else None),
            None if change is None else metric.difference(change),
            delta_color=color,
            delta_description=None if change is None else "in the last round",
            border=True,
            height="stretch",
            help=metric.meaning,
        )
        st.metric(
            "Against random",
            metric.difference(found.difference if found else None),
            None if found is None else f"at {found.labels:,.0f} labels",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Random has the same seed and initial labels. Read off the line between rounds.",
        )
        st.metric(
            "Labels ahead of random",
            "–" if found is None or found.labels_ahead is None else f"{found.labels_ahead:+,.0f}",
            None if own.aulc() is None else f"{metric.text(own.aulc())} mean height of the curve",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="How many labels earlier the better curve had what the other one has now. The mean height "
            "is the area under the learning curve, divided by its range of labels.",
        )


def _page(experiment: Experiment) -> None:
    record = experiment.record
    rounds = cache.rounds(record)
    metric = _metric_choice(rounds)
    if rounds and metric is not None:
        _tiles(experiment, rounds, metric)
    if rounds and not any(name.startswith("test_") for r in rounds for name in r.metrics):
        st.info(
            "No label of the test images is known, so nothing can be measured on them. What is shown comes "
            "from the validation images; where there are none, set a validation share in the next session.",
            icon=":material/info:",
        )
    live_curve(record, view="learning", key="learning", metric=metric or Metric(*_ACCURACY), height=440)
    if not rounds:
        return
    views: list[str] = list(_VIEWS)
    panels = [rounds_panel, class_panel, confusion_panel]
    if any(name.startswith(CHANCE) for name in rounds[0].metrics):
        views.append(_ARMS)
        panels.append(arms_panel)
    tabs = st.tabs(views, key="look", on_change="rerun", bind="query-params")
    for tab, panel in zip(tabs, panels, strict=True):
        if tab.open:
            with tab:
                panel(experiment, rounds)


_ACCURACY = ("test_accuracy", "Accuracy", True, True, "")

session.guard()
st.title("Learning curve", anchor=False)
if session.record() is None:
    no_session("The learning curve is drawn here: accuracy against the number of labeled images.")
else:
    _page(session.experiment())
