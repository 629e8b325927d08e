"""Fixtures of the store's tests."""

import multiprocessing

import pytest

from al_core.config import ExperimentConfig
from tests.stores import migrated_file, place, postgres, store

__all__ = ["migrated_file", "place", "postgres", "store"]


@pytest.fixture(scope="session")
def children():
    """Cheap child processes: forked from a server that has imported the store already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.stores"])
    return context


@pytest.fixture
def experiment(store):
    return store.create_experiment(ExperimentConfig()).id
