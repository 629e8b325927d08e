"""Everything of a run, or of several side by side, as a folder of files: what `export` writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from al_core.errors import NotFound
from al_core.experiment import Experiment
from al_core.results.analysis import class_counts_frame, epochs_frame, rounds_frame
from al_core.results.averages import averages_frame, results_json, runs_frame
from al_core.results.export import write_queries
from al_core.results.figures.sheets import (
    RunMaterial,
    Sheet,
    SideBySide,
    comparison_sheets,
    run_sheets,
)
from al_core.results.logs import run_log
from al_core.results.records_file import write_run
from al_core.results.rendering import Format, write_figures
from al_core.results.study_tables import curves_frame, frame_csv, summary_frame
from al_core.results.study_text import report_text
from al_core.results.tables import (
    class_changes_frame,
    confusion_frame,
    labels_frame,
    marks_frame,
    predictions_frame,
    quality_frame,
    queries_frame,
    samples_frame,
)
from al_core.words import tr

Progress = Callable[[int, int], None]
Layout = Literal["class", "round"]


def write_run_folder(
    experiment: Experiment,
    folder: Path,
    *,
    rounds: Sequence[int] | None = None,
    images: Layout | None = None,
    formats: Sequence[Format] = (),
    progress: Progress = lambda done, total: None,
) -> None:
    """Write records, manifest, tables and log; `images` and `formats` add pictures and figures.

    `rounds` says whose predictions, confusion matrices and epochs are written; the last one's where None.

    Raises:
        FigureError: a format cannot be made here; nothing was written.
        NotFound: there is no such round.
    """
    store, dataset = experiment.store, experiment.dataset
    found = store.rounds(experiment.id)
    wanted = [r.number for r in found[-1:]] if rounds is None else list(rounds)
    for number in wanted:
        if number >= len(found):
            raise NotFound(
                tr("there is no round {number}; the run has {n}, from 0", number=number, n=len(found))
            )
    note = f"{experiment.record.name} · run {experiment.id}"
    _write_sheets(
        run_sheets(RunMaterial.of(experiment), rounds=wanted), folder / "figures", formats, note, progress
    )
    write_run(experiment, folder)
    queries, labels = store.queries(experiment.id), store.current_labels(experiment.id)
    marks = experiment.marks()
    tables = {
        "rounds": rounds_frame(found),
        "epochs": epochs_frame(store.epochs(experiment.id)),
        "labels": labels_frame(experiment),
        "labels-per-class": class_counts_frame(found, dataset.classes),
        "classes": quality_frame(found, dataset.classes),
        "marks": marks_frame(experiment),
        "class-changes": class_changes_frame(experiment),
        "queries": queries_frame(dataset, queries, labels, marks),
        "samples": samples_frame(dataset),
    }
    for record in found:
        if record.confusion is not None:
            tables[f"confusion/round-{record.number:03d}"] = confusion_frame(record, dataset.classes)
        if record.number in wanted and "arrays" in record.artefacts and record.confusion is not None:
            tables[f"predictions/round-{record.number:03d}"] = predictions_frame(experiment, record.number)
    for name, frame in tables.items():
        write_table(folder / f"{name}.csv", frame)
    (folder / "run.log").write_text(run_log(store, experiment.settings, experiment.id), encoding="utf-8")
    if images is not None:
        with (folder / "selected.zip").open("wb") as file:
            write_queries(file, dataset, queries, labels, marks=marks, by_round=images == "round")


def write_comparison_folder(
    side: SideBySide,
    folder: Path,
    *,
    metric: str | None = None,
    formats: Sequence[Format] = (),
    progress: Progress = lambda done, total: None,
) -> None:
    """Write results.json, every round, averages, verdicts and curves; `formats` adds figures.

    Raises:
        FigureError: a format cannot be made here; nothing was written.
    """
    _write_sheets(comparison_sheets(side, metric=metric), folder / "figures", formats, side.name, progress)
    folder.mkdir(parents=True, exist_ok=True)
    result = side.result(metric)
    (folder / "results.json").write_text(results_json(side.groups, side.name), encoding="utf-8")
    (folder / "report.md").write_text(report_text(result), encoding="utf-8")
    tables = {
        "rounds": runs_frame(side.groups), "averages": averages_frame(side.groups),
        "summary": summary_frame(result), "curves": curves_frame(result),
    }  # fmt: skip
    for name, frame in tables.items():
        write_table(folder / f"{name}.csv", frame)


def write_table(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as CSV, in a folder that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(frame_csv(frame), encoding="utf-8", newline="")


def _write_sheets(
    sheets: Sequence[Sheet], folder: Path, formats: Sequence[Format], note: str, progress: Progress
) -> None:
    figures = {
        folder / f"{sheet.key}.{form}": sheet.alone(note) for sheet in sheets for form in formats
    }  # fmt: skip
    if figures:
        write_figures(figures, progress)
