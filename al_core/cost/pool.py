"""How many images there are, of what size: known before anything is read."""

from __future__ import annotations

from dataclasses import dataclass

from al_core.config import DataConfig
from al_core.data.prepare import open_dataset, prepared_key
from al_core.data.sources import SOURCES
from al_core.settings import Settings


@dataclass(frozen=True)
class Pool:
    """A train split, in numbers; `image_size` is the side in pixels."""

    num_train: int
    num_classes: int
    image_size: int

    @classmethod
    def of(cls, settings: Settings, data: DataConfig) -> Pool | None:
        """Of a config's data set: counted where it is prepared, else as its source says; None if unknown.

        Raises:
            DataError: there is no such data set, or what was prepared is damaged.
        """
        key = prepared_key(settings, data)
        if key is not None:
            dataset = open_dataset(settings, key)
            return cls(len(dataset.train), dataset.num_classes, dataset.image_size)
        source = SOURCES.get(data.dataset.partition(":")[0])
        if source.num_train is None or source.image_size is None or not source.classes_hint:
            return None
        return cls(source.num_train, len(source.classes_hint), source.image_size)
