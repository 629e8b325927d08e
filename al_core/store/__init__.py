"""The store: the one truth that browser, worker and command line share (see base.py)."""

from al_core.store.base import Store
from al_core.store.sql import open_store

__all__ = ["Store", "open_store"]
