"""The picture of what a round's network goes by in an image: asked for, waited for, shown with words."""

from __future__ import annotations

import streamlit as st

from al_core.errors import NotFound
from al_core.experiment import Experiment
from al_core.records import JobState
from al_core.results.saliency import Saliency, SaliencyRequest
from al_core.words import told, tr
from state import saliency, selectors
from state.text import plain, sentence

_LOOK_AGAIN = 0.7  # seconds


def saliency_view(experiment: Experiment, number: int, sample_id: int) -> None:
    """Offer it, or show it. `number` is the round whose network is asked."""
    request = SaliencyRequest(experiment.id, number, sample_id)
    try:
        found = saliency.heats.find(experiment, request)
    except (NotFound, KeyError):
        return  # no network was kept for that round
    if found is not None:
        _show(experiment, request, found)
        return
    job = saliency.heats.job_of(request)
    if job is not None and job.state.active:
        _wait(experiment, request)
        return
    if job is not None and job.state is JobState.FAILED:
        st.error(sentence(told(job.error_text or "") or tr("It could not be made.")), icon=":material/error:")
    _offer(request, tr("Show what it goes by"))


@st.fragment(run_every=_LOOK_AGAIN)
def _wait(experiment: Experiment, request: SaliencyRequest) -> None:
    """In place, as a new run of the page would close the dialog that this stands in."""
    found, job = saliency.heats.find(experiment, request), saliency.heats.job_of(request)
    if found is not None:
        _show(experiment, request, found)
    elif job is not None and job.state.active:
        total = job.progress.get("total") or 1
        st.progress(min(1.0, (job.progress.get("done") or 0) / total), f"{selectors.doing(job)}.")
    else:
        st.error(
            sentence(told((job and job.error_text) or "") or tr("It could not be made.")),
            icon=":material/error:",
        )
        _offer(request, tr("Try again"))


def _offer(request: SaliencyRequest, label: str) -> None:
    st.button(
        label, icon=":material/visibility:", key="saliency-ask", on_click=saliency.heats.ask, args=(request,),
        help=tr("Covers one part of the image after another, and watches the probability fall."),
    )  # fmt: skip


def _show(experiment: Experiment, request: SaliencyRequest, found: Saliency) -> None:
    name = plain(experiment.dataset.classes[found.predicted])
    st.image(
        saliency.picture(experiment, request, found),
        width=240,
        alt=tr(
            "Image {sample_id}, glowing where the model looks to see {name}",
            sample_id=request.sample_id,
            name=name,
        ),
    )
    if found.probability - found.lowest < 0.005:
        st.caption(
            tr(
                "No part alone matters: {probability:.0%} {name}, whatever is covered.",
                probability=found.probability,
                name=name,
            )
        )
        return
    st.caption(
        tr(
            "Where it glows, covering the place makes it less sure: {probability:.0%} {name}, and "
            "{lowest:.0%} with the place that matters most covered.",
            probability=found.probability,
            name=name,
            lowest=found.lowest,
        )
    )
