"""The second look: one image at a time, with what was said of it; decisions go to POST /api/labels.

It shares the labelling grid's outbox, so a decision is kept in the browser until the store has committed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from streamlit.components.v2 import component

from al_core.classes import Classes
from al_core.data.dataset import Dataset
from al_core.results.review import Case, Why
from pages.components.notes import heard
from state.web import security
from state.web.assets import script, style
from state.web.classes import given_data
from state.web.images import image_url
from state.web.labels import REVIEW, labels_url

_card = component(
    "askwell_review_card",
    css=style("label_grid", "review_card"),
    js=script("label_outbox", "label_view", "label_classes", "review_card"),
)
_SMALL, _LARGE = 160, 1280


def review_data(
    experiment_id: str, dataset: Dataset, classes: Classes, cases: Sequence[Case], person: str
) -> dict[str, Any]:
    """What the component is given. A blind question holds nothing that could sway."""
    return {
        "v": 1,
        "experiment": experiment_id,
        **given_data(classes),
        "pixelated": dataset.pixelated,
        "cases": [_entry(experiment_id, dataset, case) for case in cases],
        "post": {
            "url": labels_url(),
            "token": security.token("labels", experiment_id, person),
            "person": person,
        },
    }


def _entry(experiment_id: str, dataset: Dataset, case: Case) -> dict[str, Any]:
    i = case.sample_id
    widths = (None, None) if dataset.pixelated else (_SMALL, _LARGE)
    small, large = (image_url(dataset.key, "train", i, width) for width in widths)
    entry: dict[str, Any] = {
        "id": i, "batch": f"{experiment_id}/{case.round}/{REVIEW}", "why": case.why.value, "small": small,
        "large": large, "alt": PurePath(dataset.train.file_name(i)).name, "round": case.round,
    }  # fmt: skip
    if case.why is Why.REASK:
        return entry
    guess = None if case.guess is None else [case.guess[0], round(case.guess[1], 4)]
    return entry | {
        "label": case.label, "words": [list(said) for said in case.words], "guess": guess, "note": case.note,
        "marks": [mark.value for mark in case.marks], "suggestion": case.suggestion,
    }  # fmt: skip


def review_card(
    data: dict[str, Any], *, key: str, on_saved: Callable[[], None], on_history: Callable[[int], None]
) -> None:
    """Mount it. `on_history` is called with the image whose history is asked for, before the page runs."""

    def history(note: Mapping[str, Any]) -> None:
        asked = note.get("id")
        if isinstance(asked, int) and asked in {case["id"] for case in data["cases"]}:
            on_history(asked)

    _card(
        data=data,
        key=key,
        on_saved_change=heard(key, "saved", lambda _: on_saved()),
        on_history_change=heard(key, "history", history),
        on_refresh_change=lambda: None,
    )
