"""Fixtures that the whole suite shares."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from al_core.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
hypothesis_settings.register_profile("askwell", deadline=None)  # a loaded machine is slow, not wrong
hypothesis_settings.load_profile("askwell")


def pytest_collectstart(collector):
    """`from conftest import ...` means the conftest.py beside the test module, whatever is collected with it.

    Folders that are no packages give theirs all the same module name, and the last one loaded has it.
    """
    if isinstance(collector, pytest.Module):
        beside = collector.config.pluginmanager.get_plugin(str(collector.path.with_name("conftest.py")))
        if beside is not None:
            sys.modules["conftest"] = beside


@pytest.fixture
def settings(tmp_path):
    """Settings of a fresh, empty home."""
    return Settings.from_env({"AL_HOME": str(tmp_path / "home"), "AL_DATA_ROOTS": str(tmp_path)})


@pytest.fixture(scope="session")
def test_data():
    """Folder of real data, where there is one: AL_TEST_DATA, or shared/data beside the project."""
    for place in (os.environ.get("AL_TEST_DATA"), ROOT.parent / "shared" / "data"):
        if place and Path(place).is_dir():
            return Path(place)
    pytest.skip("no real data: set AL_TEST_DATA to a folder that has it")
