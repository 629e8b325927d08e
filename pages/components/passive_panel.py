"""What is trained once beside a session, on Curves: begun by a click, awaited, and said in words."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.errors import ConfigError
from al_core.experiment import Experiment
from al_core.models import MODELS
from al_core.records import ExperimentRecord
from al_core.results.analysis import Metric
from al_core.results.passive import Passive, references_beside
from al_core.results.study_text import passive_words
from al_core.words import tr, tr_n
from state import cache, passives, session
from state.text import plain

_LOOK_AGAIN = 4.0  # seconds, while one is trained
_MODEL = "passive-model"
_BUTTONS = {
    "full": (
        tr("The full pool"),
        ":material/vertical_align_top:",
        tr(
            "Every image of the pool, labeled by the oracle: the line that no choice of images can "
            "be expected to pass by much."
        ),
    ),
    "subset": (
        tr("A random part, as large"),
        ":material/shuffle:",
        tr(
            "As many images as have labels now, drawn at random with the pool's shares of the "
            "classes: what passive labeling gives."
        ),
    ),
    "selection": (
        tr("This selection"),
        ":material/checklist:",
        tr(
            "The labels that are there now, from fresh weights: with another model, what the images "
            "are worth to that one."
        ),
    ),
}


def passive_panel(
    experiment: Experiment, begun: Sequence[ExperimentRecord], found: Sequence[Passive], metric: Metric
) -> None:
    """Offer what can be trained, say what is being trained, and what the others came to."""
    offered = passives.possible(experiment)
    if offered:
        _offer(experiment, offered)
    words = passive_words(references_beside(found, metric, cache.rounds), metric, seeds=False)
    if words:
        st.caption(plain(" ".join([*words, *_reached(experiment, found, metric)])))
    if apart := len(begun) - len(found) - len([r for r in begun if not r.num_rounds]):
        st.caption(
            tr_n(
                "{n} training beside this session had other test images, and is not drawn.",
                "{n} trainings beside this session had other test images, and are not drawn.",
                apart,
            )
        )
    if passives.waiting(begun):
        st.fragment(_wait, key="passive", run_every=_LOOK_AGAIN)(experiment.record, len(found))


def _offer(experiment: Experiment, offered: Sequence[str]) -> None:
    with st.popover(
        tr("Train once, to compare"), icon=":material/add_chart:", type="tertiary", key="passive-menu"
    ):
        st.caption(tr("One training in the background with this session's settings, drawn on this chart."))
        own, names = experiment.config.model.model, MODELS.names()
        st.selectbox(
            tr("Model"), names, names.index(own) if own in names else 0, key=_MODEL,
            format_func=lambda name: tr(MODELS.get(name).title),
        )  # fmt: skip
        for kind in offered:
            title, icon, about = _BUTTONS[kind]
            st.button(
                title, icon=icon, key=f"passive-{kind}", help=about, on_click=_begin,
                args=(experiment, kind), width="stretch",
            )  # fmt: skip


def _reached(experiment: Experiment, found: Sequence[Passive], metric: Metric) -> list[str]:
    """How near the session has come to the full pool with the same model."""
    tops = [one for one in found if one.kind == passives.FULL and one.same]
    if not tops or not (metric.share and metric.higher_is_better):
        return []
    top = cache.rounds(tops[-1].record)[-1].metrics.get(metric.key)
    own = cache.rounds(experiment.record)[-1].metrics.get(metric.key)
    if own is None or not top:
        return []
    return [tr("This session has reached {share:.1f} % of the full pool.", share=100 * own / top)]


def _begin(experiment: Experiment, kind: str) -> None:
    try:
        passives.begin(experiment, kind, st.session_state.get(_MODEL))
    except ConfigError as error:
        session.current().notices.extend(str(problem) for problem in error.problems)


def _wait(record: ExperimentRecord, known: int) -> None:
    begun = passives.children(record)
    if len(passives.trained(record, begun)) != known or not passives.waiting(begun):
        st.rerun()
    names = ", ".join(child.name for child in passives.waiting(begun))
    st.caption(
        ":material/hourglass_top: " + plain(tr("Being trained: {names}. Drawn when it is done.", names=names))
    )
