"""The pages' scripts without a browser, on a home of their own where no worker ever starts."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.records import ExperimentStatus, JobState, Query, QueryItem, RoundRecord, query_hash
from al_core.worker.identity import Slot
from state import handles

MAIN = Path(__file__).resolve().parents[2] / "pages" / "main.py"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty store that the pages use; this process holds the worker's slot."""
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AL_DATA_ROOTS", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("AL_WORKERS", "1")  # else studies would start workers beside the one
    caches = (handles.settings, handles.store, handles.dataset)
    for cached in caches:
        cached.cache_clear()
    slot = Slot(handles.settings().home)
    assert slot.take()
    yield handles.store()
    handles.store().close()
    slot.release()
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def digits(home):
    return prepare(handles.settings(), DataConfig())


@pytest.fixture
def visit(home):
    """Open a page, as its first visitor would."""

    def open_page(name="home", **params):
        app = AppTest.from_file(str(MAIN), default_timeout=20)
        for key, value in params.items():
            app.query_params[key] = value
        if name != "home":
            app.switch_page(str(MAIN.parent / f"{name}.py"))
        return app.run()

    return open_page


def components(app, name):
    """The data that mounted components of this name were given."""
    found = [element.proto for element in app.get("bidi_component")]
    return [proto for proto in found if proto.component_name.endswith(name)]


@pytest.fixture
def waiting(home, digits):
    """Make an experiment with rounds of these accuracies; then five images wait for labels."""

    def make(*accuracies, name="a session", **changes):
        config = ExperimentConfig().changed(name=name, query__n_new=5, **changes)
        record = home.create_experiment(config)
        home.submit_job("advance", experiment_id=record.id)
        _, lease = home.claim_job("test")
        home.update_experiment(record.id, lease=lease, dataset_key=digits.key, fingerprint=digits.fingerprint)
        for number in range(-1, len(accuracies)):
            ids = list(range(5 * (number + 1), 5 * (number + 2)))
            items = tuple(QueryItem(rank, i, None) for rank, i in enumerate(ids))
            query = Query(record.id, number, "margin", items, 100, query_hash(ids), 0.0)
            if number < 0:
                home.put_query(lease, query)
                continue
            done = RoundRecord(
                record.id, number, 5 * (number + 1), 0, {"test_accuracy": accuracies[number]}, None,
                (1,) * 10, {}, {}, {}, 0.0,
            )  # fmt: skip
            home.finish_round(lease, done, query, status=ExperimentStatus.AWAITING_LABELS)
        home.end_job(lease, JobState.DONE)
        return home.experiment(record.id)

    return make
