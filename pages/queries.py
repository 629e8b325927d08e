"""Queries: which images each round asked for, what the model thought of them, and what they were."""

from __future__ import annotations

import streamlit as st

from al_core.by_hand import queries_of, tags
from al_core.cost.words import candidates_words
from al_core.experiment import Experiment
from al_core.records import Query
from al_core.results.analysis import QueryRow
from al_core.types import INITIAL_ROUND
from al_core.words import noted, tr, tr_n
from pages.components.no_session import no_session
from pages.components.pager import pager
from pages.components.query_cards import query_cards, query_table
from pages.components.round_picker import query_picker
from state import cache, glossary, handles, queried, session
from state.queried import Wanted
from state.text import plain, strategy_title
from state.web.queried import queried_url

_PAGE = 50
_ALL = tr("Any class")
_ANY_TAG = tr("Any")


def _query_choice(queries: list[Query]) -> Query:
    """The query of the round that is looked at; the latest where none is chosen."""
    by_round = {query.round: query for query in queries}
    labels = {record.number: record.num_labeled for record in cache.rounds(session.experiment().record)}
    return by_round[query_picker(list(by_round), labels, key="asked-round")]


def _choose(experiment: Experiment, query: Query, rows: list[QueryRow]) -> tuple[Wanted, list[QueryRow]]:
    """What the filters ask of the query's images, and the rows that they let through."""
    classes = [_ALL, *experiment.dataset.classes]
    chosen = st.selectbox(
        tr("Class"),
        range(len(classes)),
        format_func=lambda place: classes[place],
        key="query-class",
        width=200,
        help=tr("The label given; where there is none yet, the first guess."),
    )
    state = st.selectbox(tr("Show"), list(queried.STATES), format_func=tr, key="query-state", width=180)
    found = tags(handles.store(), experiment.id)
    names = sorted({name for row in rows for name in found.get(row.sample_id, ())})
    tag = st.selectbox(tr("Tag"), [_ANY_TAG, *names], key="query-tag", width=160) if names else _ANY_TAG
    wanted = Wanted(query.round, chosen - 1 if chosen else None, state, "" if tag == _ANY_TAG else tag)
    return wanted, queried.fitting(rows, wanted, experiment.dataset.classes, found)


def _clear() -> None:
    for key in ("query-class", "query-state", "query-tag"):
        st.session_state.pop(key, None)


def _scored(query: Query, experiment: Experiment) -> str:
    capped = experiment.config.query.candidates is not None and query.round != INITIAL_ROUND
    pool = experiment.num_unlabeled(query.round) if capped else query.num_candidates
    return (
        tr("scored {scored}", scored=candidates_words(query.num_candidates, pool))
        if capped
        else tr_n("out of {n:,} candidate", "out of {n:,} candidates", pool)
    )


def _summary(query: Query, rows: list[QueryRow], experiment: Experiment) -> None:
    known = [row.right for row in rows if row.right is not None]
    asked = [row for row in rows if not row.ahead]
    labeled, ahead = sum(row.label_id is not None for row in asked), len(rows) - len(asked)
    title = (
        tr("drawn for the initial set") if query.round == INITIAL_ROUND else strategy_title(query.strategy)
    )
    parts = [f"{plain(title)}, {_scored(query, experiment)}"]
    if ahead:
        text = noted("{labeled} of {asked} labeled, {ahead} more ahead")
    else:
        text = noted("{labeled} of {asked} labeled")
    parts.append(tr(text, labeled=labeled, asked=len(asked), ahead=ahead))
    if known:
        parts.append(
            tr(
                "the model's first guess was right for {right} of {known}",
                right=sum(known),
                known=len(known),
            )
        )
    st.caption(" · ".join(parts))
    if experiment.dataset.has_truth and any(row.label is None for row in rows):
        st.caption(tr("The truth of images that wait for a label is kept back: it must not sway who labels."))


def _downloads(experiment: Experiment, wanted: Wanted, count: int) -> None:
    """Links to zips that the server makes while it sends them."""
    help_ = tr("Class folders of the labels given, with manifest.csv: sample ids, scores, guesses, truth.")
    every = tr("A folder for each class.")
    rounds = tr("A folder for each round, and in it one for each class.")
    links = (
        (
            tr_n("Download this image", "Download these {n} images", count),
            wanted,
            f"-{wanted.round}",
            ":material/download:",
            help_,
        ),
        (tr("All rounds"), Wanted(), "", ":material/folder_zip:", every),
        (tr("All, by round"), Wanted(by_round=True), "-by-round", ":material/folder_zip:", rounds),
    )
    with st.container(horizontal=True, gap="small"):
        for label, what, end, icon, about in links:
            url = queried_url(experiment.id, what, f"queried-{experiment.id}{end}.zip")
            st.link_button(label, url, icon=icon, help=about, key=f"query-zip{end and '-' + end[1:3]}")


def _page(experiment: Experiment) -> None:
    queries = queries_of(handles.store(), experiment.id)
    if not queries:
        text = tr("Nothing has been asked yet: the button below moves the session on.")
        st.info(text, icon=":material/info:")
        return
    dataset = experiment.dataset
    query = _query_choice(queries)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        rows = queried.rows_of(experiment, query)
        wanted, shown = _choose(experiment, query, rows)
        view = st.segmented_control(
            tr("View"), [tr("Cards"), tr("Table")], default=tr("Cards"), required=True, key="query-view"
        )
    words = queried.words_of(experiment, query.round)
    _summary(query, rows, experiment)
    for text in dict.fromkeys(words.values()):
        st.caption(tr("Score: {text}.", text=plain(text)))
    if not shown:
        st.info(tr("No image of this round fits the filter."), icon=":material/filter_alt_off:")
        st.button(tr("Clear filters"), icon=":material/filter_alt_off:", key="query-clear", on_click=_clear)
        return
    page = pager("query-page", len(shown), _PAGE, of=(experiment.id, wanted))
    part = shown[page.part]
    if view == tr("Table"):
        query_table(dataset, part)
    else:
        query_cards(dataset, part, words, key="query-cards")
    page.draw()
    _downloads(experiment, wanted, len(shown))


session.guard()
st.title(tr("Queried images"), anchor=False, help=glossary.meaning("Query"))
if session.record() is None:
    no_session(tr("The images that each round asked for are shown here, with the model's guesses."))
else:
    _page(session.experiment())
