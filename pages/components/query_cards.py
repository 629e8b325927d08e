"""Queried images as cards or as a table: picture, guesses, answer, truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from al_core.data.dataset import Dataset
from state.web.images import image_url

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
_cards = st.components.v2.component(
    "askwell_query_cards",
    html='<div class="cards" role="list"></div>',
    css=(_ASSETS / "query_cards.css").read_text("utf-8"),
    js=(_ASSETS / "query_cards.js").read_text("utf-8"),
)
_WIDTH = 320


def _address(dataset: Dataset, sample_id: int) -> str:
    return image_url(dataset.key, "train", sample_id, None if dataset.pixelated else _WIDTH)


def query_cards(dataset: Dataset, frame: pd.DataFrame, *, key: str) -> None:
    """Draw the rows of a query frame; names reach the page as text only."""
    items = [_item(dataset, row) for row in frame.to_dict("records")]
    _cards(data={"items": items, "pixelated": dataset.pixelated}, key=key)


def _item(dataset: Dataset, row: dict[Any, Any]) -> dict[str, Any]:
    sample_id, label, truth = int(row["sample_id"]), row["label"], row["truth"]
    answered = pd.notna(row["label_id"])
    state = "labeled" if answered else label if label in ("skipped", "excluded") else "waiting"
    return {
        "id": sample_id,
        "src": _address(dataset, sample_id),
        "alt": f"{dataset.train.file_name(sample_id)}: {label or 'no label yet'}",
        "rank": int(row["rank"]),
        "score": None if pd.isna(row["score"]) else float(row["score"]),
        "guesses": [[name, float(probability)] for name, probability in row["guesses"]],
        "label": label or "no label yet",
        "state": state,
        # shown only where it says something new: a wrong label, or none
        "truth": truth if truth is not None and truth != label else None,
        "right": row["right"],
    }


def query_table(dataset: Dataset, frame: pd.DataFrame) -> None:
    """The same as a table that sorts; the canvas draws names literally."""
    shown = frame.drop(columns=["guesses", "label_id"]).copy()
    shown["rank"] += 1
    shown.insert(1, "image", [_address(dataset, int(i)) for i in frame["sample_id"]])
    shown["file"] = [dataset.train.file_name(int(i)) for i in frame["sample_id"]]
    for place in range(3):
        texts = [_guess(guesses, place) for guesses in frame["guesses"]]
        if any(texts):
            shown[f"guess_{place + 1}"] = texts
    st.dataframe(
        shown.drop(columns="guess"),
        hide_index=True,
        row_height=56,
        height=620,
        alt="Queried images in picking order.",
        column_config={
            "rank": st.column_config.NumberColumn("Rank", width="small"),
            "image": st.column_config.ImageColumn("Image", width="small"),
            "sample_id": st.column_config.NumberColumn("Id", width="small", format="%d"),
            "score": st.column_config.NumberColumn("Score", format="%.4f"),
            "label": "Label",
            "source": "Labeled by",
            "truth": "Truth",
            "right": st.column_config.CheckboxColumn("Guess right"),
            "file": "File",
            "guess_1": "Guess",
            "guess_2": "2nd guess",
            "guess_3": "3rd guess",
        },
    )


def _guess(guesses: tuple[tuple[str, float], ...], place: int) -> str | None:
    if place >= len(guesses):
        return None
    name, probability = guesses[place]
    return f"{name} {100 * probability:.0f} %"
