"""The class radar: how many classes have been seen, and the images most likely to show a missing one."""

from __future__ import annotations

import streamlit as st

from al_core.by_hand import Asked
from al_core.experiment import Experiment
from al_core.records import JobState
from al_core.words import told, tr, tr_n
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
    listed, more = ", ".join(names), len(seen.missing) - len(names)
    if more:
        listed = tr("{names} and {n} more", names=listed, n=more)
    return tr_n(
        "**{seen} of {n} class seen.** Not yet: {listed}.",
        "**{seen} of {n} classes seen.** Not yet: {listed}.",
        seen.total,
        seen=seen.seen,
        listed=listed,
    )


def proposal_words(proposal: Proposal) -> str:
    """Why these: what is known of the group."""
    if proposal.labeled:
        text = tr(
            "A group of {size:,} images that lie together, {labeled} more of it labeled",
            size=proposal.size,
            labeled=proposal.labeled,
        )
    else:
        text = tr("A group of {size:,} images that lie together, none of them labeled", size=proposal.size)
    if proposal.remoteness > _FAR:
        return tr(
            "{text}; {remoteness:.1f} times as far from the labeled ones as usual.",
            text=text,
            remoteness=proposal.remoteness,
        )
    if proposal.remoteness < _NEAR:
        return tr("{text}; nearer to the labeled ones than usual.", text=text)
    return tr("{text}; as far from the labeled ones as usual.", text=text)


def class_radar_button(experiment: Experiment) -> None:
    """For the Label page: a button that says how many classes were seen, while some were not."""
    if experiment.config.oracle != "human":
        return
    seen = class_radar.coverage(experiment)
    if not seen.missing or not seen.labels:
        return
    found = st.popover(
        tr_n("{seen} of {n} class seen", "{seen} of {n} classes seen", seen.total, seen=seen.seen),
        icon=":material/radar:",
        key="radar",
        on_change="rerun",
    )
    if found.open:
        with found:
            class_radar_panel(experiment)


def class_radar_panel(experiment: Experiment) -> None:
    """Draw it: the count, the likeliest group, and what can be done with it."""
    seen = class_radar.coverage(experiment)
    if not seen.missing:
        st.success(tr("All {total} classes have a label.", total=seen.total), icon=":material/check_circle:")
        return
    st.markdown(missing_words(seen))
    _undo(experiment)
    if not seen.labels:
        st.caption(tr("Answer the first images: what is far from all of them is looked for then."))
        return
    found = class_radar.find(experiment)
    if found is None:
        _make(experiment)
        return
    proposals = class_radar.proposals(experiment, found, experiment.pool())
    if not proposals:
        st.caption(tr("No group of images is left that could be asked for."))
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
        st.error(
            sentence(told(job.error_text or "") or tr("The images could not be compared.")),
            icon=":material/error:",
        )
    st.button(
        tr("Look for the missing classes"), icon=":material/radar:", key="radar-make",
        on_click=image_maps.maps.ask, args=(request,),
        help=tr("Lays all images side by side, once, by features that no round trains."),
    )  # fmt: skip


def _passed(experiment: Experiment, seen: Coverage) -> int:
    """How many groups the person passed over since the last label."""
    state, count = st.session_state.get(_PASSED, (None, 0))
    return count if state == (experiment.id, seen.labels) else 0


def _group(experiment: Experiment, seen: Coverage, proposals: list[Proposal], place: int) -> None:
    proposal = proposals[place]
    st.caption(
        tr("Most likely to show one. {group}", group=proposal_words(proposal))
        if not place
        else tr(
            "{place} of {total}. {group}",
            place=place + 1,
            total=len(proposals),
            group=proposal_words(proposal),
        )
    )
    words = [f"#{i}" for i in proposal.ids]  # and no true class, which would sway who labels
    picture_wall(experiment.dataset, proposal.ids, key="radar-wall", cell=72, words=words)
    many = len(proposal.ids)
    with st.container(horizontal=True, gap="small"):
        st.button(
            tr("Query these {many}", many=many),
            type="primary",
            icon=":material/playlist_add:",
            key="radar-query",
            on_click=_query,
            args=(experiment, proposal.ids),
            help=tr(
                "Put them in front of what waits to be labeled; while a round trains, of what it asks next."
            ),
        )
        if len(proposals) > 1:
            st.button(
                tr("Another group"), icon=":material/skip_next:", key="radar-pass", on_click=_pass,
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
        st.page_link("label.py", label=tr("Label them"), icon=":material/touch_app:")
        st.button(
            tr("Undo"), icon=":material/undo:", key="radar-take-back", on_click=_take_back,
            args=(experiment, asked),
        )  # fmt: skip


def _take_back(experiment: Experiment, asked: Asked) -> None:
    st.session_state.pop(_UNDO, None)
    image_maps.query_no_longer(experiment, asked)
