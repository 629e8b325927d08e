"""A study to take away: report, tables, every record, the figure, and the command that repeats it."""

from __future__ import annotations

import json

import streamlit as st

from al_core.experiment import Experiment
from al_core.results.averages import averages_frame, results_json, runs_frame
from al_core.results.export import safe_name
from al_core.results.records_file import records
from al_core.results.runs import Group, groups_of_study
from al_core.results.study import StudyResult
from al_core.results.study_tables import curves_frame, frame_csv, summary_frame
from al_core.results.study_text import report_text
from al_core.words import tr
from state import cache, handles, outputs, studies
from state.studies import StudyView


def downloads(study: StudyView, result: StudyResult) -> None:
    """Draw the buttons and the command."""
    stem = f"study-{study.record.id}"
    file_name = f"{safe_name(study.record.name).replace(' ', '-').lower()}.json"
    offers = (
        (tr("Text"), "report.md", "text/markdown", lambda: report_text(result), tr("Verdicts and tables.")),
        (
            tr("Summary"),
            "summary.csv",
            "text/csv",
            lambda: frame_csv(summary_frame(result)),
            tr("A row a strategy."),
        ),
        (
            tr("Curves"),
            "curves.csv",
            "text/csv",
            lambda: frame_csv(curves_frame(result)),
            tr("Means and intervals."),
        ),
        (
            tr("Averages"),
            "averages.csv",
            "text/csv",
            lambda: frame_csv(averages_frame(_groups(study))),
            tr("Mean and sample deviation over the seeds, of everything that was measured."),
        ),
        (
            tr("Rounds"),
            "rounds.csv",
            "text/csv",
            lambda: frame_csv(runs_frame(_groups(study))),
            tr("Every round."),
        ),
        (
            tr("Results"),
            "results.json",
            "application/json",
            lambda: results_json(_groups(study), study.record.name),
            tr("Configurations, rounds, averages."),
        ),
        (tr("Records"), "records.json", "application/json", lambda: _records(study), tr("Every run, whole.")),
    )
    st.download_button(
        tr("Report"), lambda: outputs.report([study.record.id], metric=result.metric.key),
        file_name=f"{stem}.html", mime="text/html", icon=":material/article:", type="primary",
        on_click="ignore", key="study-get-report",
        help=tr("One page with verdicts, figures and tables; it needs no network, and prints."),
    )  # fmt: skip
    with st.container(horizontal=True, gap="small", key="study-downloads"):
        for label, name, mime, data, about in offers:
            st.download_button(
                label, data, file_name=f"{stem}-{name}", mime=mime, icon=":material/download:",
                on_click="ignore", help=about, key=f"study-get-{name}",
            )  # fmt: skip
        st.download_button(
            tr("Study file"), lambda: json.dumps(json.loads(study.record.config), indent=2),
            file_name=file_name, mime="application/json", icon=":material/data_object:",
            on_click="ignore", help=tr("What repeats it, here or on another machine."), key="study-get-file",
        )  # fmt: skip
    st.caption(tr("The study file and this command repeat it, number for number on the same machine:"))
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


def _groups(study: StudyView) -> list[Group]:
    return groups_of_study(handles.store(), study.record.id, title=studies.arm_title, rounds_of=cache.rounds)
