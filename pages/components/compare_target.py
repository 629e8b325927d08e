"""What a target takes: rounds, labels and money by strategy, for several costs of a training."""

from __future__ import annotations

from typing import Any

import streamlit as st

from al_core.results.axes import Prices
from al_core.results.study import StudyResult
from al_core.results.to_target import RATIOS, target_frame, usual_target
from al_core.words import tr
from state.text import plain


def target_panel(result: StudyResult) -> None:
    """Draw the table; `result` is over labels."""
    usual = usual_target(result)
    if usual is None:
        st.info(tr("The table comes with the first seed that is finished in every strategy."))
        return
    share = result.metric.share
    scale, unit = (100.0, " (%)") if share else (1.0, "")
    with st.container(horizontal=True, gap="small", key="target-fields"):
        asked = st.number_input(
            tr("Target{unit}", unit=unit),
            0.0,
            100.0 if share else None,
            scale * usual,
            0.5,
            format="%g",
            width=150,
            key=f"target-{result.study_id}-{result.metric.key}",
        )
        price = st.number_input(
            tr("Price of a label"),
            0.0001,
            None,
            Prices().label,
            0.01,
            key="target-price",
            width=150,
            format="%g",
        )
    target = asked / scale
    frame = target_frame(result, target, Prices(label=price))
    words = result.metric.text(target)
    number = st.column_config.NumberColumn
    against = result.baseline_title
    frame["saving_half"] *= 100
    columns: dict[str, Any] = {
        "arm": st.column_config.TextColumn(tr("Strategy"), pinned=True),
        "reached": number(tr("Seeds there"), help=tr("Seeds that come to {words}", words=words)),
        "seeds": number(tr("of")),
        "rounds": number(tr("Trainings"), format="%.1f", help=tr("Until the first round at the target")),
        "labels": number(tr("Labels"), format="%.0f"),
        "saving": number(
            tr("Labels saved"),
            format="percent",
            help=tr("Against {against}, on the line between rounds", against=plain(against)),
        ),
        "saving_seeds": number(
            tr("Seeds of that"), help=tr("Seeds in which both come to {words}", words=words)
        ),
        "saving_half": number("±", format="%.1f", help=tr("Half the 95 % interval, points")),
    }
    columns |= {
        f"cost_{ratio:g}": number(
            tr("Cost, λ = {ratio:g}", ratio=ratio),
            format="%.2f",
            help=tr("A training costs as much as {ratio:g} labels", ratio=ratio),
        )
        for ratio in RATIOS
    }
    st.dataframe(
        frame, hide_index=True, alt=tr("What {words} takes, by strategy.", words=words), column_config=columns
    )
    st.caption(
        tr(
            "Whole rounds are paid: a target counts with the first round that measured it. Cost = "
            "price of a label × (labels + λ × trainings). Where not every seed gets there, the means "
            "leave those out."
        )
    )
