"""The job behind a picture that is held against the map: which images are most like it."""

from __future__ import annotations

import numpy as np

from al_core.data.pixels import MemmapSplit
from al_core.deploy.asked import place, read_asked
from al_core.deploy.pictures import decode, find_pictures
from al_core.engine.inference import embed
from al_core.errors import DataError
from al_core.experiment import Experiment
from al_core.records import JobLease, JobRecord
from al_core.results.image_map import ImageMap, MapRequest
from al_core.results.records_file import write_json
from al_core.settings import Settings
from al_core.store.base import Store
from al_core.types import UNKNOWN
from al_core.words import noted, told, tr
from al_core.worker.control import JobControl
from al_core.worker.forked import trained_network

MOST = 48


def alike_job(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> None:
    """Look at the first picture of a request as the map's network does, and write its nearest images."""
    asked, request = read_asked(settings, job.spec["token"]), MapRequest(**job.spec["map"])
    experiment = Experiment.open(store, settings, request.experiment)
    if request.round is None:
        raise DataError(tr("a picture from outside needs a map by a round's network; choose that one"))
    control.progress("load", 0, 1)
    found = ImageMap.read(request.path(experiment))
    block = next(decode(find_pictures(asked.root), experiment.dataset.image_size))
    if not len(block.images):
        reason = block.refused[0].reason if block.refused else noted("it is empty")
        raise DataError(tr("the file is not a picture that can be opened ({reason})", reason=told(reason)))
    network = trained_network(experiment, experiment.store.rounds(experiment.id)[request.round])
    picture = MemmapSplit("test", np.full(1, UNKNOWN), block.images[:1], None)
    features = embed(network, picture, np.zeros(1, np.int64), control=control)
    ids, distances = found.alike_to(features[0], MOST)
    answer = {
        "name": block.names[0],
        "ids": ids.tolist(),
        "distances": [round(float(d), 5) for d in distances],
    }
    write_json(place(settings, asked.token) / "result.json", answer)
