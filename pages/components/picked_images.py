"""Images that were picked on the map: a grid, and what can be done with all of them at once."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.results.image_map import ImageMap
from al_core.types import EXCLUDE
from al_core.words import tr, tr_n
from pages.components.answer_many import give_back
from pages.components.ask_for import ask_for
from pages.components.pager import pager
from pages.components.picture_wall import picture_wall
from state import image_maps, session
from state.text import plain

_AT_ONCE = 60
_ALIKE = 24
_UNDO = "explore-undo"


def picked_images(
    experiment: Experiment,
    found: ImageMap,
    ids: Sequence[int],
    *,
    key: str = "picked",
    words: list[str] | None = None,
    tag: str | None = None,
) -> None:
    """Draw them, with `words` below; one alone brings those most like it. `tag` is what they all have."""
    if not ids:
        st.info(
            tr("Nothing is selected. The lasso is ready: draw around a group on the map."),
            icon=":material/gesture:",
        )
        _undo(experiment)
        return
    shown = list(ids)
    if len(ids) == 1 and tag is None:
        st.markdown(tr("**Most like #{id}**", id=ids[0]))
        alike, distances = found.alike(ids[0], _ALIKE)
        shown = [ids[0], *alike.tolist()]
        words = [tr("this one"), *(f"{d:.3f}" for d in distances)]
    elif words is None:
        words = _words(experiment, found, shown)
    page = pager(f"{key}-page", len(shown), _AT_ONCE, of=(experiment.id, shown))
    st.caption(tr_n("{n:,} image", "{n:,} images", len(shown)))
    _actions(experiment, shown, key)
    _tag_actions(experiment, shown, key, tag)
    _undo(experiment)
    picture_wall(experiment.dataset, shown[page.part], key=f"{key}-wall", words=words[page.part], cell=84)
    page.draw()


def _words(experiment: Experiment, found: ImageMap, ids: Sequence[int]) -> list[str]:
    """The label of each, or the class that the network says with a question mark, or its number."""
    names, current = experiment.dataset.classes, experiment.store.current_labels(experiment.id)
    said = dict(zip(found.ids.tolist(), found.predicted.tolist(), strict=True))
    words = []
    for i in ids:
        given, guess = current[i].value if i in current else -1, said.get(i, -1)
        words.append(names[given] if given >= 0 else f"{names[guess]}?" if guess >= 0 else f"#{i}")
    return words


def _actions(experiment: Experiment, ids: Sequence[int], key: str) -> None:
    allowed = image_maps.may_answer(experiment, ids)
    if not allowed:
        st.caption(tr("These images are set aside to measure by, and are not labeled here."))
        return
    names = experiment.dataset.classes
    many = tr_n("{n:,} image", "{n:,} images", len(allowed))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            tr("Class"), experiment.classes().open, index=None, format_func=lambda n: names[n],
            placeholder=tr("Class"), key=f"{key}-class", width=180,
        )  # fmt: skip
        st.button(
            tr("Label {many}", many=many), type="primary", icon=":material/label:", disabled=chosen is None,
            key=f"{key}-label", on_click=_answer, args=(experiment, allowed, chosen),
        )  # fmt: skip
        st.button(
            tr("Query these"),
            icon=":material/playlist_add:",
            key=f"{key}-query",
            help=tr(
                "Put them in front of what waits to be labeled; while a round trains, of what it "
                "asks next. The log says that you asked for them; the strategy's picks stay as they "
                "are."
            ),
            on_click=_query,
            args=(experiment, allowed),
        )
        st.button(
            tr("Exclude"),
            icon=":material/block:",
            key=f"{key}-exclude",
            help=tr("Take them out of the pool."),
            on_click=_answer,
            args=(experiment, allowed, EXCLUDE),
        )
    if len(allowed) < len(ids):
        st.caption(
            tr(
                "{count:,} of them are set aside to measure by, and stay as they are.",
                count=len(ids) - len(allowed),
            )
        )


def _tag_actions(experiment: Experiment, ids: Sequence[int], key: str, tag: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if tag is not None:
            st.button(
                tr("Take “{tag}” from them", tag=plain(tag)), icon=":material/label_off:", key=f"{key}-untag",
                on_click=_tag, args=(experiment, list(ids), key, tag),
            )  # fmt: skip
            return
        st.text_input(
            tr("Tag"), key=f"{key}-tag", placeholder=tr("A word to find them by"), width=220, max_chars=60
        )
        st.button(
            tr("Tag"), icon=":material/sell:", key=f"{key}-tag-go", on_click=_tag,
            args=(experiment, list(ids), key, None),
        )  # fmt: skip


def _tag(experiment: Experiment, ids: list[int], key: str, off: str | None) -> None:
    """Give the tag that was typed, or take the tag `off`."""
    text = off if off is not None else str(st.session_state.get(f"{key}-tag", ""))
    try:
        changed = image_maps.tag(experiment, ids, text, on=off is None)
    except ALError as error:
        session.current().notices.append(str(error))
        return
    name = " ".join(text.split())
    words = {"count": len(changed), "name": plain(name)}
    if off:
        done = tr("{count:,} images no longer have the tag “{name}”.", **words)
    else:
        done = tr("{count:,} images have the tag “{name}”.", **words)
    st.session_state[_UNDO] = (
        experiment.id,
        done,
        lambda: image_maps.tag(experiment, changed, name, on=bool(off)),
    )


def _query(experiment: Experiment, ids: Sequence[int]) -> None:
    if found := ask_for(experiment, ids):
        asked, done = found
        st.session_state[_UNDO] = (experiment.id, done, lambda: image_maps.query_no_longer(experiment, asked))


def _answer(experiment: Experiment, ids: Sequence[int], value: int) -> None:
    try:
        answered = image_maps.answer(experiment, ids, value)
    except ALError as error:
        session.current().notices.append(str(error))
        return
    done = tr("{count:,} answers are saved.", count=len(answered.ids))
    st.session_state[_UNDO] = (experiment.id, done, lambda: give_back(experiment, answered))


def _undo(experiment: Experiment) -> None:
    owner, done, _ = st.session_state.get(_UNDO, (None, "", None))
    if owner != experiment.id:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":green[:material/check:] {done}")
        st.button(
            tr("Undo"), icon=":material/undo:", key="explore-take-back", on_click=_take_back,
            help=tr("Everything is as it was before."),
        )  # fmt: skip


def _take_back() -> None:
    _, _, undo = st.session_state.pop(_UNDO)
    undo()
