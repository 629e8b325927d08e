"""What the tests of imports share."""

import pytest

from tests.al_core.exchange_session import make_photos, open_session


@pytest.fixture
def session(settings, tmp_path):
    make_photos(tmp_path / "photos")
    opened = open_session(settings, tmp_path / "photos")
    yield opened
    opened.store.close()
