"""A run to take away: its report, its tables, its log, and the command that repeats it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import streamlit as st

from al_core.experiment import Experiment
from al_core.records import RoundRecord
from al_core.results.analysis import epochs_frame, rounds_frame
from al_core.results.logs import run_log
from al_core.results.records_file import manifest, records
from al_core.results.repeat import run_command
from al_core.results.study_tables import frame_csv
from al_core.results.tables import labels_frame, quality_frame, queries_frame, samples_frame
from al_core.words import tr
from state import handles, outputs

Rounds = tuple[RoundRecord, ...]


def take_away_panel(experiment: Experiment, rounds: Rounds) -> None:
    """Draw the buttons and the command."""
    store, dataset = handles.store(), experiment.dataset

    def queries() -> pd.DataFrame:
        labels = store.current_labels(experiment.id)
        return queries_frame(dataset, store.queries(experiment.id), labels, experiment.marks())

    st.download_button(
        tr("Report"), lambda: outputs.report([experiment.id]), file_name=f"run-{experiment.id}.html",
        mime="text/html", icon=":material/article:", type="primary", on_click="ignore", key="run-get-report",
        help=tr("One page with words, figures and tables; it needs no network, and prints."),
    )  # fmt: skip
    tables: tuple[tuple[str, str, Callable[[], pd.DataFrame], str], ...] = (
        (tr("Rounds"), "rounds", lambda: rounds_frame(rounds), tr("Metrics and seconds of each round.")),
        (tr("Epochs"), "epochs", lambda: epochs_frame(store.epochs(experiment.id)), tr("Loss and accuracy.")),
        (
            tr("Classes"),
            "classes",
            lambda: quality_frame(rounds, dataset.classes),
            tr("Precision, recall, F1."),
        ),
        (
            tr("Queries"),
            "queries",
            queries,
            tr("Every image that was asked for: ids, scores, guesses, truth."),
        ),
        (
            tr("Labels"),
            "labels",
            lambda: labels_frame(experiment),
            tr("Every answer; --init import reads it."),
        ),
        (tr("Samples"), "samples", lambda: samples_frame(dataset), tr("Which file each sample id is.")),
    )
    files: tuple[tuple[str, str, str, Callable[[], str], str], ...] = (
        (
            tr("Records"),
            "records.json",
            "application/json",
            lambda: _json(records(experiment)),
            tr("All of it."),
        ),
        (
            tr("Manifest"),
            "manifest.json",
            "application/json",
            lambda: _json(manifest(experiment)),
            tr("Settings, versions, data: run --config reads it."),
        ),
        (
            tr("Log"),
            "run.log",
            "text/plain",
            lambda: run_log(store, experiment.settings, experiment.id),
            tr("What every attempt of every job wrote."),
        ),
    )
    with st.container(horizontal=True, gap="small", key="run-downloads"):
        for label, name, frame, about in tables:
            st.download_button(
                label, lambda frame=frame: frame_csv(frame()), file_name=f"{name}-{experiment.id}.csv",
                mime="text/csv", icon=":material/table:", on_click="ignore", help=about,
                key=f"run-get-{name}",
            )  # fmt: skip
        for label, name, mime, text, about in files:
            st.download_button(
                label, text, file_name=f"{experiment.id}-{name}", mime=mime, icon=":material/download:",
                on_click="ignore", help=about, key=f"run-get-{name}",
            )  # fmt: skip
    st.caption(tr("This repeats the run; ground truth answers in it where people did:"))
    st.code(run_command(experiment.config, f"run-{experiment.id}", rounds=len(rounds)), language="bash",
            wrap_lines=True)  # fmt: skip
    st.caption(tr("And this writes everything at once, with figures and the queried images:"))
    words = f"python -m al_core export {experiment.id} --out {experiment.id} --rounds all --images --figures"
    st.code(words, language="bash", wrap_lines=True)


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
