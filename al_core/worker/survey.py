"""The survey job: one look at every image of the train split, by a round's network or at its pixels."""

from __future__ import annotations

import numpy as np

from al_core.data.looks import looks
from al_core.engine.inference import predict
from al_core.engine.network import load_network
from al_core.experiment import Experiment
from al_core.results.arrays_file import write_arrays
from al_core.results.survey import LOOKS, Predicted, SurveyRequest
from al_core.store.objects import ARRAYS, Objects
from al_core.worker.control import JobControl

_AT_ONCE = 4096  # images whose embeddings are held


def survey(experiment: Experiment, request: SurveyRequest, control: JobControl) -> None:
    """Make what is asked for and keep it, unless it is there."""
    path = request.path(experiment)
    train = experiment.dataset.train

    def told(done: int, total: int) -> None:
        control.progress("measure", done, total)
        control()

    if request.round is None:
        train.keep_sizes(told)  # also where looks were measured by a version that knew no sizes
    if path.exists():
        return
    if request.round is None:
        found = looks(train, np.arange(len(train)), progress=told)
        write_arrays(path, {name: found[name] for name in LOOKS})
        return
    record = experiment.store.rounds(experiment.id)[request.round]
    weights = Objects(experiment.settings.objects).path(record.artefacts["weights"], ARRAYS)
    network = load_network(
        weights, experiment.config.train, dataset=experiment.dataset, settings=experiment.settings
    )
    classes = experiment.classes(until=record.label_event_id)
    columns = Predicted.empty(len(train))
    for start in range(0, len(train), _AT_ONCE):
        ids = np.arange(start, min(start + _AT_ONCE, len(train)))
        control.progress("predict", start, len(train))
        columns.put(start, classes.widened(predict(network, train, ids, control=control).probs))
    columns.write(path)
