"""A study to take away: report, tables, every record, the figure, and the command that repeats it."""

from __future__ import annotations

import json

import streamlit as st

from al_core.experiment import Experiment
from al_core.results.export import safe_name
from al_core.results.figures.comparison import comparison_figure
from al_core.results.records_file import records
from al_core.results.study import StudyResult, curves_frame, frame_csv, report_text, summary_frame
from state import handles
from state.studies import StudyView


def downloads(study: StudyView, result: StudyResult) -> None:
    """Draw the buttons and the command."""
    stem = f"study-{study.record.id}"
    file_name = f"{safe_name(study.record.name).replace(' ', '-').lower()}.json"
    offers = (
        ("Report", "report.md", "text/markdown", lambda: report_text(result), "Verdicts and tables."),
        ("Summary", "summary.csv", "text/csv", lambda: frame_csv(summary_frame(result)), "A row a strategy."),
        ("Curves", "curves.csv", "text/csv", lambda: frame_csv(curves_frame(result)), "Means and intervals."),
        ("Records", "records.json", "application/json", lambda: _records(study), "Every run, whole."),
        ("Figure", "figure.html", "text/html", lambda: _figure(result), "Zooms; needs no network."),
    )
    with st.container(horizontal=True, gap="small", key="study-downloads"):
        for label, name, mime, data, about in offers:
            st.download_button(
                label, data, file_name=f"{stem}-{name}", mime=mime, icon=":material/download:",
                on_click="ignore", help=about, key=f"study-get-{name}",
            )  # fmt: skip
        st.download_button(
            "Study file", lambda: json.dumps(json.loads(study.record.config), indent=2),
            file_name=file_name, mime="application/json", icon=":material/data_object:",
            on_click="ignore", help="What repeats it, here or on another machine.", key="study-get-file",
        )  # fmt: skip
    st.caption("The study file and this command repeat it, number for number on the same machine:")
    st.code(f"python -m al_core study {_quoted(file_name)} --out {stem}", language="bash")


def _quoted(name: str) -> str:
    """A file name as one word of a shell: `safe_name` has left nothing that a quote could not hold."""
    return f"'{name}'"


def _records(study: StudyView) -> str:
    cells = [
        {"arm": cell.arm, "seed": cell.seed, "state": cell.state, "experiment": cell.experiment_id}
        | ({} if cell.experiment_id is None else {"records": _of(cell.experiment_id)})
        for cell in study.cells
    ]
    body = {"study": study.record.id, "config": json.loads(study.record.config), "cells": cells}
    return json.dumps(body, indent=1, ensure_ascii=False)


def _of(experiment_id: str) -> dict[str, object] | None:
    """None for a cell whose images were never prepared: nothing was recorded of it."""
    record = handles.store().experiment(experiment_id)
    if record.dataset_key is None:
        return None
    return records(Experiment.open(handles.store(), handles.settings(), experiment_id))


def _figure(result: StudyResult) -> str:
    figure = comparison_figure(result, singles=True)
    figure.update_layout(template="plotly_white", title=None, height=620)
    return figure.to_html(include_plotlyjs=True, full_html=True)
