"""Process-wide handles: one store, one set of settings, a few open data sets.

Plain caches and not Streamlit's: the HTTP routes share them and have no session.
"""

from __future__ import annotations

from functools import cache, lru_cache

from al_core import own_files
from al_core.data.dataset import Dataset
from al_core.data.prepare import open_dataset
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store


@cache
def settings() -> Settings:
    """Settings of this process, from the environment; the first call runs the operator's own files."""
    found = Settings.from_env()
    own_files.load(found.own_files)
    return found


@cache
def store() -> Store:
    """The one store of this process."""
    return open_store(settings())


@lru_cache(maxsize=8)
def dataset(key: str) -> Dataset:
    """An open prepared data set (memory maps: opening costs milliseconds, holding nothing)."""
    return open_dataset(settings(), key)
