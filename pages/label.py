"""Label: the images that the strategy asks for, and the way on to training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from al_core.by_hand import standing
from al_core.classes import Classes
from al_core.errors import ALError
from al_core.experiment import Experiment, Step
from al_core.forking import share
from al_core.records import LabelSource, Query
from al_core.results.suggestions import Trust, suggestions, trust
from al_core.types import INITIAL_ROUND
from al_core.words import told, tr, tr_n
from pages.components.class_dialog import class_button, classes_due, open_classes
from pages.components.class_radar import class_radar_button
from pages.components.closing_card import closing_card
from pages.components.label_grid import grid_data, label_grid
from pages.components.loop_rail import SHELL
from pages.components.no_session import no_session
from pages.components.reliance_meter import blind_share, reliance_meter
from pages.components.shield import shielded
from pages.components.why_card import why_card
from state import cache, glossary, jobs, labelling, person, preferences, selectors, session, together
from state.text import sentence, strategy_title

_TICK = 0.35
"""Seconds between two looks while the page waits for the next query."""
_SLOW_TICK = 0.8
"""The same while somebody labels on: the images are theirs, the look is for the words above them."""


_TRUSTED_QUERIES = 5
_HELD = "label:held"


def _why(experiment: Experiment, query: Query) -> str:
    """What is asked, and why: one sentence."""
    by_hand = len(standing(experiment.store.mark_events(experiment.id)).get(query.round, ()))
    own = experiment.store.query(experiment.id, query.round) if by_hand else query
    size = len(own.items if own else query.items)
    count = tr_n("{n} image", "{n} images", size)
    if query.round == INITIAL_ROUND:
        return tr("{count} to begin with, drawn before any model was trained.", count=count)
    title = strategy_title(query.strategy)
    pool = tr("{candidates:,} unlabeled ones", candidates=query.num_candidates)
    trained = cache.rounds(experiment.record)[-1].num_labeled
    labels = tr_n("{n:,} label", "{n:,} labels", trained)
    aside = len(np.intersect1d([item.sample_id for item in query.items], experiment.reserve))
    random = (
        " "
        + tr("{count} of them are random ones without guesses: they measure and do not train.", count=aside)
        if aside
        else ""
    )
    yours = (
        " " + tr("In front of them are {count} that were asked for by hand.", count=by_hand)
        if by_hand
        else ""
    )
    return tr(
        "{count} that “{strategy}” picked from {pool}, after training on {labels}.{random}{yours}",
        count=count,
        strategy=title,
        pool=pool,
        labels=labels,
        random=random,
        yours=yours,
    )


def _shared(experiment: Experiment, query: Query) -> str:
    """How many of them a related session had an answer for."""
    count = sum(event.source is LabelSource.SHARED for event in experiment.answers_to(query).values())
    return " " + tr("{count} had an answer in a related session.", count=count) if count else ""


def _trust(experiment: Experiment, query: Query) -> Trust:
    """By the answers to the last few queries before this one: these do not change while one labels."""
    earlier = range(max(0, query.round - _TRUSTED_QUERIES), query.round)
    found, effects = (experiment.store.query(experiment.id, n) for n in earlier), experiment.classes().effects
    queries = [effects.guessed(query) for query in found if query is not None]
    ids = [item.sample_id for asked in queries for item in asked.offered]
    return trust(suggestions(queries, experiment.store.current_labels(experiment.id, of=ids)))


def _answer_from_truth(experiment: Experiment, query: Query, *, everything: bool) -> None:
    offered = query.offered if labelling.training(experiment.step()) else query.items
    answered = {} if everything else experiment.answers_to(query, ahead=True)
    ids = [item.sample_id for item in offered if item.sample_id not in answered]
    try:
        experiment.answer_from_oracle(ids)
    except ALError as error:
        session.current().notices.append(str(error))


def _header(experiment: Experiment, query: Query, step: Step) -> None:
    words, tools = st.columns([3, 2], vertical_alignment="bottom")
    title = tr("Initial set") if query.round == INITIAL_ROUND else tr("Round {round}", round=query.round + 1)
    term = "Initial set" if query.round == INITIAL_ROUND else "Query strategy"
    held = _holds(experiment, query)
    words.header(
        tr("{title}: which class is it?", title=tr("Ahead") if held else title),
        anchor=False,
        help=glossary.meaning(term),
    )
    with words:
        if labelling.training(step) is not None:
            _watch(_stamp(step), every=_SLOW_TICK)
        elif held:
            st.caption(tr("{title}: {why} They come next.", title=title, why=_why(experiment, query)))
        else:
            st.caption(_why(experiment, query) + _shared(experiment, query))
    with tools.container(
        horizontal=True,
        horizontal_alignment="right",
        vertical_alignment="center",
        gap="small",
        key="label-tools",
    ):
        if query.round != INITIAL_ROUND:
            st.toggle(
                tr("Hide guesses"),
                key=preferences.BLIND,
                persist_state="session",
                help=tr("Label blind: what the model thinks cannot sway you. Q, W and E then do nothing."),
            )
            reliance_meter(experiment)
        class_radar_button(experiment)
        class_button(experiment)
        if not experiment.prepared.has_truth:
            return
        for label, everything, left in (
            (tr("Auto-label the rest"), False, step.total - step.done),
            (tr("Auto-label all"), True, step.total),
        ):
            st.button(
                label,
                key=f"auto-{everything}",
                help=tr("Ground truth answers in your place: the data set knows its labels."),
                disabled=not left,
                on_click=_answer_from_truth,
                args=(experiment, query),
                kwargs={"everything": everything},
            )


def _hold(batch: str | None) -> None:
    """The browser goes on with an older query, or no longer does."""
    st.session_state[_HELD] = batch


def _holds(experiment: Experiment, query: Query) -> bool:
    batch = str(st.session_state.get(_HELD) or "")
    return batch.partition("/")[0] == experiment.id and batch != query.batch


def _refresh_rail(note: Mapping[str, Any]) -> None:
    """Draw the rail alone; while a job runs all of the page, as else what ticks in it would tick no more.

    All of it too when answers to an earlier query came: the grid counts them among what trains next.
    """
    if session.experiment().active_job() is None and not classes_due() and not note.get("elsewhere"):
        session.redraw(SHELL)


def _ask(experiment: Experiment, query: Query, step: Step) -> None:
    closing_card(experiment, query)
    blind = preferences.blind()  # before its switch is drawn, which shows what the browser remembers
    _header(experiment, query, step)
    # Read in this order: answers newer than `rev` are only given once more, none is left out.
    rev = experiment.store.label_rev(experiment.id)
    me, changes = person.name(), experiment.class_events()
    seen = together.view(experiment, query, me)
    classes = Classes.of(experiment.prepared.classes, changes)
    data = grid_data(
        query, experiment.prepared, seen.answers, rev,
        classes=classes, said=changes, marks=experiment.marks(),
        trust=_trust(experiment, query), show_guesses=not blind, person=me, own=seen.own,
        seat={"share": seen.share, "pace": person.shares_pace()},
        hidden=labelling.hidden(experiment, query, blind_share(experiment)),
        loop=labelling.loop(experiment, query, step),
    )  # fmt: skip
    wanted = label_grid(
        data, key="label-grid", on_saved=_refresh_rail, on_held=_hold,
        on_train=lambda note: _train(experiment.id, note.get("rounds")),
        on_classes=lambda: open_classes(experiment.id),
    )  # fmt: skip
    if wanted is not None:
        hides = blind or wanted in labelling.hidden(experiment, query, blind_share(experiment))
        why_card(experiment, query, wanted, blind=hides)


def _train(experiment_id: str, rounds: int | None) -> None:
    """Train the round after `rounds`; a request that came twice finds it trained, and is none any more."""
    try:
        if rounds in (None, session.experiment().record.num_rounds):
            jobs.advance(experiment_id)
    except ALError as error:
        session.current().notices.append(str(error))


def _wait(step: Step) -> None:
    """Something runs: say what, and go on when the next query is there."""
    st.header(tr("The next images are on their way"), anchor=False)
    _watch(_stamp(step), every=_TICK)
    for _ in range(2):
        for column in st.columns(6):
            column.skeleton(height=140)


def _stamp(step: Step) -> tuple[str, str]:
    return step.kind, step.job.id if step.job else ""


def _watch(drawn: tuple[str, str], *, every: float) -> None:
    """Looks more often than the rail does: a person sits and waits for the images."""
    st.fragment(_look, key="label-watch", run_every=every)(drawn)


def _look(drawn: tuple[str, str]) -> None:
    with shielded("the label page"):
        step = session.experiment().step()
        if _stamp(step) != drawn:
            st.rerun()
        doing = selectors.doing(step.job) if step.job else tr("Working")
        st.caption(tr("{doing}. This page goes on by itself; closing it stops nothing.", doing=doing))


def _page() -> None:
    tab = session.guard()
    if tab.experiment_id is None:
        st.title(tr("Label"), anchor=False)
        no_session(tr("The images that the model asks about are labeled here, with one key each."))
        return
    experiment = session.experiment()
    share(experiment)
    step = experiment.step()
    query = experiment.pending()
    if step.kind == "working" and not labelling.goes_on(experiment, query, step):
        _wait(step)
    elif step.kind == "finished":
        st.header(tr("This session is finished"), anchor=False)
        st.write(sentence(told(step.reason or "") or tr("A stop holds.")))
        if late := len(experiment.untrained()):
            st.caption(
                tr(
                    "{count} labels came after the last training began: they are saved, and in every export.",
                    count=late,
                )
            )
        st.page_link("curves.py", label=tr("See what the labels bought"), icon=":material/show_chart:")
    elif step.kind == "failed":
        st.header(tr("The last step failed"), anchor=False)
        st.error(
            sentence(told(step.reason or "") or tr("The worker gave no reason.")), icon=":material/error:"
        )
        st.write(tr("Nothing that you labeled is lost. Try again with the button below."))
    elif query is None:
        st.header(tr("Ready to start"), anchor=False)
        st.write(tr("The first images are drawn when you start: the button is below."))
    else:
        _ask(experiment, query, step)


_page()
