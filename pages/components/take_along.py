"""The model as a download, and the example that uses it without this program."""

from __future__ import annotations

import streamlit as st

from al_core.deploy.card import EXAMPLE_TEXT
from al_core.deploy.choosing import Choice
from al_core.experiment import Experiment
from al_core.records import JobRecord, JobState
from al_core.words import told, tr
from pages.components.shield import shielded
from state import jobs, predictions, selectors
from state.text import plain, sentence
from state.web.models import model_url

_TICK = 0.8
_INSIDE = tr("""
- `model.onnx`: pixels in, probabilities out; held against the trained network before you get it
- `model.safetensors`: the weights, for this program or your own
- `model.json`: classes, input size, preprocessing, accuracy, and which data, labels and versions made it
- `predict.py`: the example below
""")


def take_along(experiment: Experiment, choice: Choice) -> None:
    """Draw the section for a round's model."""
    st.subheader(tr("Take the model along"), anchor=False)
    number = choice.record.number
    with st.container(width=720):
        st.markdown(tr("A zip that needs neither this program nor this machine:") + _INSIDE)
        job = predictions.export_job(experiment.id, number)
        path = predictions.exported(experiment.id, number)
        if path is not None:
            size = max(1, round(path.stat().st_size / 2**20))
            st.link_button(
                tr("Download the model ({size:,} MB)", size=size),
                model_url(experiment.id, number),
                type="primary",
                icon=":material/download:",
            )
        elif job is not None and job.state.active:
            st.fragment(_progress, key="export-progress", run_every=_TICK)(job.id)
        else:
            _offer(experiment, number, job)
    st.caption(tr("The same from the command line"))
    st.code(f"python -m al_core export-model {experiment.id} --round {number} --out model", "bash")
    st.caption(tr("The example, predict.py: twenty lines, equal to what this page says to four digits"))
    st.code(EXAMPLE_TEXT, "python")


def _offer(experiment: Experiment, number: int, job: JobRecord | None) -> None:
    if job is not None and job.state is JobState.FAILED:
        st.error(
            sentence(told(job.error_text or "") or tr("The model could not be written.")),
            icon=":material/error:",
        )
    if st.button(
        tr("Download the model"), icon=":material/deployed_code:", type="primary", key="export-model"
    ):
        started = predictions.export(experiment.id, number)
        jobs.wait(started.id, 0.5)
        st.rerun()
    st.caption(tr("Written first, in some seconds; then the download begins with one more click."))


def _progress(job_id: str) -> None:
    with shielded("writing the model"):
        job = jobs.wait(job_id, 0)
        if not job.state.active:
            st.rerun()
        done, total = job.progress.get("done", 0), job.progress.get("total", 0)
        st.progress(min(1.0, done / total) if total else 0.0, text=plain(selectors.doing(job)))
