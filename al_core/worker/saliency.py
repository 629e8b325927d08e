"""The job behind the picture of what a network goes by."""

from __future__ import annotations

import numpy as np

from al_core.engine.saliency import occlusion
from al_core.errors import NotFound
from al_core.experiment import Experiment
from al_core.records import JobLease, JobRecord
from al_core.results.saliency import Saliency, SaliencyRequest
from al_core.settings import Settings
from al_core.store.base import Store
from al_core.words import tr
from al_core.worker.control import JobControl
from al_core.worker.forked import trained_network


def saliency_job(
    store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl
) -> None:
    """Make it and keep it, unless it is there."""
    request = SaliencyRequest(**job.spec)
    experiment = Experiment.open(store, settings, request.experiment)
    path = request.path(experiment)
    if path.exists():
        return
    if not 0 <= request.sample_id < len(experiment.dataset.train):
        raise NotFound(tr("there is no image {sample_id}", sample_id=request.sample_id))
    control.progress("saliency", 0, 1)
    record = store.rounds(experiment.id)[request.round]
    network = trained_network(experiment, record)
    image = experiment.dataset.train.read(np.array([request.sample_id]))
    heat, output, own, lowest = occlusion(
        network, image, control=control,
        progress=lambda done, total: control.progress("saliency", done, total),
    )  # fmt: skip
    classes = experiment.classes(until=record.label_event_id)
    predicted = int(classes.ids_of(np.array([output]))[0])
    Saliency(heat, predicted, own, lowest).write(path)
