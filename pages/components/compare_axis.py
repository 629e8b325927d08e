"""What a study is compared over, and the prices that this takes."""

from __future__ import annotations

import streamlit as st

from al_core.results.axes import AXES, Over, Prices
from al_core.results.study import StudyResult
from al_core.words import tr


def over_choice(key: str) -> Over:
    """The choice of the x axis."""
    chosen = st.segmented_control(
        tr("Over"), list(AXES), default="labels", required=True, key=key, label_visibility="collapsed",
        format_func=lambda over: tr(AXES[over].name), help=_OVER, persist_state="session",
    )  # fmt: skip
    names: tuple[Over, ...] = tuple(AXES)
    return names[names.index(chosen) if chosen in names else 0]


def price_fields(over: Over, key: str) -> Prices | None:
    """The inputs that this axis takes; None where it takes none. Equal on every page."""
    usual = Prices()
    if over == "minutes":
        with st.container(horizontal=True, gap="small", key=f"{key}-prices"):
            seconds = st.number_input(
                tr("Seconds a label"),
                0.05,
                3600.0,
                usual.seconds_a_label,
                0.5,
                key="price-seconds",
                width=150,
                help=_SECONDS,
                format="%g",
                persist_state="session",
            )
        return Prices(seconds_a_label=seconds)
    if over != "money":
        return None
    with st.container(horizontal=True, gap="small", key=f"{key}-prices"):
        label = st.number_input(
            tr("Price of a label"),
            0.0001,
            None,
            usual.label,
            0.01,
            key="price-label",
            width=150,
            format="%g",
            persist_state="session",
            help=tr("In any currency."),
        )
        ratio = st.number_input(
            tr("A training, in labels (λ)"), 0.0, None, usual.ratio, 1.0, key="price-ratio", width=190,
            format="%g", help=_RATIO, persist_state="session",
        )  # fmt: skip
        hour = st.number_input(
            tr("Price of an hour of computing"), 0.0, None, usual.hour, 0.1, key="price-hour", width=220,
            format="%g", help=tr("For the seconds that were measured; 0 where λ says it all."),
            persist_state="session",
        )  # fmt: skip
    return Prices(label=label, ratio=ratio, hour=hour)


def ceiling_field(result: StudyResult) -> float | None:
    """The cut of the saturated end, where one is wanted; in the metric's own unit."""
    scale = 100.0 if result.metric.share else 1.0
    top = next((r.point[1].mean for r in result.references if r.kind == "full"), None)
    known = None if top is None else round(scale * top, 2)
    asked = st.number_input(
        tr("Ceiling (%)") if result.metric.share else tr("Ceiling"),
        0.0,
        100.0 if result.metric.share else None,
        known,
        0.1,
        key=f"study-ceiling-{result.metric.key}",
        placeholder=tr("no cut"),
        format="%g",
        width=150,
        help=_CEILING,
        persist_state="session",
    )
    return None if not asked else asked / scale


_OVER = tr(
    "Minutes: what people's answers took, or would have. Seconds: training, evaluating and choosing, "
    "added up to each value; runs beside each other slow down. Money: labels and computing at the "
    "prices below. Every verdict and table follows, still within each seed."
)
_SECONDS = tr("What a person takes for one label, where nobody was watched: ground truth answers at once.")
_RATIO = tr("λ of the cost model CL·labels + λ·CL·trainings: what one training costs, counted in labels.")
_CEILING = tr(
    "What training on everything comes to; the full pool's value where the study ran it. Verdicts "
    "and tables then look only as far as every mean is within 1 % of it: beyond, equal ends would "
    "hide what came before."
)
