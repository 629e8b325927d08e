"""`verify`: prove that what is kept is whole: log and labels, artefacts, splits, queries."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.store.objects import Objects


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("verify", help="check the store, its artefacts, splits and queries")
    parser.set_defaults(function=main)
    parser.add_argument("experiment", nargs="*", help="experiment ids; all without one")


def main(arguments: argparse.Namespace) -> int:
    """Print each kind of damage found; exit status 1 if there is any."""
    settings = Settings.from_env()
    store = open_store(settings)
    try:
        ids = arguments.experiment or [record.id for record in store.experiments(ghosts=True)]
        found = [*store.check(), *Objects(settings.objects).check()]
        for experiment_id in ids:
            experiment = Experiment.open(store, settings, experiment_id)
            found += [f"experiment {experiment_id}: {text}" for text in check_experiment(store, experiment)]
    finally:
        store.close()
    for text in found:
        sys.stdout.write(f"damage: {text}\n")
    if not found:
        sys.stdout.write(f"whole: {len(ids)} experiments, their labels, artefacts, splits and queries\n")
    return 1 if found else 0


def check_experiment(store: Store, experiment: Experiment) -> Iterator[str]:
    """What is wrong with one experiment, in words."""
    record = experiment.record
    if record.dataset_key is None:
        return
    try:
        splits = experiment.splits
    except ALError as error:
        yield str(error)
        return
    if record.split_hash not in (None, splits.hash):
        yield f"the splits hash to {splits.hash}, but {record.split_hash} was recorded"
    both = np.intersect1d(splits.epoch_validation, splits.round_validation)
    if len(both):
        yield f"{len(both)} samples are in both validation splits"
    objects = Objects(experiment.settings.objects)
    num_train, held = len(experiment.dataset.train), set(splits.validation_ids.tolist())
    for query in store.queries(experiment.id):
        ids = [item.sample_id for item in query.items]
        if len(set(ids)) < len(ids):
            yield f"round {query.round} asked for an image twice"
        outside = [i for i in ids if not 0 <= i < num_train]
        if outside:
            yield f"round {query.round} asked for sample {outside[0]}, which the train split does not have"
        if held.intersection(ids):
            yield f"round {query.round} asked for validation samples"
    for round_record in store.rounds(experiment.id):
        labeled = experiment.pool(until=round_record.label_event_id).labeled_ids
        if len(labeled) != round_record.num_labeled:
            yield (
                f"round {round_record.number} trained on {round_record.num_labeled} labels, "
                f"but the log has {len(labeled)} up to then"
            )
        for kind, sha in round_record.artefacts.items():
            if not objects.path(sha).is_file():
                yield f"round {round_record.number}: its {kind} ({sha[:12]}) are gone"
