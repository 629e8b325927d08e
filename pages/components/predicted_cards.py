"""What a model said of pictures: cards with confidence bars, or a table; and the files that were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

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
            st.subheader(f"{len(found):,} picture{'s' if len(found) != 1 else ''}", anchor=False)
            st.caption(_summary(result))
        view = st.segmented_control(
            "View", ["Cards", "Table"], default="Cards", required=True, key="predicted-view"
        )
    page = pager("predicted-page", len(found), _PAGE, of=token)
    rows = range(len(found))[page.part]
    if view == "Table":
        _table(token, found)
    else:
        items = [_item(token, row, found[row]) for row in rows]
        picture_cards(items, pixelated=None, key="predicted-cards")
        page.draw()
    st.download_button(
        "Download the table",
        lambda: predictions.table(token),
        file_name="predictions.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="A row a picture with every class's probability, and the files that were left out.",
    )
    if refused:
        _refused(refused)


def _summary(result: Mapping[str, Any]) -> str:
    found = result["predictions"]
    counts = Counter(row["class"] for row in found).most_common()
    words = [f"{plain(name)} {count:,}" for name, count in counts[:_SUMMED]]
    if len(counts) > _SUMMED:
        words.append(f"{len(counts) - _SUMMED} more classes")
    milliseconds = sum(row["milliseconds"] for row in found) / len(found)
    return f"{', '.join(words)} · {milliseconds:.2f} ms each in the network · round {result['round']}"


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
        "note": f"{found['file']} · {found['milliseconds']:.2f} ms",
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
        alt="Classified pictures with class, confidence and time.",
        column_config={
            "image": st.column_config.ImageColumn("Picture", width="small"),
            "file": "File",
            "class": "Class",
            "confidence": st.column_config.ProgressColumn(
                "Confidence", min_value=0, max_value=1, format="%.3f"
            ),
            "guess_2": "2nd guess",
            "guess_3": "3rd guess",
            "milliseconds": st.column_config.NumberColumn("Milliseconds", format="%.2f"),
        },
    )


def _refused(refused: list[dict[str, str]]) -> None:
    count = len(refused)
    words = f"{count:,} file{'s were' if count != 1 else ' was'} left out"
    with st.expander(words, icon=":material/hide_image:", expanded=count <= 5):
        st.dataframe(
            pd.DataFrame(refused),
            hide_index=True,
            alt="Files that could not be classified.",
            column_config={"file": "File", "reason": "Why"},
        )
