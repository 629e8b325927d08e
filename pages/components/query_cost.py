"""What a query will take here, and a cap on the candidates where it would take long."""

from __future__ import annotations

import streamlit as st

from al_core.config import ExperimentConfig
from al_core.words import tr, tr_n
from pages.components import config_form
from state import cache, costs, draft
from state.text import plain

_LOOK_AGAIN = 2.0  # seconds, while it is being measured


def query_cost(config: ExperimentConfig) -> None:
    """A line, which follows the measurement while there is one; with a button where a cap is advised."""
    labeled = draft.plan(config, cache.num_classes(config.data)).labels
    if labeled is not None:
        labeled = max(0, labeled - config.query.n_new)  # what the last query finds
    found = costs.prediction(config, labeled)
    with st.container():
        if found.pending:
            _waiting(config, labeled)
        else:
            _line(found)


def _waiting(config: ExperimentConfig, labeled: int | None) -> None:
    @st.fragment(run_every=_LOOK_AGAIN)
    def look() -> None:
        found = costs.prediction(config, labeled)
        if not found.pending:
            st.rerun()
        _line(found)

    look()


def _line(found: costs.Prediction) -> None:
    st.markdown(tr(":material/speed: **A query on this machine:** {words}", words=plain(found.words)))
    if found.cap is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="cost-advice"):
        st.markdown(f":orange-badge[:material/hourglass_top: {plain(found.advice)}]", width="content")
        st.button(
            tr_n("Score {n:,} candidate only", "Score {n:,} candidates only", found.cap),
            key="set-cap",
            on_click=config_form.put,
            args=("query.candidates", found.cap),
            help=tr("A random part of the pool, the same for every strategy of a seed."),
        )
