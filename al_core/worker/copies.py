"""Adversarial copies (Ducoffe & Precioso, 2018, arXiv 1802.09841): made when asked, used once labeled.

A queried image moved just over the border of its predicted class is another image for which the label that
it is given holds. Copies are kept with the round that asked; they are no samples and cost no label.
"""

from __future__ import annotations

import numpy as np

from al_core.data.dataset import Dataset
from al_core.engine.inference import Control
from al_core.engine.network import Network
from al_core.engine.providers.adversarial import adversarial_copies
from al_core.experiment import Experiment
from al_core.store.objects import Objects
from al_core.types import Labels, SampleIds


def new_copies(
    network: Network, dataset: Dataset, picked: SampleIds, control: Control
) -> dict[str, np.ndarray]:
    """Copies of the images that are asked for, as arrays of the round: pixels, and whose copies they are."""
    images, found = adversarial_copies(network, dataset, picked, control=control)
    return {"copies": images[found], "copied_ids": picked[found]}


def stored_copies(experiment: Experiment, ids: SampleIds, classes: Labels) -> dict[str, np.ndarray]:
    """What TrainData takes: the copies of these labeled images from all rounds, with their labels.

    An image that is given several times, as a bootstrap does, has its copy as often.
    """
    objects = Objects(experiment.settings.objects)
    order = np.argsort(ids, kind="stable")
    images, labels = [], []
    for record in experiment.store.rounds(experiment.id):
        stored = objects.get_arrays(record.artefacts["arrays"]) if "arrays" in record.artefacts else {}
        if not len(ids) or not len(stored.get("copied_ids", ())):
            continue
        copied = stored["copied_ids"]
        first, end = (np.searchsorted(ids, copied, side=side, sorter=order) for side in ("left", "right"))
        images.append(np.repeat(stored["copies"], end - first, axis=0))
        labels.append(classes[order[np.repeat(first, end - first)]])
    if not images:
        return {}
    return {"copies": np.concatenate(images), "copy_classes": np.concatenate(labels)}
