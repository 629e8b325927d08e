"""A picture from outside held against the map: the images that are most like it."""

from __future__ import annotations

import streamlit as st

from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.records import JobState
from al_core.results.image_map import ImageMap, MapRequest
from al_core.words import told, tr
from pages.components.job_wait import job_wait
from pages.components.picked_images import picked_images
from state import image_maps
from state.text import plain, sentence

_ASKED = "explore-alike"


def like_a_picture(experiment: Experiment, request: MapRequest, found: ImageMap) -> None:
    """Take a picture, let the worker look at it, and show what it found."""
    if request.round is None or not len(found.center):
        st.info(
            tr("Choose “This round's network” above: pictures from outside are compared by what it sees."),
            icon=":material/info:",
        )
        return
    file = st.file_uploader(
        tr("A picture"), key="explore-upload", accept_multiple_files=False,
        help=tr("It is kept for a day, and becomes no part of the data set."),
    )  # fmt: skip
    asked, of_file, token = st.session_state.get(_ASKED, (None, None, None))
    if file is None:
        st.caption(tr("The images of the map that are most like a picture of yours."))
        return
    if (asked, of_file) != (request, file.file_id):
        try:
            token = image_maps.ask_alike(request, [(file.name, file)])
        except ALError as error:
            st.error(sentence(error), icon=":material/error:")
            return
        st.session_state[_ASKED] = (request, file.file_id, token)
    answer = image_maps.alike_found(token)
    job = image_maps.alike_job(token)
    if answer is not None:
        st.caption(tr("Most like {name}, the nearest first", name=plain(answer["name"])))
        words = [f"{distance:.3f}" for distance in answer["distances"]]
        picked_images(experiment, found, answer["ids"], key="alike", words=words)
    elif job is not None and job.state.active:
        job_wait(lambda: image_maps.alike_job(token))
    else:
        failed = job.error_text if job is not None and job.state is JobState.FAILED else None
        st.error(
            sentence(told(failed or "") or tr("Stopped before the picture was looked at.")),
            icon=":material/error:",
        )
        st.button(tr("Try again"), icon=":material/refresh:", key="explore-alike-again", on_click=_forget)


def _forget() -> None:
    """The picture is asked about anew."""
    st.session_state.pop(_ASKED, None)
