import os
from pathlib import Path

import pytest

from al_core.errors import ConfigError
from al_core.settings import Settings


def test_everything_lives_below_al_home(tmp_path):
    settings = Settings.from_env({"AL_HOME": str(tmp_path / "a" / "b")})
    assert settings.home.is_dir()
    assert settings.database_url.endswith("a/b/askwell.db")
    for place in (settings.objects, settings.datasets, settings.downloads, settings.logs):
        assert settings.home in place.parents


def test_the_database_and_the_data_roots_can_be_set(tmp_path):
    roots = os.pathsep.join(["/one", "/two"])
    env = {"AL_HOME": str(tmp_path), "DATABASE_URL": "postgresql://x", "AL_DATA_ROOTS": roots}
    settings = Settings.from_env(env)
    assert settings.database_url == "postgresql://x"
    assert settings.data_roots == (Path("/one"), Path("/two"))


def test_the_number_of_workers_is_the_cores_unless_it_is_said(tmp_path):
    home = {"AL_HOME": str(tmp_path)}
    assert Settings.from_env(home).workers >= 1
    assert Settings.from_env(home | {"AL_WORKERS": "3"}).workers == 3
    for refused in ("0", "many", "-1", "9999"):
        with pytest.raises(ConfigError, match="AL_WORKERS"):
            Settings.from_env(home | {"AL_WORKERS": refused})


def test_a_home_that_cannot_be_written_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="set AL_HOME"):
        Settings.from_env({"AL_HOME": str(tmp_path / "file" / "home")})
