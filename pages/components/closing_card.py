"""The end of the story 'Teach it in 90 seconds': how you did, what it bought, where to go next."""

from __future__ import annotations

import streamlit as st

from al_core.experiment import Experiment
from al_core.records import Query
from al_core.words import tr, tr_n
from pages.components.picture_wall import picture_wall
from state import cache, handles, jobs, session, story
from state.text import percent

_MAX_MISSES = 8


def closing_card(experiment: Experiment, query: Query) -> None:
    """Draw the card above the query that follows the story's second round: once, until it is put away."""
    rounds = cache.rounds(experiment.record)
    tab = session.current()
    if not story.is_due(experiment.record, rounds) or experiment.id in tab.closed_stories:
        return
    if experiment.id != tab.told_story:
        if experiment.answers_to(query):
            return  # the person has gone on already, here or in another tab
        tab.told_story = experiment.id
    baseline = handles.store().ghost_of(experiment.id)
    found = story.closing(
        handles.store().queries(experiment.id),
        handles.store().current_labels(experiment.id),
        experiment.dataset.train.labels,
        rounds,
        cache.rounds(baseline) if baseline else (),
    )
    with st.container(border=True, key="closing", gap="small"):
        _head(experiment.id)
        _figures(found)
        _misses(experiment, found)
        _ways_on(experiment)


def _head(experiment_id: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="closing-head"):
        st.subheader(tr("Two rounds taught: this is the whole loop"), anchor=False)
        st.button(
            tr("Close"),
            icon=":material/close:",
            type="tertiary",
            key="closing-away",
            on_click=session.current().closed_stories.add,
            args=(experiment_id,),
        )


def _figures(found: story.Closing) -> None:
    with st.grid(4, min_column_width=140, key="closing-figures"):
        if found.answered:
            differ = len(found.misses)
            words = (
                tr("all as ground truth has them")
                if not differ
                else tr("{differ} differ from ground truth", differ=differ)
            )
            st.metric(
                tr("Your answers"),
                f"{found.agreed}/{found.answered}",
                words,
                delta_color="off",
                delta_arrow="off",
            )
        if found.labels_a_minute is not None:
            st.metric(tr("Labels a minute"), f"{found.labels_a_minute:.0f}")
        if found.accuracy is not None:
            gained = None if found.gained is None else tr("{points:+.1f} points", points=100 * found.gained)
            st.metric(
                tr_n("Accuracy, {n} label", "Accuracy, {n} labels", found.labels),
                percent(found.accuracy),
                gained,
            )
        if found.over_random is not None:
            against = tr("{points:+.1f} points", points=100 * found.over_random)
            st.metric(
                tr("Against random"),
                against,
                tr_n("at {n} label as well", "at {n} labels as well", found.labels),
                delta_color="off",
                delta_arrow="off",
            )
        else:
            st.metric(
                tr("Against random"),
                "–",
                tr("random is still training"),
                delta_color="off",
                delta_arrow="off",
            )


def _misses(experiment: Experiment, found: story.Closing) -> None:
    if not found.misses:
        return
    shown = found.misses[:_MAX_MISSES]
    classes = experiment.dataset.classes
    if len(found.misses) == len(shown):
        st.caption(tr("Where you and ground truth differ:"))
    else:
        st.caption(tr("Where you and ground truth differ, the first {shown} of them:", shown=len(shown)))
    picture_wall(
        experiment.dataset,
        [miss.sample_id for miss in shown],
        key="closing-misses",
        cell=88,
        words=[
            tr("you {given}, truth {truth}", given=classes[miss.given], truth=classes[miss.truth])
            for miss in shown
        ],
        few=True,
    )


def _ways_on(experiment: Experiment) -> None:
    with st.container(horizontal=True, gap="small"):
        finish = st.button(
            tr("Let the oracle finish the 5 rounds"),
            icon=":material/fast_forward:",
            key="closing-finish",
            help=tr("Ground truth answers from here on, up to the budget; you watch the curve."),
        )
        own = st.button(tr("Use my own images"), icon=":material/folder_open:", key="closing-own")
        curve = st.button(tr("See the curve"), icon=":material/show_chart:", key="closing-curve")
    if finish:
        handles.store().update_experiment(experiment.id, config=story.by_truth(experiment.config))
        jobs.advance(experiment.id)
        session.current().closed_stories.add(experiment.id)
    if finish or curve:
        st.switch_page("curves.py", query_params={"exp": experiment.id})
    if own:
        st.switch_page("setup.py")
