"""Set up, fourth part: how many labels, in what portions, who gives them, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.config import ExperimentConfig, StopConfig
from al_core.errors import Problem
from al_core.oracle import USES, unused_answers
from al_core.results.axes import SECONDS_A_LABEL
from al_core.words import tr
from pages.components import config_form
from pages.components.query_cost import query_cost
from state import cache, draft, glossary
from state.text import duration


def setup_plan(config: ExperimentConfig, problems: Sequence[Problem]) -> None:
    """Draw the part."""
    plan = draft.plan(config, cache.num_classes(config.data))
    hand = tr("By hand")
    if plan.by_hand:
        hand = tr("By hand, about {time}", time=duration(plan.by_hand * SECONDS_A_LABEL))
    figures = (
        (tr("To begin with"), plan.initial),
        (tr("Rounds"), plan.rounds),
        (tr("Labels in all"), plan.labels),
        (hand, plan.by_hand),
    )
    with st.container(horizontal=True, gap="large"):
        for label, value in figures:
            st.metric(label, tr("open") if value is None else f"{value:,}", width=150)
    query_cost(config)
    begin, ask, end = st.columns(3, gap="large")
    with begin:
        st.subheader(tr("Begin"), anchor=False, help=glossary.meaning("Initial set"))
        config_form.field(config_form.find("oracle"), problems)
        _answers(config, problems)
        config_form.section("init", problems, advanced=False)
        config_form.field(config_form.find("seed"), problems)
        config_form.section("init", problems, advanced=True)
    with ask:
        st.subheader(tr("Ask"), anchor=False, help=glossary.meaning("Query"))
        first, *others = (config_form.find(f"query.{name}") for name in config_form.SIZES)
        config_form.field(first, problems)
        open_ = config.query.size_schedule != "fixed"
        with st.expander(tr("Sizes that the rounds decide"), icon=":material/tune:", expanded=open_):
            for option in others:
                config_form.field(option, problems)
    with end:
        st.subheader(tr("End"), anchor=False, help=glossary.meaning("Budget"))
        config_form.section("stop", problems, advanced=False)
        faulty = bool(draft.of_path(problems, "stop"))
        with st.expander(
            tr("When it no longer pays"),
            icon=":material/tune:",
            expanded=faulty or config.stop != _plain(config),
        ):
            config_form.section("stop", problems, advanced=True)


def _plain(config: ExperimentConfig) -> StopConfig:
    """Its stops without those of the expander."""
    return StopConfig(n_rounds=config.stop.n_rounds, budget=config.stop.budget)


def _answers(config: ExperimentConfig, problems: Sequence[Problem]) -> None:
    """The options that the chosen oracle reads; what another one left is taken back."""
    shown = USES.get(config.oracle, ())
    left = unused_answers(config.answers, (config.oracle,))
    for name in left:
        config_form.put(f"answers.{name}", None)
    if left:
        st.rerun()
    with st.container():
        for name in shown:
            config_form.field(config_form.find(f"answers.{name}"), problems)
