"""A page of images that can be opened and selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamlit.components.v2 import component

from al_core.words import tr
from state.browsing import Row, View
from state.web.assets import script, style
from state.web.images import image_url

_wall = component(
    "askwell_browse_wall",
    html='<div class="host" role="list"></div>',
    css=style("picture_tile", "browse_wall"),
    js=script("browse_wall"),
)
_WIDTH = 192


@dataclass(frozen=True)
class WallNotes:
    """What the person did: the image to open (None: none was clicked since), the ones selected."""

    opened: int | None
    selected: tuple[int, ...]


def address(view: View, sample_id: int, width: int = _WIDTH) -> str:
    """Where a browser finds the picture; small ones are sent as they are."""
    return image_url(
        view.dataset.key, view.split.name, sample_id, None if view.dataset.pixelated else width
    )  # fmt: skip


def browse_wall(
    view: View, rows: Sequence[Row], *, key: str, batch: str, selectable: bool, small: str, cell: int = 112
) -> WallNotes:
    """Draw the rows; `small` is the number under each. A new `batch` forgets what was selected."""
    data = {
        "batch": batch,
        "items": [_item(view, row, small) for row in rows],
        "pixelated": view.dataset.pixelated,
        "selectable": selectable,
        "selected": [],
        "cell": cell,
    }
    result = _wall(
        data=data, key=key, on_open_change=lambda: None, on_selected_change=lambda: None,
    )  # fmt: skip
    shown = {row.id for row in rows}
    clicked = result.get("open")
    opened = clicked.get("id") if isinstance(clicked, Mapping) else None
    picked = result.get("selected")
    selected = [i for i in picked if i in shown] if isinstance(picked, Sequence) else []
    return WallNotes(opened if opened in shown else None, tuple(selected))


def _item(view: View, row: Row, small: str) -> dict[str, Any]:
    label, tone = row.label, "given"
    if not label and row.predicted:
        label, tone = f"{row.predicted}?", "guess"
    elif not label and row.truth and view.standing is None:
        label = row.truth
    elif not label:
        label, tone = row.status or tr("not known"), "none"
    number = getattr(row, small, None) if small != "id" else None
    words = f"#{row.id}"
    if isinstance(number, str):
        words += f" · {number}" if number else ""
    elif number is not None:
        words += f" · {number:.0%}" if small == "confidence" else f" · {number:.3g}"
    marks = ", ".join(row.marks)
    return {
        "id": row.id,
        "src": address(view, row.id),
        "alt": row.file,
        "label": label,
        "tone": tone,
        "small": words,
        "mark": marks,
    }
