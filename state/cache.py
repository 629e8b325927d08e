"""Cached reads. A key is (id, version), so that an entry is never wrong and nothing is ever cleared."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

from al_core.check import check_config
from al_core.config import DataConfig, ExperimentConfig, ModelConfig
from al_core.data.prepare import prepared_key
from al_core.data.roots import resolve_folder
from al_core.data.sources import SOURCES
from al_core.errors import DataError, Problem
from al_core.query.strategies import STRATEGIES
from al_core.records import ExperimentRecord, RoundRecord
from state import handles


@lru_cache(maxsize=512)
def _rounds(experiment_id: str, version: int) -> tuple[RoundRecord, ...]:
    del version  # only there to be part of the key
    return tuple(handles.store().rounds(experiment_id))


def rounds(record: ExperimentRecord) -> tuple[RoundRecord, ...]:
    """All rounds of an experiment as of that record; shared by all tabs, since the values are frozen."""
    return _rounds(record.id, record.version)


@lru_cache(maxsize=64)
def _strategy_refusals(model: str) -> dict[str, str]:
    config = ExperimentConfig().changed(model=json.loads(model))
    refusals: dict[str, str] = {}
    for strategy in STRATEGIES:
        tried = config.changed(query__strategy=strategy.name)
        for problem in check_config(tried, handles.settings()):
            if problem.option == "query.strategy":
                refusals[strategy.name] = problem.allowed
    return refusals


def strategy_refusals(model: ModelConfig) -> dict[str, str]:
    """Which strategies this model cannot serve, and why."""
    return _strategy_refusals(model.model_dump_json())


def problems_of(config: ExperimentConfig) -> list[Problem]:
    """Everything that stands against this config, data that cannot be read included."""
    source, _, path = config.data.dataset.partition(":")
    try:
        if path and source in SOURCES and SOURCES.get(source).path != "no":
            resolve_folder(handles.settings(), path)
    except DataError as error:
        return [Problem("data.dataset", config.data.dataset, str(error))]
    return unreadable(config) or check_config(config, handles.settings())


def unreadable(config: ExperimentConfig) -> list[Problem]:
    """The oracle's files that a browser's visitor must not have read: they lie below no data root."""
    found = []
    for name in ("noise_matrix", "recorded_file"):
        path = getattr(config.answers, name)
        if not path or path.lstrip()[:1] in ("[", "{"):
            continue
        try:
            resolve_folder(handles.settings(), str(Path(os.path.realpath(Path(path).expanduser())).parent))
        except (DataError, ValueError) as error:
            found.append(Problem(f"answers.{name}", path, str(error)))
    return found


def needs_preparing(data: DataConfig) -> bool:
    """Whether a person has to prepare these images first: to allow a download, or to look into a folder."""
    try:
        source = SOURCES.get(data.dataset.partition(":")[0])
        asks = source.download_megabytes is not None or source.path == "required"
        return asks and prepared_key(handles.settings(), data) is None
    except DataError:
        return False  # the field says it; here nothing is known


def num_test(data: DataConfig) -> int | None:
    """How many test images there are: counted where they are prepared, else as their source says."""
    try:
        key = prepared_key(handles.settings(), data)
        if key is not None:
            return len(handles.dataset(key).test)
        return SOURCES.get(data.dataset.partition(":")[0]).num_test
    except DataError:
        return None  # as below


def num_classes(data: DataConfig) -> int | None:
    """How many classes the images have: counted where they are prepared, else as their source says."""
    try:
        key = prepared_key(handles.settings(), data)
        if key is not None:
            return handles.dataset(key).num_classes
        return len(SOURCES.get(data.dataset.partition(":")[0]).classes_hint) or None
    except DataError:
        return None  # the field says it; here nothing is known
