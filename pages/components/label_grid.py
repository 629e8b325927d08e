"""The labelling grid: one component that shows a query and sends a person's answers to POST /api/labels.

The answers never pass through Streamlit: triggers of one moment overwrite each other, a route does not. What
comes back here are three notes: `saved` (the counters may be read again), `train` (everything is committed,
go on) and `inspect` (show one image closely).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from streamlit.components.v2 import component

from al_core.data.dataset import Dataset
from al_core.records import LabelEvent, Query
from al_core.types import UNLABEL
from state.web import security
from state.web.images import image_url
from state.web.labels import labels_url

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
_SCRIPTS = ("label_outbox.js", "label_view.js", "label_grid.js")
_TILE_WIDTH, _FULL_WIDTH = 352, 1280

_grid = component(
    "askwell_label_grid",
    css=(_ASSETS / "label_grid.css").read_text("utf-8"),
    js="\n".join((_ASSETS / name).read_text("utf-8") for name in _SCRIPTS),
)


@dataclass(frozen=True)
class GridNotes:
    """What the browser asked for since the last run; None for what it did not."""

    saved: Mapping[str, Any] | None
    train: Mapping[str, Any] | None
    inspect: int | None


def grid_data(
    query: Query,
    dataset: Dataset,
    answers: Mapping[int, LabelEvent],
    rev: int,
    *,
    read_only: bool = False,
    show_guesses: bool = True,
) -> dict[str, Any]:
    """What the component is given. Equal while nothing but this tab's own answers changes, within an hour.

    A file's folder is left out of its name: it often is the true class.
    """
    items: list[dict[str, Any]] = []
    for item in query.items:
        i = item.sample_id
        entry: dict[str, Any] = {"id": i, "alt": PurePath(dataset.train.file_name(i)).name}
        if dataset.pixelated:
            entry["src"] = image_url(dataset.key, "train", i)
        else:
            entry["src"] = image_url(dataset.key, "train", i, _TILE_WIDTH)
            entry["full"] = image_url(dataset.key, "train", i, _FULL_WIDTH)
        if show_guesses and item.guesses:
            entry["guesses"] = [[c, round(p, 4)] for c, p in item.guesses]
        items.append(entry)
    return {
        "v": 1,
        "batch": query.batch,
        "rev": rev,
        "classes": list(dataset.classes),
        "items": items,
        "labels": {str(i): event.value for i, event in answers.items() if event.value != UNLABEL},
        "readOnly": read_only,
        "pixelated": dataset.pixelated,
        "showGuesses": show_guesses,
        "post": {"url": labels_url(), "token": security.token("labels", query.experiment_id)},
    }


def label_grid(
    data: Mapping[str, Any],
    *,
    key: str,
    on_saved: Callable[[], None] = lambda: None,
    on_train: Callable[[], None] = lambda: None,
) -> GridNotes:
    """Mount the grid on what `grid_data` made. Callbacks run before the page's script does."""
    result = _grid(
        data=dict(data),
        key=key,
        on_saved_change=on_saved,
        on_train_change=on_train,
        on_inspect_change=lambda: None,
        on_refresh_change=lambda: None,  # a token has ended: the run that follows makes a new one
    )
    inspect = result.get("inspect")
    shown = inspect.get("id") if isinstance(inspect, Mapping) else None
    known = {item["id"] for item in data["items"]}
    return GridNotes(result.get("saved"), result.get("train"), shown if shown in known else None)
