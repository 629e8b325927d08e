"""The class radar: how many classes have been seen, and the images most likely to show a missing one."""

from __future__ import annotations

import streamlit as st

from al_core.by_hand import Asked
from al_core.experiment import Experiment
from al_core.records import JobState
from pages.components.ask_for import ask_for
from pages.components.job_wait import job_wait
from pages.components.picture_wall import picture_wall
from state import class_radar, image_maps
from state.class_radar import Coverage, Proposal
from state.text import plain, sentence

_NAMED = 8
_PASSED = "radar-passed"
_UNDO = "radar-undo"
_FAR, _NEAR = 1.15, 0.9


def missing_words(seen: Coverage) -> str:
    """How many of the classes were seen, and which were not, in markdown."""
    names = [plain(name) for name in seen.missing[:_NAMED]]
    more = len(seen.missing) - len(names)
    listed = ", ".join(names) + (f" and {more} more" if more else "")
    return f"**{seen.seen} of {seen.total} classes seen.** Not yet: {listed}."


def proposal_words(proposal: Proposal) -> str:
    """Why these: what is known of the group."""
    held = "none of them labeled" if not proposal.labeled else f"{proposal.labeled} more of it labeled"
    text = f"A group of {proposal.size:,} images that lie together, {held}"
    if proposal.remoteness > _FAR:
        return f"{text}; {proposal.remoteness:.1f} times as far from the labeled ones as usual."
    if proposal.remoteness < _NEAR:
        return f"{text}; nearer to the labeled ones than usual."
    return f"{text}; as far from the labeled ones as usual."


def class_radar_button(experiment: Experiment) -> None:
    """For the Label page: a button that says how many classes were seen, while some were not."""
    if experiment.config.oracle != "human":
        return
    seen = class_radar.coverage(experiment)
    if not seen.missing or not seen.labels:
        return
    found = st.popover(
        f"{seen.seen} of {seen.total} classes seen", icon=":material/radar:", key="radar", on_change="rerun",
    )  # fmt: skip
    if found.open:
        with found:
            class_radar_panel(experiment)


def class_radar_panel(experiment: Experiment) -> None:
    """Draw it: the count, the likeliest group, and what can be done with it."""
    seen = class_radar.coverage(experiment)
    if not seen.missing:
        st.success(f"All {seen.total} classes have a label.", icon=":material/check_circle:")
        return
    st.markdown(missing_words(seen))
    _undo(experiment)
    if not seen.labels:
        st.caption("Answer the first images: what is far from all of them is looked for then.")
        return
    found = class_radar.find(experiment)
    if found is None:
        _make(experiment)
        return
    proposals = class_radar.proposals(experiment, found, experiment.pool())
    if not proposals:
        st.caption("No group of images is left that could be asked for.")
        return
    place = _passed(experiment, seen) % len(proposals)
    _group(experiment, seen, proposals, place)


def _make(experiment: Experiment) -> None:
    request = class_radar.request(experiment)
    job = image_maps.maps.job_of(request)
    if job is not None and job.state.active:
        job_wait(lambda: image_maps.maps.job_of(request))
        return
    if job is not None and job.state is JobState.FAILED:
        st.error(sentence(job.error_text or "The images could not be compared."), icon=":material/error:")
    st.button(
        "Look for the missing classes", icon=":material/radar:", key="radar-make",
        on_click=image_maps.maps.ask, args=(request,),
        help="Lays all images side by side, once, by features that no round trains.",
    )  # fmt: skip


def _passed(experiment: Experiment, seen: Coverage) -> int:
    """How many groups the person passed over since the last label."""
    state, count = st.session_state.get(_PASSED, (None, 0))
    return count if state == (experiment.id, seen.labels) else 0


def _group(experiment: Experiment, seen: Coverage, proposals: list[Proposal], place: int) -> None:
    proposal = proposals[place]
    st.caption(
        f"Most likely to show one. {proposal_words(proposal)}"
        if not place
        else f"{place + 1} of {len(proposals)}. {proposal_words(proposal)}"
    )
    words = [f"#{i}" for i in proposal.ids]  # and no true class, which would sway who labels
    picture_wall(experiment.dataset, proposal.ids, key="radar-wall", cell=72, words=words)
    many = len(proposal.ids)
    with st.container(horizontal=True, gap="small"):
        st.button(
            f"Query these {many}", type="primary", icon=":material/playlist_add:", key="radar-query",
            on_click=_query, args=(experiment, proposal.ids),
            help="Put them in front of what waits to be labeled; while a round trains, of what it asks next.",
        )  # fmt: skip
        if len(proposals) > 1:
            st.button(
                "Another group", icon=":material/skip_next:", key="radar-pass", on_click=_pass,
                args=(experiment.id, seen.labels, place + 1),
            )  # fmt: skip


def _pass(experiment_id: str, labels: int, count: int) -> None:
    st.session_state[_PASSED] = ((experiment_id, labels), count)


def _query(experiment: Experiment, ids: tuple[int, ...]) -> None:
    if found := ask_for(experiment, ids):
        asked, done = found
        st.session_state[_UNDO] = (experiment.id, done, asked)


def _undo(experiment: Experiment) -> None:
    owner, words, asked = st.session_state.get(_UNDO, (None, "", None))
    if owner != experiment.id:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":green[:material/check:] {words}")
        st.page_link("label.py", label="Label them", icon=":material/touch_app:")
        st.button(
            "Undo", icon=":material/undo:", key="radar-take-back", on_click=_take_back,
            args=(experiment, asked),
        )  # fmt: skip


def _take_back(experiment: Experiment, asked: Asked) -> None:
    st.session_state.pop(_UNDO, None)
    image_maps.query_no_longer(experiment, asked)
