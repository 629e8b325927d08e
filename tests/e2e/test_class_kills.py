"""The server killed at random instants while classes change and labels come in: nothing is lost."""

import http.client
import itertools
import json
import os
import random
import threading
import time

import pytest
from conftest import Home, Server

from al_core.classes import Classes
from al_core.config import DataConfig
from al_core.data.prepare import prepare
from al_core.records import ClassAct
from al_core.worker.identity import Slot
from tests.benchmarks.many_annotators import SECRET

pytestmark = pytest.mark.e2e
KILLS = int(os.environ.get("AL_KILL_TRIALS", "5"))


class Browser:
    """One open page's writes: each is sent until it is acknowledged, and what was is kept here."""

    def __init__(self, server, batch):
        from state.web import security

        self.server, self.batch = server, batch
        self.experiment_id = batch.partition("/")[0]
        token = security.token("labels", self.experiment_id, "Ada")
        self.headers = {
            "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", "X-AL-Token": token,
        }  # fmt: skip
        self.n, self.labels, self.changes, self.acked = 0, [], [], 0
        self.waiting = None  # the label that no answer came to

    def post(self, route, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request("POST", f"/api/{route}", json.dumps(body), self.headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def change(self, act, **more):
        """As the page does: what was not acknowledged may have been committed, and is not made twice."""
        body = {"act": act, **more}
        status, said = self.post(f"classes/{self.experiment_id}", body)
        if status == 422:  # it was committed, and the answer was lost
            return None
        assert status == 200, said
        self.acked += 1
        self.changes.append((said["said"], ClassAct(act), said["class_id"], body))
        return said["class_id"]

    def label(self, sample_id, to, name=None):
        self.waiting = sample_id, to, name
        self.send()

    def send(self):
        """What may have been committed without an answer is sent again as it was, under its number."""
        sample_id, to, name = self.waiting
        op = {"n": self.n + 1, "id": sample_id, "to": to} | ({"name": name} if name else {})
        status, said = self.post("labels", {"batch": self.batch, "client": "client-of-ada", "ops": [op]})
        assert status == 200, said
        self.n += 1
        self.acked += 1
        self.labels.append((self.n, sample_id, to, name))
        self.waiting = None

    def work(self, steps, ids):
        """Until the server is gone: a class is made, given, renamed, given by its name, merged or retired."""
        for k in steps:
            i = ids[k % len(ids)]
            try:
                if self.waiting is not None:
                    self.send()
                made = self.change("add", name=f"class {k}")
                self.label(i, k % 10)
                if made is not None:
                    self.label(i, made)
                    self.change("rename", class_id=made, name=f"kind {k}")
                self.label(i, 0, name=f"found {k}")
                if made is not None and k % 2:
                    self.change("merge", class_id=made, into=0)
                elif made is not None:
                    self.change("retire", class_id=made, labels="keep")
            except (OSError, http.client.HTTPException):
                return


def test_a_server_killed_between_class_changes_and_labels_loses_nothing_it_acknowledged(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("AL_SECRET", SECRET)
    server = Server(tmp_path, env={"AL_SECRET": SECRET})
    slot = Slot(server.home)
    assert slot.take()
    prepare(server.settings, DataConfig())
    home = Home(server.settings)
    record = home.experiment(rounds=0, num_items=40)
    query = home.query(record)
    browser, rng, steps = Browser(server, query.batch), random.Random(11), itertools.count()
    ids = [item.sample_id for item in query.items]
    try:
        for _ in range(KILLS):
            server.start()
            before = browser.acked
            at_work = threading.Thread(target=browser.work, args=(steps, ids))
            at_work.start()
            while browser.acked == before and at_work.is_alive():
                time.sleep(0.005)
            time.sleep(rng.uniform(0.0, 0.5))
            server.kill()
            at_work.join(40)
            assert not at_work.is_alive()
            assert browser.acked > before
            check(home, record, browser)
    finally:
        server.stop()
        home.store.close()
        slot.release()
    assert len(browser.changes) >= 2 * KILLS


def check(home, record, browser):
    """The log holds every acknowledged word in its order, its chain verifies, what follows from it fits."""
    events = home.store.class_events(record.id)
    kept = {event.id: event.change for event in events}
    for said, act, class_id, body in browser.changes:
        assert (kept[said].act, kept[said].class_id) == (act, class_id)
        assert kept[said].name == body.get("name", "")
        assert kept[said].into == body.get("into")
    assert [said for said, *_ in browser.changes] == sorted(said for said, *_ in browser.changes)
    assert {event.annotator for event in events} == {"Ada"}
    classes = Classes.of(home.dataset.classes, events)
    assert len(set(classes.names)) == len(classes.names)  # no class twice, whatever was sent again
    labels = {event.n: event for event in home.store.label_events(record.id)}
    for n, sample_id, to, name in browser.labels:
        assert labels[n].sample_id == sample_id
        assert labels[n].value == (to if name is None else classes.names.index(name))
    assert sorted(labels) == list(range(1, len(labels) + 1))
    assert home.store.check() == []
