"""Cached reads. A key is (id, version), so that an entry is never wrong and nothing is ever cleared."""

from __future__ import annotations

from functools import lru_cache

from al_core.records import ExperimentRecord, RoundRecord
from state import handles


@lru_cache(maxsize=64)
def _rounds(experiment_id: str, version: int) -> tuple[RoundRecord, ...]:
    del version  # only there to be part of the key
    return tuple(handles.store().rounds(experiment_id))


def rounds(record: ExperimentRecord) -> tuple[RoundRecord, ...]:
    """All rounds of an experiment as of that record; shared by all tabs, since the values are frozen."""
    return _rounds(record.id, record.version)
