"""A Starlette client on our routes, over a real store in a fresh home."""

import json
import time
import warnings

import numpy as np
import pytest
from starlette.applications import Starlette

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.records import JobState, Query, QueryItem, query_hash
from state import handles
from state.web import images, labels, routes, seats, security

with warnings.catch_warnings():
    # Starlette would rather have httpx2, which not every mirror has yet; what is tested is the same.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

SAME = {"Sec-Fetch-Site": "same-origin"}


class Web:
    """The client, the store behind it, and an experiment whose query waits for answers."""

    def __init__(self, settings, client):
        self.settings, self.client = settings, client
        self.store = handles.store()
        self.dataset = prepare(settings, DataConfig())
        record = self.store.create_experiment(ExperimentConfig().changed(name="web"))
        self.store.submit_job("advance", experiment_id=record.id)
        _, self.lease = self.store.claim_job("test")
        self.store.update_experiment(
            record.id, lease=self.lease, dataset_key=self.dataset.key, fingerprint=self.dataset.fingerprint
        )
        self.id = record.id
        self.ids = list(range(5, 15))
        self.query = self.make_query(-1, self.ids)
        self.store.put_query(self.lease, self.query)

    def make_query(self, number, ids):
        items = tuple(QueryItem(rank, i, None) for rank, i in enumerate(ids))
        digest = query_hash(np.asarray(ids))
        return Query(self.id, number, "random", items, len(ids), digest, time.time())

    def end(self):
        self.store.end_job(self.lease, JobState.DONE)

    def post(self, ops, *, batch=None, client="tab-0001", headers=None, token=None, **extra):
        body = {"batch": batch or self.query.batch, "client": client, "ops": ops} | extra
        sent = {"X-AL-Token": token or security.token("labels", self.id), "Content-Type": "application/json"}
        sent |= SAME if headers is None else headers
        return self.client.post("/api/labels", content=json.dumps(body), headers=sent)

    def events(self):
        return [(e.n, e.sample_id, e.value) for e in self.store.label_events(self.id)]


def clear():
    for cached in (handles.settings, handles.store, handles.dataset):
        cached.cache_clear()
    labels.forget()
    seats.forget()
    images.forget()


@pytest.fixture
def web(tmp_path, monkeypatch):
    """Routes and a waiting query, on a home of their own."""
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AL_SECRET", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    clear()
    app = Starlette(routes=routes.routes(), middleware=routes.middleware())
    with TestClient(app, base_url="http://127.0.0.1:8501") as client:
        made = Web(handles.settings(), client)
        yield made
        made.store.close()
    clear()
