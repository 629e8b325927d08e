"""What the next labels should bring: in words, for a person who decides whether to go on."""

from __future__ import annotations

import streamlit as st

from al_core.experiment import Experiment
from al_core.records import RoundRecord
from al_core.results.analysis import Curve, Metric
from al_core.words import tr, tr_n
from state import forecasts
from state.text import plain

_HELP = tr(
    "A power law with an asymptote, fitted to the rounds so far; 95 % intervals, over all laws that "
    "explain them. It knows nothing of a change of strategy or of the data's end. Beyond three times "
    "the labels so far nothing is forecast."
)


def forecast_panel(experiment: Experiment, rounds: tuple[RoundRecord, ...], metric: Metric) -> None:
    """Draw the next batch's expected gain, and the labels to a target that can be chosen."""
    own = Curve.of(rounds, metric.key)
    found = forecasts.of(experiment.record, metric)
    if found is None:
        if 0 < len(own.labels) < forecasts.FEWEST_ROUNDS:
            st.caption(forecasts.too_early(len(own.labels)))
        return
    new = forecasts.next_batch(experiment)
    now = float(own.values[-1])
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", gap="medium", key="forecast"
    ):
        st.metric(
            tr_n("Forecast: the next label", "Forecast: the next {n:,} labels", new),
            forecasts.gain_words(found, metric, new),
            help=_HELP,
            width=240,
        )
        target = _target(forecasts.goal(found, metric, now), metric)
        if target is not None:
            words = forecasts.reach_words(found, metric, target, len(experiment.dataset.train))
            st.markdown(plain(words), width="stretch")


def _target(default: float, metric: Metric) -> float | None:
    if metric.share:
        asked = st.number_input(
            tr("Target (%)"), 1.0, 100.0, 100 * default, 0.5, format="%g", key=f"goal-{metric.key}", width=130
        )
        return asked / 100
    return st.number_input(
        tr("Target ({title})", title=tr(metric.title).lower()),
        0.0,
        None,
        default,
        0.05,
        key=f"goal-{metric.key}",
        width=170,
    )


def gain_caption(experiment: Experiment, metric: Metric) -> None:
    """One line: what the next batch should bring; nothing while there is no forecast."""
    found = forecasts.of(experiment.record, metric)
    if found is not None:
        new = forecasts.next_batch(experiment)
        words = forecasts.gain_words(found, metric, new)
        st.caption(
            tr_n(
                "Expected of the next label: {words} of {title}.",
                "Expected of the next {n:,} labels: {words} of {title}.",
                new,
                words=words,
                title=tr(metric.title).lower(),
            ),
            help=_HELP,
        )
