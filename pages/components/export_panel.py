"""Export: the session's labels in a format of exchange, with the run card."""

from __future__ import annotations

import streamlit as st

from al_core.exchange.content import FORMATS, Format
from al_core.experiment import Experiment
from al_core.words import tr
from pages.components.transfer_wait import transfer_wait
from state import transfers
from state.text import sentence
from state.web.transfers import transfer_url

_ABOUT: dict[Format, str] = {
    "csv": tr(
        "A row an image: id, file, label, marks, who, when. Text that a spreadsheet would run as a "
        "formula bears a quote, which importing takes off."
    ),
    "json": tr("The same, an object an image, with the classes and the fingerprint of the data."),
    "parquet": tr("The same as columns."),
    "coco": tr("Images, categories, and an annotation a labeled image."),
    "label-studio": tr("Tasks with a choice each; skipped ones are cancelled annotations."),
    "hf": tr("A folder that Hugging Face's load_dataset reads: pictures and a ClassLabel."),
    "folders": tr("The pictures in a folder for each class, with a manifest."),
}
_TOKEN = "data-export"


def export_panel(experiment: Experiment) -> None:
    """Choose, write, download."""
    st.caption(
        tr(
            "Labels, skipped and excluded images, marks, tags and what each person said. Imported "
            "again they give the same state; run-card.json beside them says config, seeds, versions, "
            "fingerprints and the command that repeats the run."
        )
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="export-choice"):
        form = st.selectbox(
            tr("Format"), list(FORMATS), index=1, format_func=lambda f: tr(FORMATS[f]), key="export-format",
            width=240, persist_state="session",
        )  # fmt: skip
        every = st.toggle(tr("Images without a label too"), key="export-every", persist_state="session")
    st.caption(_ABOUT[form])
    asked = (experiment.id, form, every)
    token, written = st.session_state.get(_TOKEN, ("", ()))
    found = transfers.status(token, "export") if token and written == asked else None
    if found is not None and found.running:
        transfer_wait(token, "export")
        return
    if found is not None and found.error:
        st.error(sentence(found.error), icon=":material/error:")
    path = transfers.exported(token) if found is not None and not found.error else None
    with st.container(horizontal=True, gap="small"):
        if path is not None:
            size = max(0.1, path.stat().st_size / 2**20)
            name = f"{experiment.id}-{form}.zip"
            st.link_button(
                tr("Download ({size:,.1f} MB)", size=size),
                transfer_url(token, "export", name),
                type="primary",
                icon=":material/download:",
                key="export-download",
            )
        st.button(
            tr("Write it anew") if path is not None else tr("Write the export"), icon=":material/ios_share:",
            type="secondary" if path is not None else "primary", key="export-write", on_click=_write,
            args=asked,
        )  # fmt: skip
    st.caption(tr("The same from the command line"))
    more = " --every" if every else ""
    st.code(f"python -m al_core export {experiment.id} --as {form} --out labels{more}", "bash")


def _write(experiment_id: str, form: Format, every: bool) -> None:
    token = transfers.begin()
    st.session_state[_TOKEN] = (token, (experiment_id, form, every))
    transfers.export(token, experiment_id, form, every=every)
