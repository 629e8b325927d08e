"""The bar at the bottom of every page: where the loop stands, and the one button that moves it on.

It is the only fragment that ticks, and only while something runs. A page that wrote labels refreshes it
from a widget callback with `session.redraw(SHELL)`.
"""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st
from streamlit.components.v2 import component

from al_core.experiment import Experiment, Step
from pages.components.shield import shielded
from state import cache, handles, jobs, selectors, session
from state.web.assets import script, style

SHELL = "shell"
_TICK = 1.5
_rail = component(
    "askwell_loop_rail",
    html='<div class="host"></div>',
    css=style("loop_rail"),
    js=script("loop_rail"),
)


def loop_rail(page: str) -> None:
    """Mount the bar for the experiment that is looked at; the set-up page has a bar of its own."""
    tab = session.current()
    if tab.experiment_id is None or page == "setup":
        return
    tab.drawn = None
    active = bool(handles.store().jobs(experiment_id=tab.experiment_id, active=True, limit=1))
    with st.bottom:
        st.fragment(_bar, key=SHELL, run_every=_TICK if active else None)(page)


def _bar(page: str) -> None:
    with shielded("the loop rail"):
        tab = session.current()
        if tab.experiment_id is None:
            return
        experiment = session.experiment()
        step = experiment.step()
        stamp = selectors.signature(experiment.record, step)
        if tab.drawn not in (None, stamp):
            # The page above shows a state that is over: draw everything again.
            st.rerun()
        tab.drawn = stamp
        _draw(experiment, step, page)


def _draw(experiment: Experiment, step: Step, page: str) -> None:
    view = selectors.rail(experiment.record, step, cache.rounds(experiment.record))
    button = selectors.next_step(step, page=page)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="next-step"):
        _rail(data=asdict(view), key="loop-rail", width="stretch")
        if button is None:
            return
        clicked = st.button(
            button.label,
            type="primary",
            icon=button.icon,
            help=button.hint,
            shortcut="Ctrl+Enter",
            key="next",
        )
    if clicked:
        if button.advance:
            jobs.advance(experiment.id)
        if button.page and button.page != page:
            st.switch_page(f"{button.page}.py", query_params={"exp": experiment.id})
        st.rerun()
