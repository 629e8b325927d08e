"""The Curves page's x over minutes and money: as people answered, and random at their pace."""

import pytest

from al_core.config import DataConfig
from al_core.data.prepare import prepare
from al_core.results.axes import Prices
from al_core.store import open_store
from state import cache, handles, spending
from tests.e2e.seeded import seed


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for cached in (handles.settings, handles.store, handles.dataset):
        cached.cache_clear()
    prepare(handles.settings(), DataConfig())
    experiment_id = seed(handles.settings(), rounds=3)
    store = open_store(handles.settings())
    yield store.experiment(experiment_id)
    store.close()
    handles.store().close()
    for cached in (handles.settings, handles.store, handles.dataset):
        cached.cache_clear()


def both(record):
    return cache.rounds(record), cache.rounds(handles.store().ghost_of(record.id))


def test_minutes_are_the_people_s_and_random_is_given_their_pace(record):
    rounds, random = both(record)
    own = spending.own(record, rounds, "minutes", None)
    baseline = spending.baseline(record, random, "minutes", None)
    assert own == pytest.approx([20 * 1.3 / 60, 40 * 1.3 / 60, 60 * 1.3 / 60])
    assert baseline == pytest.approx(own)


def test_labels_need_no_axis_and_money_gives_every_round_a_place(record):
    rounds, random = both(record)
    assert spending.axis(record, rounds, random, "labels", None) is None
    axis = spending.axis(record, rounds, random, "money", Prices(label=1.0, ratio=10.0, hour=0.0))
    assert axis["title"] == "cost"
    assert axis["own"] == [20 + 10, 40 + 20, 60 + 30]
    assert axis["own"] == axis["ghost"]
