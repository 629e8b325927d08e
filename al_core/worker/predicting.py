"""The worker's part in using a model from the browser: classify what was asked, write a model's zip."""

from __future__ import annotations

import dataclasses
import os

from al_core.classes import last_naming
from al_core.deploy.asked import MAX_FILES, place, read_asked
from al_core.deploy.card import export_path
from al_core.deploy.choosing import choose_round
from al_core.deploy.outcome import outcome_json, write_outcome
from al_core.deploy.pictures import find_pictures
from al_core.engine.saved import classify, open_round, write_model
from al_core.errors import DataError
from al_core.experiment import Experiment
from al_core.records import JobLease, JobRecord
from al_core.results.records_file import write_json
from al_core.settings import Settings
from al_core.store.base import Store
from al_core.words import tr
from al_core.worker.control import JobControl


def predict_job(
    store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl
) -> None:
    """Classify the pictures of a request; result.json is written last, and so says that all is there."""
    asked = read_asked(settings, job.spec["token"])
    experiment = Experiment.open(store, settings, asked.experiment)
    choice = choose_round(store.rounds(experiment.id), asked.round)
    control.progress("load", 0, 1)
    pictures = find_pictures(asked.root)
    if len(pictures.names) > MAX_FILES:
        raise DataError(
            tr(
                "{root} holds {n:,} files; the browser takes up to {most:,}. Name a folder with "
                "fewer, or run: python -m al_core predict {experiment} {root} --out x.csv",
                root=asked.root,
                n=len(pictures.names),
                most=MAX_FILES,
                experiment=experiment.id,
            )
        )
    pictures = dataclasses.replace(pictures, refused=(*asked.refused, *pictures.refused))
    model = open_round(experiment, choice)

    def progress(done: int, total: int) -> None:
        control.progress("predict", done, total)

    outcome = classify(model, pictures, progress=progress, control=control)
    folder = place(settings, asked.token)
    part = folder / f".{os.getpid()}.csv"
    write_outcome(outcome, part)
    part.replace(folder / "predictions.csv")
    told = {"why": choice.why, "round": choice.record.number, "size": model.size}
    write_json(folder / "result.json", outcome_json(outcome) | told)


def export_job(
    store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl
) -> None:
    """Write a round's model as a zip to be downloaded, unless it is there."""
    experiment = Experiment.open(store, settings, job.spec["experiment"])
    named = last_naming(experiment.class_events())
    out = export_path(settings, experiment.id, job.spec["round"], named)
    if out.exists():
        return

    def progress(done: int, total: int) -> None:
        control.progress("export", done, total)

    write_model(experiment, out, number=job.spec["round"], progress=progress, control=control)
