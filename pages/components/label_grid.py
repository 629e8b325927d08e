"""The labelling grid: one component that shows a query and sends a person's answers to POST /api/labels.

The answers never pass through Streamlit: what it carries of one moment overwrites itself, a route does not.
What comes back here are notes: `saved` (the counters may be read again), `train` (everything is committed,
go on), `inspect` (show one image closely), `held` (a newer query waits until this one is left), `classes`
(open their dialog) and `refresh` (the data are to be made anew). A note is a state that says when it was
written: a trigger is lost where another one follows before the page has run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from al_core.classes import Classes
from al_core.data.dataset import Dataset
from al_core.guidelines import guidelines, pins_of
from al_core.records import ClassEvent, LabelEvent, Mark, MarkEvent, Query
from al_core.results.suggestions import Trust
from al_core.types import UNLABEL
from pages.components.notes import heard
from state.labelling import Loop
from state.web import security
from state.web.assets import component_script, style
from state.web.classes import classes_url, given_data
from state.web.images import image_url
from state.web.labels import labels_url
from state.web.seats import seats_url

_SMALL_WIDTH, _TILE_WIDTH, _FULL_WIDTH = 176, 352, 1280  # pixels; the first two stand in label_view.js too

_INSPECT = "label:inspect"
_grid = component(
    "askwell_label_grid",
    css=style("label_grid", "label_guide"),
    js=component_script("label-grid.js"),
)


def grid_data(
    query: Query,
    dataset: Dataset,
    answers: Mapping[int, LabelEvent],
    rev: int,
    *,
    classes: Classes | None = None,
    said: Sequence[ClassEvent] = (),
    marks: Mapping[int, Mapping[Mark, MarkEvent]] | None = None,
    trust: Trust | None = None,
    person: str = "",
    seat: Mapping[str, Any] | None = None,
    own: Collection[int] = (),
    read_only: bool = False,
    show_guesses: bool = True,
    hidden: Set[int] = frozenset(),
    loop: Loop = Loop(),  # noqa: B008 - frozen
) -> dict[str, Any]:
    """What the component is given. Equal while nothing but this tab's own answers changes, within an hour.

    A file's folder is left out of its name: it often is the true class. `seat` is the person's share where
    several label (state.together), `own` are the images that they have answered. `classes` are those of now,
    where they may have been changed: what was merged or retired is not offered, nor guessed. `said` is the
    log of their changes: which of the images are pinned examples.
    """
    known = classes or Classes(dataset.classes, len(dataset.classes))
    items: list[dict[str, Any]] = []
    offered = query.offered if loop.ahead else query.items
    shown = [item.sample_id for item in offered]
    pins = pins_of(guidelines(said))
    for item in offered:
        i = item.sample_id
        entry: dict[str, Any] = {"id": i, "alt": PurePath(dataset.train.file_name(i)).name}
        if dataset.pixelated:
            entry["src"] = image_url(dataset.key, "train", i)
        else:
            entry["small"] = image_url(dataset.key, "train", i, _SMALL_WIDTH)
            entry["src"] = image_url(dataset.key, "train", i, _TILE_WIDTH)
            entry["full"] = image_url(dataset.key, "train", i, _FULL_WIDTH)
        guesses = _guesses(item.guesses, known)
        if guesses and (not show_guesses or i in hidden):
            entry["blind"] = True
        elif guesses:
            entry["guesses"] = guesses
        items.append(entry)
    return {
        "v": 1,
        "batch": query.batch,
        "rev": rev,
        **given_data(known),
        "said": said[-1].id if said else 0,
        "pins": {str(i): pins[i] for i in shown if i in pins},
        "classesUrl": classes_url(query.experiment_id),
        "items": items,
        "asked": len(query.items),
        "round": query.round,
        "rounds": loop.rounds,
        "training": loop.training,
        "trained": sorted(i for i in shown if i in loop.trained),
        "others": loop.others,
        "labels": {str(i): event.value for i, event in answers.items() if event.value != UNLABEL},
        "marks": {str(i): _marks(marks[i]) for i in shown if i in marks} if marks else {},
        "person": person,
        "own": sorted(own),
        "seat": None if seat is None else {"url": seats_url()} | dict(seat),
        "readOnly": read_only,
        "pixelated": dataset.pixelated,
        "showGuesses": show_guesses,
        "blind": not show_guesses and any(item.guesses for item in offered),
        "trust": None if trust is None else asdict(trust),
        "post": {
            "url": labels_url(),
            "token": security.token("labels", query.experiment_id, person),
            "person": person,
        },
    }


def _guesses(guesses: Sequence[tuple[int, float]], classes: Classes) -> list[list[float]]:
    """[class id, probability] as classes count now, the likeliest first; none of a class that is retired."""
    found: dict[int, float] = {}
    for class_id, probability in guesses:
        counted = classes.effects.canonical(class_id)
        if counted not in classes.effects.retired:
            found[counted] = found.get(counted, 0.0) + probability
    return [[c, round(p, 4)] for c, p in sorted(found.items(), key=lambda pair: -pair[1])]


def _marks(marks: Mapping[Mark, MarkEvent]) -> dict[str, str | bool]:
    return {mark.value: event.text or True for mark, event in marks.items()}


def label_grid(
    data: Mapping[str, Any],
    *,
    key: str,
    on_saved: Callable[[Mapping[str, Any]], None] = lambda note: None,
    on_held: Callable[[str | None], None] = lambda batch: None,
    on_train: Callable[[Mapping[str, Any]], None] = lambda note: None,
    on_classes: Callable[[], None] = lambda: None,
) -> int | None:
    """Mount the grid on what `grid_data` made. Callbacks run before the page's script does.

    Returns the image that is to be shown closely, once for each time that the browser asks.
    """

    def inspect(note: Mapping[str, Any]) -> None:
        st.session_state[_INSPECT] = note.get("id")

    _grid(
        data=dict(data),
        key=key,
        on_saved_change=heard(key, "saved", on_saved),
        on_train_change=heard(key, "train", on_train),
        on_inspect_change=heard(key, "inspect", inspect),
        on_held_change=heard(key, "held", lambda note: on_held(note.get("batch"))),
        on_classes_change=heard(key, "classes", lambda _: on_classes()),
        on_refresh_change=lambda: None,  # the run that follows does it
    )
    wanted = st.session_state.pop(_INSPECT, None)
    return wanted if wanted in {item["id"] for item in data["items"]} else None
