"""What a model said of pictures: cards with confidence bars, or a table; and the files that were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from al_core.words import told, tr, tr_n
from pages.components.pager import pager
from pages.components.query_cards import picture_cards
from state import predictions
from state.text import plain
from state.web.models import predicted_url

_PAGE = 48
_SUMMED = 8


def predicted(token: str, result: Mapping[str, Any]) -> None:
    """Draw a result: summary, pictures, downloads, refused files."""
    found, refused = result["predictions"], result["refused"]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(gap=None):
            st.subheader(tr_n("{n:,} picture", "{n:,} pictures", len(found)), anchor=False)
            st.caption(_summary(result))
        view = st.segmented_control(
            tr("View"), [tr("Cards"), tr("Table")], default=tr("Cards"), required=True, key="predicted-view"
        )
    page = pager("predicted-page", len(found), _PAGE, of=token)
    rows = range(len(found))[page.part]
    if view == tr("Table"):
        _table(token, found)
    else:
        items = [_item(token, row, found[row]) for row in rows]
        picture_cards(items, pixelated=None, key="predicted-cards")
        page.draw()
    st.download_button(
        tr("Download the table"),
        lambda: predictions.table(token),
        file_name="predictions.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help=tr("A row a picture with every class's probability, and the files that were left out."),
    )
    if refused:
        _refused(refused)


def _summary(result: Mapping[str, Any]) -> str:
    found = result["predictions"]
    counts = Counter(row["class"] for row in found).most_common()
    words = [f"{plain(name)} {count:,}" for name, count in counts[:_SUMMED]]
    if len(counts) > _SUMMED:
        words.append(tr("{count} more classes", count=len(counts) - _SUMMED))
    milliseconds = sum(row["milliseconds"] for row in found) / len(found)
    return tr(
        "{counts} · {milliseconds:.2f} ms each in the network · round {round}",
        counts=", ".join(words),
        milliseconds=milliseconds,
        round=result["round"],
    )


def _item(token: str, row: int, found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row,
        "src": predicted_url(token, row),
        "alt": f"{found['file']}: {found['class']}",
        "rank": None,
        "score": None,
        "guesses": found["top"],
        "label": found["class"],
        "state": "labeled",
        "truth": None,
        "right": None,
        "note": tr("{file} · {milliseconds:.2f} ms", file=found["file"], milliseconds=found["milliseconds"]),
    }


def _table(token: str, found: list[dict[str, Any]]) -> None:
    lines = [
        {
            "image": predicted_url(token, row),
            "file": item["file"],
            "class": item["class"],
            "confidence": item["confidence"],
            **{
                f"guess_{place}": f"{name} {100 * probability:.1f} %"
                for place, (name, probability) in enumerate(item["top"][1:], start=2)
            },
            "milliseconds": item["milliseconds"],
        }
        for row, item in enumerate(found)
    ]
    st.dataframe(
        pd.DataFrame(lines),
        hide_index=True,
        row_height=56,
        height=min(620, 60 + 56 * len(lines)),
        alt=tr("Classified pictures with class, confidence and time."),
        column_config={
            "image": st.column_config.ImageColumn(tr("Picture"), width="small"),
            "file": tr("File"),
            "class": tr("Class"),
            "confidence": st.column_config.ProgressColumn(
                tr("Confidence"), min_value=0, max_value=1, format="%.3f"
            ),
            "guess_2": tr("2nd guess"),
            "guess_3": tr("3rd guess"),
            "milliseconds": st.column_config.NumberColumn(tr("Milliseconds"), format="%.2f"),
        },
    )


def _refused(refused: list[dict[str, str]]) -> None:
    count = len(refused)
    words = tr_n("{n:,} file was left out", "{n:,} files were left out", count)
    with st.expander(words, icon=":material/hide_image:", expanded=count <= 5):
        st.dataframe(
            pd.DataFrame([{**one, "reason": told(one["reason"])} for one in refused]),
            hide_index=True,
            alt=tr("Files that could not be classified."),
            column_config={"file": tr("File"), "reason": tr("Why")},
        )
