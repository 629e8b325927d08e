"""Set up, fourth part: how many labels, in what portions, who gives them, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.config import ExperimentConfig
from al_core.errors import Problem
from pages.components import config_form
from pages.components.query_cost import query_cost
from state import cache, draft
from state.starting import SECONDS_A_LABEL
from state.text import duration


def setup_plan(config: ExperimentConfig, problems: Sequence[Problem]) -> None:
    """Draw the part."""
    plan = draft.plan(config, cache.num_classes(config.data))
    hand = "By hand"
    if plan.by_hand:
        hand += f", about {duration(plan.by_hand * SECONDS_A_LABEL)}"
    figures = (
        ("To begin with", plan.initial),
        ("Rounds", plan.rounds),
        ("Labels in all", plan.labels),
        (hand, plan.by_hand),
    )
    with st.container(horizontal=True, gap="large"):
        for label, value in figures:
            st.metric(label, "open" if value is None else f"{value:,}", width=150)
    query_cost(config)
    begin, ask, end = st.columns(3, gap="large")
    with begin:
        st.subheader("Begin")
        config_form.field(config_form.find("oracle"), problems)
        config_form.section("init", problems, advanced=False)
        config_form.field(config_form.find("seed"), problems)
        config_form.section("init", problems, advanced=True)
    with ask:
        st.subheader("Ask")
        config_form.section("query", problems, advanced=False)
    with end:
        st.subheader("End")
        config_form.section("stop", problems, advanced=False)
        config_form.section("stop", problems, advanced=True)
