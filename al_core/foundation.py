"""What an experiment rests on: its record, its data set, the classes as they are by now, and its splits."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Self

from al_core.classes import Classes
from al_core.data.dataset import Dataset
from al_core.data.prepare import shared_dataset
from al_core.errors import DataError
from al_core.records import ClassEvent, ExperimentRecord, RoundRecord
from al_core.settings import Settings
from al_core.splits import Splits, reserve_of, splits_of
from al_core.store.base import Store
from al_core.types import SampleIds
from al_core.words import tr


class Foundation:
    """What labels and rounds of one experiment are about; read only."""

    def __init__(self, store: Store, settings: Settings, record: ExperimentRecord) -> None:
        self.store, self.settings, self.record = store, settings, record
        self.config = record.config
        self._relabeled: tuple[tuple[int, tuple[str, ...]], Dataset] | None = None  # the last one asked for

    @classmethod
    def open(cls, store: Store, settings: Settings, experiment_id: str) -> Self:
        """Raises NotFound."""
        return cls(store, settings, store.experiment(experiment_id))

    @property
    def id(self) -> str:
        """The experiment's id in the store."""
        return self.record.id

    def refresh(self) -> None:
        """Read the record again after the store changed."""
        self.record = self.store.experiment(self.id)

    @cached_property
    def prepared(self) -> Dataset:
        """The data set as it was prepared, whatever became of its classes.

        Raises:
            DataError: it is not prepared yet, or its content is no longer what this experiment began with.
        """
        if self.record.dataset_key is None:
            raise DataError(tr("the data set {name!r} is not prepared yet", name=self.config.data.dataset))
        dataset = shared_dataset(self.settings, self.record.dataset_key)
        if self.record.fingerprint not in (None, dataset.fingerprint):
            raise DataError(
                tr(
                    "the data set {dataset!r} has changed since this experiment began (fingerprint {now}, "
                    "was {then}): sample ids would name other images. Restore the old files, or begin a new "
                    "experiment",
                    dataset=dataset.title,
                    now=dataset.fingerprint[:12],
                    then=(self.record.fingerprint or "")[:12],
                )
            )
        return dataset.at(self.config.data.image_size)

    @property
    def dataset(self) -> Dataset:
        """The data set with the classes as they are now: names by class id, true labels as they count.

        Raises:
            DataError: as `prepared`.
        """
        return self._with_classes(self.classes())

    def dataset_of(self, record: RoundRecord) -> Dataset:
        """The data set with the classes as that round was trained with, under their present names."""
        then = self.classes(until=record.label_event_id)
        return self._with_classes(replace(then, names=self.classes().names[: len(then)]))

    def _with_classes(self, classes: Classes) -> Dataset:
        if not classes.last:
            return self.prepared
        key = classes.last, classes.names
        if self._relabeled is None or self._relabeled[0] != key:
            self._relabeled = key, classes.relabeled(self.prepared)
        return self._relabeled[1]

    def class_events(self, *, until: int | None = None) -> list[ClassEvent]:
        """Changes of the classes, oldest first. A random baseline goes by those of what it follows."""
        follows = self.record.parent_id if self.record.ghost else None
        return self.store.class_events(follows or self.id, until=until)

    def classes(self, *, until: int | None = None) -> Classes:
        """The classes now, or as they were after the label event `until`."""
        return Classes.of(self.prepared.classes, self.class_events(until=until))

    @cached_property
    def splits(self) -> Splits:
        """What is set aside for validation; the same for every strategy of a seed."""
        return splits_of(self.prepared, self.config)

    @cached_property
    def reserve(self) -> SampleIds:
        """The hold-back's images in the order in which they are asked; the same for every strategy."""
        return reserve_of(self.prepared, self.config)
