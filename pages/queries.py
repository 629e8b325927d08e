"""Queries: which images each round asked for, what the model thought of them, and what they were."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import IO, cast

import streamlit as st

from al_core.cost.words import candidates_words
from al_core.data.dataset import Dataset
from al_core.experiment import Experiment
from al_core.records import Query
from al_core.results.analysis import QueryRow, query_rows
from al_core.results.export import write_queries
from al_core.types import INITIAL_ROUND
from pages.components.live_curve import strategy_title
from pages.components.no_session import no_session
from pages.components.query_cards import query_cards, query_table
from state import handles, session
from state.text import plain

_PAGE = 50
_ALL = "Any class"
_STATES: dict[str, Callable[[QueryRow], bool]] = {
    "All": lambda row: True,
    "Labeled": lambda row: row.label_id is not None,
    "Waiting": lambda row: row.label is None,
    "Skipped": lambda row: row.label_id is None and row.label == "skipped",
    "Excluded": lambda row: row.label_id is None and row.label == "excluded",
    "Guess wrong": lambda row: row.right is False,
    "Label not truth": lambda row: None not in (row.label_id, row.truth) and row.label != row.truth,
}
_SPILL = 32 * 2**20


def _title(query: Query) -> str:
    size = len(query.items)
    if query.round == INITIAL_ROUND:
        return f"Initial set · {size} images"
    return f"After round {query.round} · {size} images"


def _query_choice(queries: list[Query]) -> Query:
    """The round asked for in the address (`asked`), or the latest."""
    by_round = {query.round: query for query in queries}
    asked = st.query_params.get("asked", "")
    number = int(asked) if asked.lstrip("-").isdigit() and len(asked) < 8 else None
    st.session_state["asked-round"] = number if number in by_round else queries[-1].round
    chosen = st.selectbox(
        "Asked",
        [query.round for query in reversed(queries)],
        format_func=lambda n: _title(by_round[n]),
        key="asked-round",
        on_change=_ask,
        width=280,
    )
    return by_round[chosen]


def _ask() -> None:
    st.query_params["asked"] = str(st.session_state["asked-round"])
    st.session_state.pop("query-page", None)


def _filtered(rows: list[QueryRow], dataset: Dataset) -> list[QueryRow]:
    """The rows that the two filters let through."""
    classes = [_ALL, *dataset.classes]
    chosen = st.selectbox(
        "Class",
        range(len(classes)),
        format_func=lambda place: classes[place],
        key="query-class",
        width=200,
        help="The label given; where there is none yet, the first guess.",
    )
    state = st.selectbox("Show", list(_STATES), key="query-state", width=180)
    of_class = [row for row in rows if not chosen or (row.label or row.guess) == classes[chosen]]
    return [row for row in of_class if _STATES[state](row)]


def _scored(query: Query, experiment: Experiment) -> str:
    capped = experiment.config.query.candidates is not None and query.round != INITIAL_ROUND
    pool = experiment.num_unlabeled(query.round) if capped else query.num_candidates
    return (
        f"scored {candidates_words(query.num_candidates, pool)}" if capped else f"out of {pool:,} candidates"
    )


def _summary(query: Query, rows: list[QueryRow], experiment: Experiment) -> None:
    known = [row.right for row in rows if row.right is not None]
    labeled = sum(row.label_id is not None for row in rows)
    title = "drawn for the initial set" if query.round == INITIAL_ROUND else strategy_title(query.strategy)
    parts = [f"{plain(title)}, {_scored(query, experiment)}"]
    parts.append(f"{labeled} of {len(rows)} labeled")
    if known:
        parts.append(f"the model's first guess was right for {sum(known)} of {len(known)}")
    st.caption(" · ".join(parts))
    if experiment.dataset.has_truth and any(row.label is None for row in rows):
        st.caption("The truth of images that wait for a label is kept back: it must not sway who labels.")


def _archive(experiment: Experiment, queries: list[Query], ids: frozenset[int] | None) -> IO[bytes]:
    """A zip on disk beyond 32 MB, so that a large download does not fill the server's memory."""
    spilled = tempfile.SpooledTemporaryFile(max_size=_SPILL)  # noqa: SIM115 - Streamlit reads it after we return
    target = cast("IO[bytes]", spilled)
    labels = experiment.store.current_labels(experiment.id)
    write_queries(target, experiment.dataset, queries, labels, keep=lambda i: ids is None or i in ids)
    target.seek(0)
    return target


def _downloads(experiment: Experiment, queries: list[Query], query: Query, rows: list[QueryRow]) -> None:
    ids = frozenset(row.sample_id for row in rows)
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            f"Download these {len(ids)} images",
            lambda: _archive(experiment, [query], ids).read(),
            file_name=f"queried-{experiment.id}-{query.round}.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            disabled=not ids,
            help="Class folders of the labels given, with manifest.csv: sample ids, scores, guesses, truth.",
        )
        st.download_button(
            "All rounds",
            lambda: _archive(experiment, queries, None).read(),
            file_name=f"queried-{experiment.id}.zip",
            mime="application/zip",
            icon=":material/folder_zip:",
            on_click="ignore",
        )


def _page(experiment: Experiment) -> None:
    queries = handles.store().queries(experiment.id)
    if not queries:
        st.info("Nothing has been asked yet. Start the session, and the first images appear here.")
        return
    dataset = experiment.dataset
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        query = _query_choice(queries)
        labels = handles.store().current_labels(experiment.id)
        rows = query_rows(query, labels, dataset.classes, dataset.train.labels, reveal=False)
        shown = _filtered(rows, dataset)
        view = st.segmented_control(
            "View", ["Cards", "Table"], default="Cards", required=True, key="query-view"
        )
    _summary(query, rows, experiment)
    if not shown:
        st.info("No image of this round fits the filter.", icon=":material/filter_alt_off:")
        return
    pages = -(-len(shown) // _PAGE)
    number = min(st.session_state.get("query-page", 1), pages)
    part = shown[(number - 1) * _PAGE : number * _PAGE]
    if view == "Table":
        query_table(dataset, part)
    else:
        query_cards(dataset, part, key="query-cards")
    if pages > 1:
        st.session_state["query-page"] = number
        st.pagination(pages, key="query-page")
    _downloads(experiment, queries, query, shown)


session.guard()
st.title("Queried images", anchor=False)
if session.record() is None:
    no_session("The images that each round asked for are shown here, with the model's guesses.")
else:
    _page(session.experiment())
