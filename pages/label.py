"""Label: the images that the strategy asks for, and the way on to training."""

from __future__ import annotations

import streamlit as st

from al_core.errors import ALError
from al_core.experiment import Experiment, Step
from al_core.query.strategies import STRATEGIES
from al_core.records import Query
from al_core.types import INITIAL_ROUND
from pages.components.closing_card import closing_card
from pages.components.label_grid import grid_data, label_grid
from pages.components.loop_rail import SHELL
from pages.components.shield import shielded
from state import cache, jobs, selectors, session
from state.text import plain, sentence

_TICK = 0.35
"""Seconds between two looks while the page waits for the next query."""


_BLIND = "label:blind"


def _blind() -> bool:
    return bool(st.session_state.get(_BLIND))


def _why(experiment: Experiment, query: Query) -> str:
    """What is asked, and why: one sentence."""
    count = f"{len(query.items)} image{'s' if len(query.items) != 1 else ''}"
    if query.round == INITIAL_ROUND:
        return f"{count} to begin with, drawn before any model was trained."
    title = STRATEGIES.get(query.strategy).title
    pool = f"{query.num_candidates:,} unlabeled ones"
    trained = cache.rounds(experiment.record)[-1].num_labeled
    labels = f"{trained:,} label{'s' if trained != 1 else ''}"
    return f"{count} that “{title}” picked from {pool}, after training on {labels}."


def _answer_from_truth(experiment: Experiment, query: Query, *, everything: bool) -> None:
    ids = [item.sample_id for item in query.items] if everything else None
    try:
        experiment.answer_from_truth(ids)
    except ALError as error:
        session.current().notices.append(str(error))


def _header(experiment: Experiment, query: Query, step: Step) -> None:
    words, tools = st.columns([3, 2], vertical_alignment="bottom")
    title = "Initial set" if query.round == INITIAL_ROUND else f"Round {query.round + 1}"
    words.header(f"{title}: which class is it?", anchor=False)
    words.caption(_why(experiment, query))
    with tools.container(
        horizontal=True,
        horizontal_alignment="right",
        vertical_alignment="center",
        gap="small",
        key="label-tools",
    ):
        if query.round != INITIAL_ROUND:
            st.toggle(
                "Hide guesses",
                key=_BLIND,
                persist_state="session",
                help="Label blind: what the model thinks cannot sway you. Q, W and E then do nothing.",
            )
        if not experiment.dataset.has_truth:
            return
        for label, everything, left in (
            ("Auto-label the rest", False, step.total - step.done),
            ("Auto-label all", True, step.total),
        ):
            st.button(
                label,
                key=f"auto-{everything}",
                help="Ground truth answers in your place: the data set knows its labels.",
                disabled=not left,
                on_click=_answer_from_truth,
                args=(experiment, query),
                kwargs={"everything": everything},
            )


@st.dialog("Why this image", width="small")
def _inspect(experiment: Experiment, query: Query, sample_id: int) -> None:
    item = next(item for item in query.items if item.sample_id == sample_id)
    st.write(f"Picked as number {item.rank + 1} of {len(query.items)}.")
    if item.score is not None:
        st.write(f"Score of the strategy: {item.score:.4f} (higher is asked sooner).")
    if _blind() and item.guesses:
        st.caption("The guesses are hidden, as you asked.")
    for index, probability in () if _blind() else item.guesses:
        st.progress(min(1.0, probability), f"{plain(experiment.dataset.classes[index])}: {probability:.1%}")
    st.text(experiment.dataset.train.file_name(sample_id).rpartition("/")[2])


def _refresh_rail() -> None:
    st.rerun(SHELL)


def _ask(experiment: Experiment, query: Query, step: Step) -> None:
    closing_card(experiment, query)
    _header(experiment, query, step)
    # Read in this order: answers newer than `rev` are only given once more, none is left out.
    rev = experiment.store.label_rev(experiment.id)
    answers = experiment.answers_to(query)
    data = grid_data(query, experiment.dataset, answers, rev, show_guesses=not _blind())
    notes = label_grid(
        data, key="label-grid", on_saved=_refresh_rail, on_train=lambda: _advance(experiment.id)
    )
    if notes.inspect is not None:
        _inspect(experiment, query, notes.inspect)


def _advance(experiment_id: str) -> None:
    try:
        jobs.advance(experiment_id)
    except ALError as error:
        session.current().notices.append(str(error))


def _wait(step: Step) -> None:
    """Something runs: say what, and go on when the next query is there."""
    st.header("The next images are on their way", anchor=False)
    _watch(_stamp(step))
    for _ in range(2):
        for column in st.columns(6):
            column.skeleton(height=140)


def _stamp(step: Step) -> tuple[str, str]:
    return step.kind, step.job.id if step.job else ""


@st.fragment(run_every=_TICK)
def _watch(drawn: tuple[str, str]) -> None:
    """Looks more often than the rail does: a person sits and waits for the images."""
    with shielded("the label page"):
        step = session.experiment().step()
        if _stamp(step) != drawn:
            st.rerun()
        doing = selectors.doing(step.job) if step.job else "Working"
        st.caption(f"{doing}. This page goes on by itself; closing it stops nothing.")


def _page() -> None:
    tab = session.guard()
    if tab.experiment_id is None:
        st.header("Nothing to label yet", anchor=False)
        st.write("Begin with a session: the home page makes one on handwritten digits with one click.")
        with st.container(horizontal=True):
            st.page_link("home.py", label="Home", icon=":material/home:")
            st.page_link("setup.py", label="Set up a session", icon=":material/tune:")
        return
    experiment = session.experiment()
    step = experiment.step()
    query = experiment.pending()
    if step.kind == "working":
        _wait(step)
    elif step.kind == "finished":
        st.header("This session is finished", anchor=False)
        st.write(sentence(step.reason or "A stop holds."))
        st.page_link("curves.py", label="See what the labels bought", icon=":material/show_chart:")
    elif step.kind == "failed":
        st.header("The last step failed", anchor=False)
        st.error(sentence(step.reason or "The worker gave no reason."), icon=":material/error:")
        st.write("Nothing that you labeled is lost. Try again with the button below.")
    elif query is None:
        st.header("Ready to start", anchor=False)
        st.write("The first images are drawn when you start: the button is below.")
    else:
        _ask(experiment, query, step)


_page()
