"""Queried images as cards or as a table: picture, guesses, answer, truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.components.v2 import component

from al_core.data.dataset import Dataset
from al_core.records import Mark
from al_core.results.analysis import QueryRow
from al_core.words import tr
from state.web.assets import script, style
from state.web.images import image_url

_cards = component(
    "askwell_query_cards",
    html='<div class="cards" role="list"></div>',
    css=style("picture_tile", "query_cards"),
    js=script("query_cards"),
)
_WIDTH = 320


def _address(dataset: Dataset, sample_id: int) -> str:
    return image_url(dataset.key, "train", sample_id, None if dataset.pixelated else _WIDTH)


def query_cards(dataset: Dataset, rows: Sequence[QueryRow], words: Mapping[int, str], *, key: str) -> None:
    """Draw the rows of a query, and say what their scores are; names reach the page as text only."""
    items = [_item(dataset, row, words.get(row.sample_id, "")) for row in rows]
    picture_cards(items, pixelated=dataset.pixelated, key=key)


def picture_cards(items: Sequence[Mapping[str, Any]], *, pixelated: bool | None, key: str) -> None:
    """Draw cards: id, src, alt, rank, score, guesses, label, state, truth and right of each.

    With `pixelated` None small pictures keep their pixels and large ones are scaled smoothly.
    """
    _cards(data={"items": [dict(item) for item in items], "pixelated": pixelated}, key=key)


def _item(dataset: Dataset, row: QueryRow, words: str) -> dict[str, Any]:
    state = "labeled" if row.label_id is not None else row.label or "waiting"
    return {
        "id": row.sample_id,
        "src": _address(dataset, row.sample_id),
        "alt": (f"{dataset.train.file_name(row.sample_id)}" + ": " + (row.label or tr("no label yet"))),
        "rank": row.rank,
        "score": row.score,
        "scoreWords": words,
        "guesses": [list(guess) for guess in row.guesses],
        "label": row.label or tr("no label yet"),
        "state": state,
        # shown only where it says something new: a wrong label, or none
        "truth": row.truth if row.truth != row.label else None,
        "right": row.right,
        "marks": [mark.value for mark in row.marks if mark is not Mark.NOTE] + ["ahead"] * row.ahead,
        "note": row.note,
    }


def query_table(dataset: Dataset, rows: Sequence[QueryRow]) -> None:
    """The same as a table that sorts; the canvas draws names literally."""
    st.dataframe(
        pd.DataFrame([_line(dataset, row) for row in rows]).dropna(axis="columns", how="all"),
        hide_index=True,
        row_height=56,
        height=620,
        alt=tr("Queried images in picking order."),
        column_config={
            "rank": st.column_config.NumberColumn(tr("Rank"), width="small"),
            "image": st.column_config.ImageColumn(tr("Image"), width="small"),
            "sample_id": st.column_config.NumberColumn(tr("Id"), width="small", format="%d"),
            "score": st.column_config.NumberColumn(tr("Score"), format="%.4g"),
            "label": tr("Label"),
            "source": tr("Labeled by"),
            "truth": tr("Truth"),
            "right": st.column_config.CheckboxColumn(tr("Guess right")),
            "guess_1": tr("Guess"),
            "guess_2": tr("2nd guess"),
            "guess_3": tr("3rd guess"),
            "marks": tr("Marks"),
            "ahead": st.column_config.CheckboxColumn(
                tr("Ahead"), help=tr("Labeled while the next round trained.")
            ),
            "note": tr("Note"),
            "file": tr("File"),
        },
    )


def _line(dataset: Dataset, row: QueryRow) -> dict[str, Any]:
    guesses = [f"{name} {100 * probability:.0f} %" for name, probability in row.guesses]
    return {
        "rank": row.rank + 1,
        "image": _address(dataset, row.sample_id),
        "sample_id": row.sample_id,
        "score": row.score,
        "label": row.label,
        "source": row.source,
        "truth": row.truth,
        "right": row.right,
        **{f"guess_{place}": text for place, text in enumerate(guesses, start=1)},
        "marks": ", ".join(mark.value for mark in row.marks) or None,
        "ahead": row.ahead or None,
        "note": row.note,
        "file": dataset.train.file_name(row.sample_id),
    }
