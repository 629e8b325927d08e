"""The images that an experiment begins with: its initial set, or all that a baseline trains on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from al_core.baselines import ONCE, draw_once, planned_labels
from al_core.exchange.naming import Naming
from al_core.experiment import Experiment
from al_core.initial import class_map, draw_initial, read_labels_file
from al_core.records import LabelSource
from al_core.types import INITIAL_ROUND, SampleIds
from al_core.words import told, tr


def first_images(
    experiment: Experiment, features: Callable[[SampleIds], np.ndarray]
) -> tuple[str, SampleIds, dict[int, int]]:
    """What chose them, their ids in order, and the labels that were imported with them."""
    config, train = experiment.config, experiment.prepared.train
    pool_ids = experiment.pool().unlabeled_ids
    imported = _imported(experiment) if config.init.init == "import" else {}
    if config.query.baseline == "full":
        return "full", draw_once(config, pool_ids, train.labels, len(pool_ids)), {}
    if config.init.init == "import":
        ids = np.asarray(list(imported), np.int64)
    else:
        ids = draw_initial(config.init, pool_ids, train.labels, config.seed, features)
    if config.query.baseline in ONCE:
        total = planned_labels(config, len(ids)) or len(pool_ids)
        return config.query.baseline, draw_once(config, pool_ids, train.labels, total), {}
    return config.init.init, ids, imported


def untold(experiment: Experiment, features: Callable[[SampleIds], np.ndarray]) -> dict[int, int]:
    """The imported labels, where the attempt that made the query died before it could tell them."""
    query = experiment.store.query(experiment.id, INITIAL_ROUND)
    if query is None or query.strategy != "import":
        return {}
    events = experiment.store.label_events(experiment.id)
    if any(event.source in (LabelSource.IMPORT, LabelSource.SHARED) for event in events):
        return {}
    _, _, imported = first_images(experiment, features)
    said = {event.sample_id for event in events}
    return {i: value for i, value in imported.items() if i not in said}


def _imported(experiment: Experiment) -> dict[int, int]:
    """The file's labels, but for images that are set aside: those are no pool labels.

    Classes that only the file has are made, where the config says so: by name, so that an attempt which is
    repeated finds them.
    """
    init, dataset = experiment.config.init, experiment.dataset
    path, train = Path(init.import_labels or ""), dataset.train
    naming = Naming(experiment.classes(), class_map(init.import_map), init.new_classes == "add")
    known = ", ".join(dataset.classes[:20])

    def read(label: str) -> int | str:
        found = naming.read(label)
        if isinstance(found, int):
            return found
        return tr(
            "{found}, which are {classes}: say which it is with import_map ({name}=CLASS), or let it be "
            "added with new_classes=add",
            found=told(found),
            classes=known,
            name=label[:40],
        )

    labels = read_labels_file(
        path,
        dataset.classes,
        len(train),
        lambda: {train.file_name(i): i for i in range(len(train))},
        read=read,
    )
    aside = np.concatenate([experiment.splits.aside_ids, experiment.reserve])
    for sample_id in np.intersect1d(list(labels), aside).tolist():
        del labels[sample_id]
    used = set(labels.values())
    own = {
        number: experiment.class_named(name, annotator=LabelSource.IMPORT.value)
        for name, number in naming.new.items()
        if number in used
    }
    return {i: own.get(value, value) for i, value in labels.items()}
