"""`verify`: prove that what is kept is whole: log and labels, artefacts, splits, queries."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from al_core.classes import Classes
from al_core.cli.bars import bar
from al_core.errors import ALError, ClassError
from al_core.experiment import Experiment
from al_core.records import ClassEvent
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.store.objects import Objects


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("verify", help="check the store, its artefacts, splits and queries")
    parser.set_defaults(function=main)
    parser.add_argument("experiment", nargs="*", help="experiment ids; all without one")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments: argparse.Namespace) -> int:
    """Print each kind of damage found; exit status 1 if there is any."""
    settings = Settings.from_env()
    store = open_store(settings)
    try:
        ids = arguments.experiment or [record.id for record in store.experiments(ghosts=True)]
        with bar("artefacts", quiet=arguments.quiet) as progress:
            found = [*store.check(), *Objects(settings.objects).check(progress)]
        with bar("experiments", quiet=arguments.quiet) as progress:
            for done, experiment_id in enumerate(ids):
                progress(done, len(ids))
                experiment = Experiment.open(store, settings, experiment_id)
                wrong = check_experiment(store, experiment)
                found += [f"experiment {experiment_id}: {text}" for text in wrong]
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
    num_train, held = len(experiment.dataset.train), set(splits.aside_ids.tolist())
    for query in store.queries(experiment.id):
        ids = [item.sample_id for item in query.offered]
        if len(set(ids)) < len(ids):
            yield f"round {query.round} asked for an image twice"
        outside = [i for i in ids if not 0 <= i < num_train]
        if outside:
            yield f"round {query.round} asked for sample {outside[0]}, which the train split does not have"
        if held.intersection(ids):
            yield f"round {query.round} asked for samples that are set aside"
    yield from _class_damage(store, experiment)
    for round_record in store.rounds(experiment.id):
        labeled = experiment.pool(until=round_record.label_event_id).paid_ids
        if len(labeled) != round_record.num_labeled:
            yield (
                f"round {round_record.number} trained on {round_record.num_labeled} labels, "
                f"but the log has {len(labeled)} up to then"
            )
        for kind, sha in round_record.artefacts.items():
            if not objects.path(sha).is_file():
                yield f"round {round_record.number}: its {kind} ({sha[:12]}) are gone"


def _class_damage(store: Store, experiment: Experiment) -> Iterator[str]:
    """A change of a class that could not have been made, or a label of a class that was not there."""
    made: list[ClassEvent] = []
    for event in store.class_events(experiment.id):
        try:
            known = Classes.of(experiment.prepared.classes, made).checked(event.change)
        except ClassError as error:
            yield f"class event {event.id} cannot be: {error}"
            return
        if known != event.change:
            yield f"class event {event.id} says {event.change}, where only {known} can be"
            return
        made.append(event)
    known = len(experiment.classes())
    beyond = next((e for e in store.label_events(experiment.id) if e.value >= known), None)
    if beyond is not None:
        yield f"label event {beyond.id} gives class {beyond.value}, but there are {known}"
