"""Errors: what the network gets wrong, how surely, since when, on what pictures; and doubtful labels."""

from __future__ import annotations

import streamlit as st

from al_core.experiment import Experiment
from al_core.words import noted, tr
from pages.components.mistake_views import (
    calibration_panel,
    class_table,
    confusion_panel,
    flips_panel,
    looks_panel,
    mistakes_panel,
)
from pages.components.no_session import no_session
from pages.components.round_picker import round_picker
from pages.components.suspect_review import suspect_review
from state import cache, glossary, mistakes, session

_VIEWS = {
    noted("Confusion"): confusion_panel,
    noted("Surest mistakes"): mistakes_panel,
    noted("Unlearned"): flips_panel,
    noted("Classes"): class_table,
    noted("Calibration"): calibration_panel,
    noted("Kinds of picture"): looks_panel,
}
_DOUBTFUL = noted("Doubtful labels")


def _page(experiment: Experiment) -> None:
    rounds = cache.rounds(experiment.record)
    shown = [r for r in rounds if mistakes.predictions(experiment, r) is not None]
    if not shown:
        text = (
            tr("The first round has not been trained yet: its mistakes appear here.")
            if not rounds
            else tr(
                "No label of the test images is known, so no mistake can be shown. The doubtful "
                "labels below need no test images."
            )
        )
        st.info(text, icon=":material/info:")
    record = round_picker(shown, key="errors-round") if shown else None
    views = [*(_VIEWS if record is not None else ()), _DOUBTFUL]
    for tab, name in zip(
        st.tabs([tr(view) for view in views], key="errors-view", on_change="rerun"), views, strict=True
    ):
        if not tab.open:
            continue
        with tab:
            if name == _DOUBTFUL:
                suspect_review(experiment)
            elif record is not None:
                _VIEWS[name](experiment, shown, record)


session.guard()
st.title(tr("Errors"), anchor=False, help=glossary.meaning("Confusion matrix"))
if session.record() is None:
    no_session(tr("What the model mixes up, how sure it was, and which labels look wrong are shown here."))
else:
    _page(session.experiment())
